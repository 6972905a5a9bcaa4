// Accounts from a CSV file, all of them or none.

package store

import (
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/sip/digest"
)

const (
	importChunk  = 20 // accounts in one statement: SQLite looks each $n up in the list of all before it
	importErrors = 20 // faults reported of one file
)

// Faults are the lines of a file that cannot be imported. Nothing of such a file is.
type Faults struct {
	Lines []error // "line 7: user: …", at most twenty
	More  int     // how many there are beside
}

// Error gives the faults, one a line.
func (f *Faults) Error() string {
	var b strings.Builder
	for i, err := range f.Lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(err.Error())
	}
	if f.More > 0 {
		fmt.Fprintf(&b, "\nand %d more", f.More)
	}
	return b.String()
}

func (f *Faults) add(line int, field, format string, args ...any) {
	if len(f.Lines) == importErrors {
		f.More++
		return
	}
	f.Lines = append(f.Lines, fmt.Errorf("line %d: %s: %w", line, field, fmt.Errorf(format, args...)))
}

// Import adds the accounts in the CSV text r to a domain and returns how many they are. The first line names the columns, in any order: user and password,
// and name if wanted. Either every line is imported or, after an error, none; faults of the file come as [*Faults]. progress, if set, is told now and then how
// many lines are read.
func (s *Store) Import(ctx context.Context, domain string, r io.Reader, progress func(lines int)) (int, error) {
	d, err := s.Domain(ctx, domain)
	if err != nil {
		return 0, err
	}
	in, err := newImporter(s, d, r)
	if err != nil {
		return 0, err
	}
	err = s.change(ctx, func(tx *transaction) error {
		if err := in.prepare(ctx, tx); err != nil {
			return err
		}
		for {
			entries, more, err := in.chunk()
			if err != nil {
				return err
			}
			if err := in.insert(ctx, tx, entries); err != nil {
				return err
			}
			if progress != nil {
				progress(in.lines)
			}
			if !more {
				break
			}
		}
		if len(in.faults.Lines) > 0 {
			return &in.faults
		}
		tx.noteAll()
		return nil
	})
	if err != nil {
		return 0, err
	}
	return in.lines, nil
}

// importer reads one file.
type importer struct {
	domain  Domain
	created int64
	csv     *csv.Reader
	column  struct{ user, password, name int } // name is -1 if there is none
	lineOf  map[string]int                     // user → the line that has it
	lines   int
	faults  Faults

	anyone            bool      // the domain has users already
	accounts, devices *sql.Stmt // insert a full chunk
}

// entry is one good line.
type entry struct {
	line       int
	user, name string
	ha1        HA1
}

func newImporter(s *Store, d Domain, r io.Reader) (*importer, error) {
	in := &importer{domain: d, created: s.now().UnixMilli(), csv: csv.NewReader(r), lineOf: make(map[string]int)}
	in.csv.ReuseRecord = true
	in.csv.TrimLeadingSpace = true
	head, err := in.csv.Read()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("line 1: %w", err)
	}
	for i, name := range head {
		head[i] = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))) // spreadsheets put a byte order mark there
	}
	in.column.user, in.column.password, in.column.name = slices.Index(head, "user"), slices.Index(head, "password"), slices.Index(head, "name")
	if in.column.user < 0 || in.column.password < 0 {
		return nil, errors.New("line 1: the columns user and password are not named; start the file with the line user,password,name")
	}
	return in, nil
}

// chunk reads the good ones of the next lines, at most importChunk; more is false at the end of the file.
func (in *importer) chunk() (entries []entry, more bool, err error) {
	entries = make([]entry, 0, importChunk)
	for len(entries) < importChunk {
		rec, err := in.csv.Read()
		if errors.Is(err, io.EOF) {
			return entries, false, nil
		}
		var pe *csv.ParseError
		if errors.As(err, &pe) {
			in.lines++
			in.faults.add(pe.Line, "format", "%w; write as many columns as the first line names, quotes in pairs", pe.Err)
			if !errors.Is(err, csv.ErrFieldCount) {
				return nil, false, &in.faults // what follows an unpaired quote is noise
			}
			continue
		}
		if err != nil {
			return nil, false, fmt.Errorf("store: read the file: %w", err)
		}
		in.lines++
		if e, ok := in.entry(rec); ok {
			entries = append(entries, e)
		}
	}
	return entries, true, nil
}

// entry checks one line.
func (in *importer) entry(rec []string) (e entry, ok bool) {
	e.line, _ = in.csv.FieldPos(0)
	e.user = strings.Clone(strings.TrimSpace(rec[in.column.user]))
	if err := object.CheckUser(e.user); err != nil {
		in.faults.add(e.line, "user", "%w", err)
		return e, false
	}
	if before, twice := in.lineOf[e.user]; twice {
		in.faults.add(e.line, "user", "%s stands in line %d too; keep one", e.user, before)
		return e, false
	}
	in.lineOf[e.user] = e.line
	password := rec[in.column.password]
	if err := CheckSecret(password); err != nil {
		in.faults.add(e.line, "password", "%w", err)
		return e, false
	}
	if in.column.name >= 0 {
		e.name = strings.Clone(strings.TrimSpace(rec[in.column.name]))
	}
	if err := object.CheckName(e.name); err != nil {
		in.faults.add(e.line, "name", "%w", err)
		return e, false
	}
	e.ha1 = Hash(e.user, in.domain.Realm, password)
	return e, true
}

// The statements, without their parameters.
const (
	insertAccounts = "INSERT INTO accounts (domain, sip_user, name, created) VALUES "
	insertDevices  = "INSERT INTO devices (domain, sip_user, account, created, ha1_md5, ha1_sha256, ha1_sha512_256) VALUES "
)

// prepare makes ready what is done for each chunk: parsing the statements again would take a third of the time of an import.
func (in *importer) prepare(ctx context.Context, tx *transaction) (err error) {
	if in.accounts, err = tx.PrepareContext(ctx, insertAccounts+parameters(importChunk, 4)); err != nil {
		return fmt.Errorf("store: prepare: %w", err)
	}
	if in.devices, err = tx.PrepareContext(ctx, insertDevices+parameters(importChunk, 7)); err != nil {
		return fmt.Errorf("store: prepare: %w", err)
	}
	var n int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM accounts WHERE domain = $1 LIMIT 1) AS some", in.domain.Name).Scan(&n); err != nil {
		return fmt.Errorf("store: look for users: %w", err)
	}
	in.anyone = n > 0
	return nil
}

// insert puts accounts and their first devices into the database, unless a fault was found already: then the rest is only checked.
func (in *importer) insert(ctx context.Context, tx *transaction, entries []entry) error {
	if len(entries) == 0 {
		return nil
	}
	if in.anyone {
		if err := in.findTaken(ctx, tx, entries); err != nil {
			return err
		}
	}
	if len(in.faults.Lines) > 0 {
		return nil
	}
	accounts := make([]any, 0, 4*len(entries))
	devices := make([]any, 0, 7*len(entries))
	for _, e := range entries {
		accounts = append(accounts, in.domain.Name, e.user, e.name, in.created)
		devices = append(devices, in.domain.Name, e.user, e.user, in.created, e.ha1.bytes(digest.MD5), e.ha1.bytes(digest.SHA256), e.ha1.bytes(digest.SHA512256))
	}
	var err error
	if len(entries) == importChunk {
		if _, err = in.accounts.ExecContext(ctx, accounts...); err == nil {
			_, err = in.devices.ExecContext(ctx, devices...)
		}
	} else {
		if _, err = tx.ExecContext(ctx, insertAccounts+parameters(len(entries), 4), accounts...); err == nil {
			_, err = tx.ExecContext(ctx, insertDevices+parameters(len(entries), 7), devices...)
		}
	}
	if err != nil {
		return fmt.Errorf("store: import: %w", err)
	}
	return nil
}

// findTaken adds a fault for each entry whose user the domain has already.
func (in *importer) findTaken(ctx context.Context, tx *transaction, entries []entry) error {
	args := make([]any, 0, len(entries)+1)
	for _, e := range entries {
		args = append(args, e.user)
	}
	args = append(args, in.domain.Name)
	list, domain := parameters(1, len(entries)), fmt.Sprintf("$%d", len(args))
	rows, err := tx.QueryContext(ctx, "SELECT sip_user FROM accounts WHERE domain = "+domain+" AND sip_user IN "+list+
		" UNION SELECT sip_user FROM devices WHERE domain = "+domain+" AND sip_user IN "+list+
		" UNION SELECT number FROM numbers WHERE domain = "+domain+" AND number IN "+list+
		" UNION SELECT name FROM objects WHERE domain = "+domain+" AND kind IN ("+numberedKinds()+") AND name IN "+list+" ORDER BY 1", args...)
	if err != nil {
		return fmt.Errorf("store: look for users: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var user string
		if err := rows.Scan(&user); err != nil {
			return fmt.Errorf("store: look for users: %w", err)
		}
		in.faults.add(in.lineOf[user], "user", "%s@%s %w; take the line out, or change its secret with `sipwerk account password`", user, in.domain.Name, ErrExists)
	}
	return rows.Err()
}

// parameters gives "($1, $2), ($3, $4)" for two rows of two columns.
func parameters(rows, columns int) string {
	var b strings.Builder
	for i := range rows * columns {
		switch {
		case i == 0:
			b.WriteByte('(')
		case i%columns == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", i+1)
	}
	b.WriteByte(')')
	return b.String()
}
