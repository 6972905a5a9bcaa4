// Package store keeps what must never be lost: domains, accounts and their devices, and the objects that a company sets up. It is SQL (SQLite, embedded), written so that an answer
// is given after the data is on the disk. A running server never asks it on the path of a message: it reads a [Directory], a table in memory that
// follows the changes, also those made by another process in the same data folder.
//
// Every query is plain SQL with $1 parameters, so that the same text runs on PostgreSQL.
package store

import (
	"context"
	"crypto/cipher"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver called "sqlite"
)

// What an operation can fail with, beside failures of the disk.
var (
	// ErrExists: the domain already has such a user.
	ErrExists = errors.New("exists already")
	// ErrNotFound: there is no such domain, account or device.
	ErrNotFound = errors.New("does not exist")
	// ErrLocked: another process holds the lock.
	ErrLocked = errors.New("is in use by another server")
	// ErrNeeded: something else refers to it.
	ErrNeeded = errors.New("is still needed")
)

// migrations are the steps of the schema, oldest first.
//
//go:embed migrations/*.sql
var migrations embed.FS

// Store is an open database. Its methods may be called from any goroutine.
type Store struct {
	db      *sql.DB
	now     func() time.Time
	secrets cipher.AEAD
	written written
}

// Open opens the database of the data folder dir, makes both if they are missing, and brings the schema up to date. Several processes may have it open.
func Open(ctx context.Context, dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("store: make the data folder: %w", err)
	}
	// WAL with synchronous=FULL: a commit is on the disk before it is reported. Immediate transactions wait for each other instead of failing half-way.
	const pragmas = "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)" +
		"&_pragma=cache_size(-1024)&_txlock=immediate"
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "sipwerk.db")+pragmas)
	if err != nil {
		return nil, fmt.Errorf("store: open: %w", err)
	}
	db.SetMaxOpenConns(2)
	s := &Store{db: db, now: time.Now}
	if err := s.migrate(ctx, dir); err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

// migrate brings the schema up to date and makes the key of the secrets, one process at a time.
func (s *Store) migrate(ctx context.Context, dir string) error {
	lock, err := waitLock(filepath.Join(dir, "migrate.lock"))
	if err != nil {
		return err
	}
	defer lock.Release()
	if err := s.openSecrets(dir); err != nil {
		return err
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("store: migrate: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, s.db, files, goose.WithAllowOutofOrder(true))
	if err != nil {
		return fmt.Errorf("store: migrate: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("store: migrate: %w", err)
	}
	return nil
}

// Close ends the use of the database.
func (s *Store) Close() error { return s.db.Close() }

// change runs f in a transaction. What f changes it also notes, so that running servers read it again.
func (s *Store) change(ctx context.Context, f func(tx *transaction) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("store: begin: %w", err)
	}
	defer tx.Rollback() // after Commit it has nothing to do
	t := &transaction{Tx: tx}
	if err := f(t); err != nil {
		return err
	}
	if err := t.writeNotes(ctx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("store: commit: %w", err)
	}
	if len(t.notes) > 0 {
		s.written.add(t.notes)
	}
	return nil
}
