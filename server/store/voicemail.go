// Voicemail: a row for each message. The recording is a file of the one who keeps it.

package store

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// VoicemailState is how far a message has come.
type VoicemailState string

// The states.
const (
	VoicemailRecording VoicemailState = "recording" // its caller speaks
	VoicemailNew       VoicemailState = "new"
	VoicemailSaved     VoicemailState = "saved" // it was heard
)

// Voicemail is one message in the box of an account.
type Voicemail struct {
	ID         string         `json:"id"`
	Domain     string         `json:"domain"`
	Account    string         `json:"account"`
	State      VoicemailState `json:"state"`
	Caller     string         `json:"caller"` // as one would dial it; "" for somebody anonymous
	CallerName string         `json:"caller_name"`
	Forwarded  string         `json:"forwarded,omitempty"` // the account that has sent it on
	Received   time.Time      `json:"received"`
	Length     time.Duration  `json:"-"`
}

// VoicemailCount is how many messages are in a box.
type VoicemailCount struct {
	Domain, Account string
	New, Saved      int
}

// voicemailKind is the kind under which changes of a box are noted: whoever follows the log looks again.
const voicemailKind = "voicemail"

// AddVoicemail adds a message.
func (s *Store) AddVoicemail(ctx context.Context, v Voicemail) error {
	return s.change(ctx, func(tx *transaction) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO voicemails (id, domain, account, state, caller, caller_name, forwarded, received, length)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, v.ID, v.Domain, v.Account, string(v.State), v.Caller, v.CallerName, v.Forwarded,
			v.Received.UnixMilli(), v.Length.Milliseconds()); err != nil {
			return fmt.Errorf("store: add voicemail: %w", err)
		}
		tx.noteObject(v.Domain, voicemailKind, v.Account)
		return nil
	})
}

// SetVoicemail gives a message another state and length, or fails with [ErrNotFound].
func (s *Store) SetVoicemail(ctx context.Context, v Voicemail) error {
	return s.change(ctx, func(tx *transaction) error {
		res, err := tx.ExecContext(ctx, "UPDATE voicemails SET state = $2, length = $3 WHERE id = $1", v.ID, string(v.State), v.Length.Milliseconds())
		if err != nil {
			return fmt.Errorf("store: set voicemail: %w", err)
		}
		if err := oneRow(res, fmt.Errorf("voicemail %s %w", v.ID, ErrNotFound)); err != nil {
			return err
		}
		tx.noteObject(v.Domain, voicemailKind, v.Account)
		return nil
	})
}

// RemoveVoicemails removes messages of a box and returns how many there were.
func (s *Store) RemoveVoicemails(ctx context.Context, domain, account string, ids ...string) (removed int, err error) {
	domain = strings.ToLower(domain)
	err = s.change(ctx, func(tx *transaction) error {
		removed = 0
		for _, id := range ids {
			res, err := tx.ExecContext(ctx, "DELETE FROM voicemails WHERE id = $1 AND domain = $2 AND account = $3", id, domain, account)
			if err != nil {
				return fmt.Errorf("store: remove voicemail: %w", err)
			}
			n, err := res.RowsAffected()
			if err != nil {
				return fmt.Errorf("store: remove voicemail: %w", err)
			}
			removed += int(n)
		}
		tx.noteObject(domain, voicemailKind, account)
		return nil
	})
	return removed, err
}

// Voicemails returns the messages of a box, the oldest first; with account "" those of all boxes of the domain, with domain "" those of all.
func (s *Store) Voicemails(ctx context.Context, domain, account string) ([]Voicemail, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, domain, account, state, caller, caller_name, forwarded, received, length FROM voicemails
		WHERE ($1 = '' OR domain = $1) AND ($2 = '' OR account = $2) ORDER BY domain, account, received, id`, strings.ToLower(domain), account)
	if err != nil {
		return nil, fmt.Errorf("store: read voicemails: %w", err)
	}
	defer rows.Close()
	var all []Voicemail
	for rows.Next() {
		var v Voicemail
		var received, length int64
		if err := rows.Scan(&v.ID, &v.Domain, &v.Account, &v.State, &v.Caller, &v.CallerName, &v.Forwarded, &received, &length); err != nil {
			return nil, fmt.Errorf("store: read voicemails: %w", err)
		}
		v.Received, v.Length = time.UnixMilli(received), time.Duration(length)*time.Millisecond
		all = append(all, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("store: read voicemails: %w", err)
	}
	return all, nil
}

// CountVoicemails counts the messages of the boxes that have any: of one account, or, with account "", of all domains.
func (s *Store) CountVoicemails(ctx context.Context, domain, account string) ([]VoicemailCount, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT domain, account, sum(CASE state WHEN 'new' THEN 1 ELSE 0 END), sum(CASE state WHEN 'saved' THEN 1 ELSE 0 END) FROM voicemails
		WHERE $2 = '' OR domain = $1 AND account = $2 GROUP BY domain, account`, domain, account)
	if err != nil {
		return nil, fmt.Errorf("store: count voicemails: %w", err)
	}
	defer rows.Close()
	var all []VoicemailCount
	for rows.Next() {
		var c VoicemailCount
		if err := rows.Scan(&c.Domain, &c.Account, &c.New, &c.Saved); err != nil {
			return nil, fmt.Errorf("store: count voicemails: %w", err)
		}
		all = append(all, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("store: count voicemails: %w", err)
	}
	return all, nil
}
