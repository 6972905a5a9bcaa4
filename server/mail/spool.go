// The folder of the queue. A mail is two files: ID.mail holds its text and never changes, ID.json how it fares. What is not whole was never acknowledged.

package mail

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Entry is a mail in the queue, and how it fares.
type Entry struct {
	ID       string    `json:"id"`
	Domain   string    `json:"domain"`
	To       string    `json:"to"`
	Subject  string    `json:"subject"`
	Size     int       `json:"size"` // bytes
	Created  time.Time `json:"created"`
	Attempts int       `json:"attempts"`
	Next     time.Time `json:"next,omitzero"`   // when it is tried again
	Error    string    `json:"error,omitempty"` // of the last attempt
	// Unsure says that the server may have taken it: the connection or the program ended before its answer to the end of the text.
	Unsure bool `json:"unsure,omitempty"`
	Failed bool `json:"failed,omitempty"` // given up; kept so that somebody sees it
}

// spool is the folder.
type spool string

func (s spool) text(id string) string  { return filepath.Join(string(s), id+".mail") }
func (s spool) state(id string) string { return filepath.Join(string(s), id+".json") }

// put stores a mail. When it returns nil, both files and their names are on the disk.
func (s spool) put(e *Entry, text []byte) error {
	if err := os.MkdirAll(string(s), 0o700); err != nil {
		return fmt.Errorf("mail: queue: %w", err)
	}
	if err := replace(s.text(e.ID), text); err != nil {
		return err
	}
	return s.note(e)
}

// note stores how a mail fares.
func (s spool) note(e *Entry) error {
	b, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("mail: queue: %w", err)
	}
	return replace(s.state(e.ID), b)
}

// remove takes a mail out: its state first, so that what is left of it is no mail.
func (s spool) remove(id string) error {
	if err := errors.Join(os.Remove(s.state(id)), os.Remove(s.text(id))); err != nil {
		return fmt.Errorf("mail: queue: %w", err)
	}
	return syncFolder(string(s))
}

// read returns all mails, the oldest first, and removes what is left of those that were never whole.
func (s spool) read() ([]Entry, error) {
	files, err := os.ReadDir(string(s))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("mail: queue: %w", err)
	}
	var all []Entry
	for _, f := range files {
		id, isState := strings.CutSuffix(f.Name(), ".json")
		if !isState {
			continue
		}
		e, err := s.entry(id)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was sent meanwhile
		}
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(a.ID, b.ID) })
	return all, nil
}

// entry reads how a mail fares.
func (s spool) entry(id string) (e Entry, err error) {
	b, err := os.ReadFile(s.state(id))
	if err == nil {
		err = json.Unmarshal(b, &e)
	}
	if err != nil {
		return e, fmt.Errorf("mail: queue: %s: %w", id, err)
	}
	e.ID = id
	return e, nil
}

// sweep removes what a crash has left of mails that were not put in whole, or not taken out. Nobody else may use the folder.
func (s spool) sweep() error {
	files, err := os.ReadDir(string(s))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, f := range files {
		id, isText := strings.CutSuffix(f.Name(), ".mail")
		_, missing := os.Stat(s.state(id))
		if strings.HasSuffix(f.Name(), ".new") || isText && errors.Is(missing, fs.ErrNotExist) {
			err = errors.Join(err, os.Remove(filepath.Join(string(s), f.Name())))
		}
	}
	if err != nil {
		return fmt.Errorf("mail: queue: %w", err)
	}
	return nil
}

// replace writes a file in one step: after a crash it is the old one or the new one.
func replace(name string, b []byte) error {
	f, err := os.OpenFile(name+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("mail: queue: %w", err)
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(name+".new", name)
	}
	if err != nil {
		return fmt.Errorf("mail: queue: %w", errors.Join(err, ignoreMissing(os.Remove(name+".new"))))
	}
	return syncFolder(filepath.Dir(name))
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// syncFolder has the disk confirm the names in a folder.
func syncFolder(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("mail: queue: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("mail: queue: %w", err)
	}
	return nil
}
