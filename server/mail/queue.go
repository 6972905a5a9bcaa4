// The queue: mails wait on the disk until the mail server has taken them. RFC 5321 §4.5.4.1.

package mail

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// What [Queue.Put] fails with, beside failures of the disk.
var (
	// ErrNoServer: the domain has no mail server.
	ErrNoServer = errors.New("mail: no mail server is set; set one with `sipwerk mail set`")
	// ErrFull: too many mails wait.
	ErrFull = errors.New("mail: too many mails wait for the mail server")
)

const (
	maxQueued  = 10_000
	maxSenders = 8                   // domains whose mail is sent at the same time
	lifetime   = 5 * 24 * time.Hour  // after which a mail is given up: RFC 5321 §4.5.4.1
	burial     = 14 * 24 * time.Hour // after which one that was given up is removed
)

// pauses are those between attempts; the last one again and again.
var pauses = [...]time.Duration{15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour}

// Queue sends mails. Fill the exported fields before [Queue.Open], and call [Queue.Run]. Safe for use by many goroutines.
type Queue struct {
	Folder   string
	Settings func(domain string) (Settings, error) // of the mail server of a domain, asked at each attempt; the error wraps ErrNoServer if there is none
	Log      *slog.Logger
	Pauses   []time.Duration // between attempts; nil: from 15 seconds to an hour

	sent, failed, retried atomic.Uint64

	mu      sync.Mutex // guards what follows
	waiting map[string]*Entry
	busy    map[string]bool // domains whose mail is being sent
	wake    chan struct{}   // something is to be done
	sending sync.WaitGroup
}

// Counts are the figures of a queue.
type Counts struct {
	Waiting int    // mails that are still to be sent
	Failed  uint64 // given up since the start
	Sent    uint64 // taken by a mail server since the start
	Retried uint64 // attempts that failed and are repeated, since the start
}

// Open reads what a former program has left in the folder, which nobody else may use.
func (q *Queue) Open() error {
	q.waiting, q.busy, q.wake = make(map[string]*Entry), make(map[string]bool), make(chan struct{}, 1)
	if err := spool(q.Folder).sweep(); err != nil {
		return err
	}
	all, err := spool(q.Folder).read()
	if err != nil {
		return err
	}
	for i := range all {
		e := &all[i]
		q.waiting[e.ID] = e
		if e.Unsure {
			q.Log.Warn("the mail server may have this mail already; it is sent again with the same Message-ID", "mail", e.ID, "to", e.To)
		}
	}
	return nil
}

// Put stores a mail to be sent. When it returns nil, the mail with its attachment is on the disk: what it is about may be deleted.
func (q *Queue) Put(m Message) error {
	set, err := q.Settings(m.Domain)
	if err != nil {
		return err
	}
	now := time.Now()
	e := &Entry{ID: newID(now), Domain: m.Domain, To: m.To, Subject: m.Subject, Created: now, Next: now}
	text, err := m.render(set.From, e.ID, now)
	if err != nil {
		return err
	}
	e.Size = len(text)
	if q.Counts().Waiting >= maxQueued {
		return ErrFull
	}
	if err := spool(q.Folder).put(e, text); err != nil {
		return err
	}
	q.mu.Lock()
	q.waiting[e.ID] = e
	q.mu.Unlock()
	q.hurry()
	return nil
}

// hurry has Run look at the queue.
func (q *Queue) hurry() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// newID makes the name of a mail, which sorts by time and is part of its Message-ID.
func newID(now time.Time) string {
	var b [8]byte
	rand.Read(b[:])
	return now.UTC().Format("20060102150405.000") + "." + hex.EncodeToString(b[:])
}

// Counts returns the figures.
func (q *Queue) Counts() Counts {
	c := Counts{Sent: q.sent.Load(), Failed: q.failed.Load(), Retried: q.retried.Load()}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range q.waiting {
		if !e.Failed {
			c.Waiting++
		}
	}
	return c
}

// List returns what waits in a folder, the oldest first. Any program may ask.
func List(folder string) ([]Entry, error) { return spool(folder).read() }

// Run sends until ctx ends, and returns when nothing is being sent any more.
func (q *Queue) Run(ctx context.Context) {
	defer q.sending.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-q.wake:
		case <-timer.C:
		}
		timer.Reset(q.round(ctx, time.Now()))
	}
}

// round begins to send what is due, and returns when the next one is.
func (q *Queue) round(ctx context.Context, now time.Time) (wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	due := make(map[string][]*Entry)
	wait = time.Hour
	for id, e := range q.waiting {
		switch {
		case e.Failed && now.Sub(e.Created) > burial:
			delete(q.waiting, id)
			q.report(spool(q.Folder).remove(id))
		case e.Failed || q.busy[e.Domain]:
		case e.Next.After(now):
			wait = min(wait, e.Next.Sub(now))
		default:
			due[e.Domain] = append(due[e.Domain], e)
		}
	}
	for domain, mails := range due {
		if len(q.busy) >= maxSenders {
			break // the first that is done wakes us
		}
		q.busy[domain] = true
		q.sending.Go(func() { q.sendAll(ctx, domain, mails) })
	}
	return wait
}

// sendAll sends the mails of a domain one after the other. When the server cannot be talked to, the others are not tried either.
func (q *Queue) sendAll(ctx context.Context, domain string, mails []*Entry) {
	var down error
	for _, e := range mails {
		if ctx.Err() != nil {
			break
		}
		err := down
		if err == nil {
			err = q.attempt(ctx, e)
		}
		if ctx.Err() != nil && err != nil {
			break // the stop has cut it off
		}
		var f *Failure
		if !errors.As(err, &f) || f.stage < stageSender {
			down = err
		}
		q.report(q.settle(e, err))
	}
	q.mu.Lock()
	delete(q.busy, domain)
	q.mu.Unlock()
	q.hurry()
}

// attempt sends a mail once.
func (q *Queue) attempt(ctx context.Context, e *Entry) error {
	set, err := q.Settings(e.Domain)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(spool(q.Folder).text(e.ID))
	if err != nil {
		return fmt.Errorf("mail: queue: %w", err)
	}
	return set.Send(ctx, e.To, text, func() error {
		return q.change(e, func() { e.Unsure = true })
	})
}

// change changes how a mail fares, and stores it.
func (q *Queue) change(e *Entry, f func()) error {
	q.mu.Lock()
	f()
	kept := *e
	q.mu.Unlock()
	return spool(q.Folder).note(&kept)
}

// settle takes the end of an attempt: the mail is sent, or tried again, or given up.
func (q *Queue) settle(e *Entry, err error) error {
	if err == nil {
		q.sent.Add(1)
		q.Log.Info("mail sent", "mail", e.ID, "to", e.To, "attempts", e.Attempts+1)
		err := spool(q.Folder).remove(e.ID)
		q.mu.Lock()
		delete(q.waiting, e.ID)
		q.mu.Unlock()
		return err
	}
	var f *Failure
	refused := errors.As(err, &f) && f.refused
	now := time.Now()
	return q.change(e, func() {
		e.Attempts++
		e.Error, e.Next = err.Error(), now.Add(q.pause(e.Attempts))
		if refused {
			e.Unsure = false // its answer is clear
		}
		if refused || now.Sub(e.Created) > lifetime {
			e.Failed, e.Next = true, time.Time{}
			q.failed.Add(1)
			q.Log.Error("mail is given up", "mail", e.ID, "to", e.To, "attempts", e.Attempts, "err", err)
			return
		}
		q.retried.Add(1)
		q.Log.Warn("mail is not sent yet", "mail", e.ID, "to", e.To, "attempts", e.Attempts, "next", e.Next.Format(time.RFC3339), "err", err)
	})
}

// pause is how long to wait after so many attempts.
func (q *Queue) pause(attempts int) time.Duration {
	all := q.Pauses
	if all == nil {
		all = pauses[:]
	}
	return all[min(attempts, len(all))-1]
}

func (q *Queue) report(err error) {
	if err != nil {
		q.Log.Error("the mail queue cannot be written", "err", err)
	}
}
