// A transaction that prepares each of its statements once: to parse them again and again is most of the work of a change of thousands.

package store

import (
	"context"
	"database/sql"
)

// maxPrepared is how many statements of a transaction are kept prepared; further ones are parsed each time.
const maxPrepared = 64

// transaction belongs to one goroutine.
type transaction struct {
	*sql.Tx
	prepared map[string]*sql.Stmt
	notes    []change // of what has changed
	noted    map[change]bool
	names    *names // nil: the database is asked
}

// statement is the prepared form of a query; nil if it is not to be kept, or cannot be prepared: then the transaction itself says why.
func (t *transaction) statement(ctx context.Context, query string) *sql.Stmt {
	if s := t.prepared[query]; s != nil || len(t.prepared) >= maxPrepared {
		return s
	}
	s, err := t.Tx.PrepareContext(ctx, query)
	if err != nil {
		return nil
	}
	if t.prepared == nil {
		t.prepared = make(map[string]*sql.Stmt)
	}
	t.prepared[query] = s
	return s
}

// ExecContext is that of [sql.Tx].
func (t *transaction) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if s := t.statement(ctx, query); s != nil {
		return s.ExecContext(ctx, args...)
	}
	return t.Tx.ExecContext(ctx, query, args...)
}

// QueryContext is that of [sql.Tx].
func (t *transaction) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if s := t.statement(ctx, query); s != nil {
		return s.QueryContext(ctx, args...)
	}
	return t.Tx.QueryContext(ctx, query, args...)
}

// QueryRowContext is that of [sql.Tx].
func (t *transaction) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if s := t.statement(ctx, query); s != nil {
		return s.QueryRowContext(ctx, args...)
	}
	return t.Tx.QueryRowContext(ctx, query, args...)
}
