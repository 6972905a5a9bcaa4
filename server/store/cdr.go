// Call detail records: what became of each call. One is added by a [CDRJournal] and never changed.

package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
)

// CDR is the record of one call that has ended. Times that never came are zero.
type CDR struct {
	ID        string `json:"id"` // sorts by Start
	Domain    string `json:"domain"`
	SessionID string `json:"session_id,omitempty"` // RFC 7989, 32 digits: in every log line of the call
	CallID    string `json:"call_id"`              // of the caller's leg

	From    string `json:"from"`              // URI that was shown to the callee
	Name    string `json:"name,omitempty"`    // display name that was shown
	To      string `json:"to"`                // URI that was asked for
	Dialled string `json:"dialled"`           // the number or name in it
	Account string `json:"account,omitempty"` // that called
	Final   string `json:"final,omitempty"`   // account, number or application that was talked to last; who was called, if nobody was
	Trunk   string `json:"trunk,omitempty"`   // over which the call came

	Start  time.Time `json:"start"`
	Ring   time.Time `json:"ring,omitzero"`
	Answer time.Time `json:"answer,omitzero"`
	End    time.Time `json:"end"`

	Status int    `json:"status"`           // SIP: 200 if it was answered, otherwise why not
	Cause  int    `json:"q850"`             // the same in the words of the telephone network, Q.850
	By     string `json:"ended_by"`         // caller, callee, system
	Reason string `json:"reason,omitempty"` // Reason header of the end (RFC 3326)
	Error  string `json:"error,omitempty"`

	Transcoded bool      `json:"transcoded"`
	Recordings []string  `json:"recordings,omitempty"` // files in the folder of recordings
	Legs       []CDRLeg  `json:"legs"`                 // the caller's first
	Steps      []CDRStep `json:"steps,omitempty"`      // by which somebody to answer was looked for, if there was more than one
	Moves      []CDRMove `json:"moves,omitempty"`
}

// CDRLeg is one side of a call, or a device that rang for it.
type CDRLeg struct {
	Side    string    `json:"side"`              // caller or callee
	Account string    `json:"account,omitempty"` // whose device it is
	Target  string    `json:"target,omitempty"`  // where it was called
	Trunk   string    `json:"trunk,omitempty"`
	Payer   string    `json:"payer,omitempty"` // the account on whose minutes it went to the outside
	CallID  string    `json:"call_id,omitempty"`
	Start   time.Time `json:"start"`
	Ring    time.Time `json:"ring,omitzero"`
	Answer  time.Time `json:"answer,omitzero"`
	End     time.Time `json:"end,omitzero"`
	Status  int       `json:"status"` // how it answered, or why it did not
	Error   string    `json:"error,omitempty"`
	Codec   string    `json:"codec,omitempty"`
	Digits  string    `json:"digits,omitempty"` // how they went to it and came from it: events, info or tones; where two sides differ, they were converted
	// PacketTime is how long packets were made for it, in milliseconds, because it asked for others than came.
	PacketTime float64     `json:"packet_time_ms,omitempty"`
	Streams    []CDRStream `json:"streams,omitempty"`
}

// CDRStream is what was heard from one side, and how.
type CDRStream struct {
	Media     string  `json:"media,omitempty"` // "video"; otherwise what the leg says
	Packets   uint64  `json:"packets"`
	Sent      uint64  `json:"sent"`
	Lost      uint64  `json:"lost"`
	PeerLost  int64   `json:"peer_lost"`               // of what was sent to it, as it says
	Jitter    float64 `json:"jitter_ms"`               // milliseconds
	RoundTrip float64 `json:"round_trip_ms,omitempty"` // milliseconds, if it is known
	MOS       float64 `json:"mos,omitempty"`           // 1 to 4.5
}

// CDRStep is one step of the way of a call, as the dial plan has led it.
type CDRStep struct {
	Cause  string `json:"cause,omitempty"` // why the call came here: a word
	Note   string `json:"note,omitempty"`  // a sentence
	Status int    `json:"status"`
	Miss   string `json:"miss,omitempty"` // why nobody answered: offline, busy, no answer, declined, refused
}

// CDRMove is a call that went on to somebody else: diverted before it was answered, transferred, taken over.
type CDRMove struct {
	At    time.Time `json:"at"`
	Kind  string    `json:"kind"` // redirect, forward, transfer, replace, pickup, park
	By    string    `json:"by,omitempty"`
	To    string    `json:"to,omitempty"`
	Cause string    `json:"cause,omitempty"`
	Call  string    `json:"call,omitempty"` // Session-ID of the other call that was part of it
}

// Talked returns how long the sides were connected.
func (c *CDR) Talked() time.Duration {
	if c.Answer.IsZero() {
		return 0
	}
	return c.End.Sub(c.Answer)
}

// MOS returns how the worst stream sounded, 0 if nothing was heard.
func (c *CDR) MOS() (worst float64) {
	for _, l := range c.Legs {
		for _, s := range l.Streams {
			if s.MOS > 0 && (worst == 0 || s.MOS < worst) {
				worst = s.MOS
			}
		}
	}
	return worst
}

// accounts returns all that took part, for the column.
func (c *CDR) accounts() string {
	all := []string{c.Account, c.Final, c.Dialled}
	for _, l := range c.Legs {
		all = append(all, l.Account)
	}
	slices.Sort(all)
	all = slices.DeleteFunc(slices.Compact(all), func(a string) bool { return a == "" || strings.ContainsAny(a, " \n") })
	return " " + strings.Join(all, " ") + " "
}

// CDRFilter says which records are meant. The zero value means all.
type CDRFilter struct {
	From, To time.Time // by the start of the call: from From on, before To; zero: without limit
	Domain   string
	Account  string // that took part
	Newest   bool   // the newest first; otherwise the oldest
	Limit    int    // 0: as many as there are
}

// CDRs yields records in the order of their start. After an error it yields no more.
func (s *Store) CDRs(ctx context.Context, f CDRFilter) iter.Seq2[CDR, error] {
	return func(yield func(CDR, error) bool) {
		where, args := f.where()
		rows, err := s.db.QueryContext(ctx, "SELECT detail FROM cdrs "+where, args...)
		if err != nil {
			yield(CDR{}, fmt.Errorf("store: read call records: %w", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			c, err := scanCDR(rows)
			if !yield(c, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(CDR{}, fmt.Errorf("store: read call records: %w", err))
		}
	}
}

// where is the end of the query.
func (f *CDRFilter) where() (string, []any) {
	var conditions []string
	var args []any
	add := func(condition string, arg any) {
		args = append(args, arg)
		conditions = append(conditions, fmt.Sprintf(condition, len(args)))
	}
	if !f.From.IsZero() {
		add("start >= $%d", f.From.UnixMilli())
	}
	if !f.To.IsZero() {
		add("start < $%d", f.To.UnixMilli())
	}
	if f.Domain != "" {
		add("domain = $%d", strings.ToLower(f.Domain))
	}
	if f.Account != "" {
		add(`accounts LIKE $%d ESCAPE '\'`, "% "+strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(f.Account)+" %")
	}
	text := ""
	if len(conditions) > 0 {
		text = "WHERE " + strings.Join(conditions, " AND ")
	}
	order := " ORDER BY start, id"
	if f.Newest {
		order = " ORDER BY start DESC, id DESC"
	}
	if text += order; f.Limit > 0 {
		args = append(args, f.Limit)
		text += fmt.Sprintf(" LIMIT $%d", len(args))
	}
	return text, args
}

// CDR returns one record, or an error that wraps [ErrNotFound]. The beginning of an identifier will do if it is that of one record alone.
func (s *Store) CDR(ctx context.Context, id string) (CDR, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT detail FROM cdrs WHERE id >= $1 AND id < $2 ORDER BY id LIMIT 2", id, id+"~")
	if err != nil {
		return CDR{}, fmt.Errorf("store: read a call record: %w", err)
	}
	defer rows.Close()
	var found []CDR
	for rows.Next() {
		c, err := scanCDR(rows)
		if err != nil {
			return CDR{}, err
		}
		found = append(found, c)
	}
	if err := rows.Err(); err != nil {
		return CDR{}, fmt.Errorf("store: read a call record: %w", err)
	}
	switch {
	case id == "" || len(found) == 0:
		return CDR{}, fmt.Errorf("call record %s %w", id, ErrNotFound)
	case len(found) > 1 && found[0].ID != id:
		return CDR{}, errors.New("several call records begin with " + id + "; write more of the identifier")
	}
	return found[0], nil
}

func scanCDR(rows *sql.Rows) (c CDR, err error) {
	var detail []byte
	if err := rows.Scan(&detail); err != nil {
		return c, fmt.Errorf("store: read call records: %w", err)
	}
	if err := json.Unmarshal(detail, &c); err != nil {
		return c, fmt.Errorf("store: read call records: %w", err)
	}
	return c, nil
}

// ForgetCDRs removes the records of calls that began before a time, a part at a time so that nobody waits long for the database, and returns how many.
func (s *Store) ForgetCDRs(ctx context.Context, before time.Time) (n int, err error) {
	for {
		res, err := s.db.ExecContext(ctx, "DELETE FROM cdrs WHERE id IN (SELECT id FROM cdrs WHERE start < $1 LIMIT 1000)", before.UnixMilli())
		if err != nil {
			return n, fmt.Errorf("store: remove call records: %w", err)
		}
		gone, err := res.RowsAffected()
		if n += int(gone); gone == 0 || err != nil {
			return n, err
		}
	}
}

// cdrRow is a record as the table has it.
type cdrRow struct {
	id, domain string
	start      int64 // milliseconds since 1970
	accounts   string
	detail     string
}

// cdrRows is how many records one statement inserts: so many cost little more than one.
const cdrRows = 20

// addCDRs inserts records in one transaction. One that is there already is left as it is.
func (s *Store) addCDRs(ctx context.Context, records []cdrRow) error {
	ctx = context.WithoutCancel(ctx) // a statement that could be interrupted costs a goroutine, and this is soon over
	return s.change(ctx, func(tx *transaction) error {
		for _, n := range [...]int{cdrRows, 1} {
			fit := len(records) / n * n
			if err := insertCDRs(ctx, tx.Tx, n, records[:fit]); err != nil {
				return fmt.Errorf("store: add call records: %w", err)
			}
			records = records[fit:]
		}
		return nil
	})
}

// insertCDRs inserts records, n with each statement.
func insertCDRs(ctx context.Context, tx *sql.Tx, n int, records []cdrRow) error {
	if len(records) == 0 {
		return nil
	}
	insert, err := tx.PrepareContext(ctx, insertCDR(n))
	if err != nil {
		return err
	}
	defer insert.Close()
	args := make([]any, 0, 5*n)
	for part := range slices.Chunk(records, n) {
		args = args[:0]
		for _, r := range part {
			args = append(args, r.id, r.domain, r.start, r.accounts, r.detail)
		}
		if _, err := insert.ExecContext(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// insertCDR is the statement for n records.
func insertCDR(n int) string {
	b := []byte("INSERT INTO cdrs (id, domain, start, accounts, detail) VALUES ")
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, "($%d,$%d,$%d,$%d,$%d)", 5*i+1, 5*i+2, 5*i+3, 5*i+4, 5*i+5)
	}
	return string(append(b, " ON CONFLICT (id) DO NOTHING"...))
}
