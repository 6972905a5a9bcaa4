// Package voicemail keeps what is left in mailboxes: a row in the database and a file each, and the greetings of their owners. It is the store behind the applications of
// package pbx; the commands of the shell use it beside a running server. RFC 3842 is the matter of others: it only tells whom it concerns that a box has changed.
//
// keeper.go has the messages, tape.go the files, greeting.go the greetings.
package voicemail

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/sip"
)

// Keeper keeps messages: it is the [pbx.Messages] of a server. Set the exported fields before first use. Safe for use by many goroutines, and by several processes.
type Keeper struct {
	// Stored is told of each message that is new in a box, when it is on the disk; it may take its time.
	Stored func(m pbx.Message)
	// Changed is told of each box whose counts are others now. It must not block.
	Changed func(box string)

	store  *store.Store
	folder string // DOMAIN/ACCOUNT/ID.wav
	left   atomic.Uint64

	counting sync.Mutex // held while messages are counted

	mu     sync.Mutex // guards counts
	counts map[string]boxCount
}

type boxCount struct{ fresh, saved int }

// Open opens the messages of a data folder.
func Open(st *store.Store, data string) *Keeper {
	return &Keeper{store: st, folder: filepath.Join(data, "voicemail"), Stored: func(pbx.Message) {}, Changed: func(string) {}}
}

// Left returns how many messages were left, forwarded ones included.
func (v *Keeper) Left() uint64 { return v.left.Load() }

// BoxName is the name of the box of an account.
func BoxName(domain, account string) string {
	uri := sip.URI{Scheme: "sip", User: account, Host: domain}
	return uri.AOR()
}

// AccountOf is the account of a box.
func AccountOf(name string) (domain, account string) {
	uri, _ := sip.ParseURI(name) // ours
	return uri.Host, uri.UserName()
}

// File returns the recording of a message.
func (v *Keeper) File(m *store.Voicemail) string {
	return filepath.Join(v.folder, m.Domain, m.Account, m.ID+".wav")
}

// message is a row as the application sees it.
func (v *Keeper) message(m *store.Voicemail) pbx.Message {
	return pbx.Message{ID: m.ID, Box: BoxName(m.Domain, m.Account), From: m.Caller, FromName: m.CallerName, Received: m.Received, Length: m.Length,
		Saved: m.State == store.VoicemailSaved, Forwarded: m.Forwarded, File: v.File(m)}
}

// row is the row of a message.
func row(m *pbx.Message, state store.VoicemailState) store.Voicemail {
	domain, account := AccountOf(m.Box)
	return store.Voicemail{ID: m.ID, Domain: domain, Account: account, State: state, Caller: m.From, CallerName: m.FromName, Forwarded: m.Forwarded,
		Received: m.Received, Length: m.Length}
}

// newVoicemailID names a message by its time, and by chance.
func newVoicemailID(at time.Time) string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	return at.UTC().Format("20060102-150405-") + hex.EncodeToString(b[:])
}

// Record implements [pbx.Messages]. The row comes first: what is spoken before the program dies is found again by it.
func (v *Keeper) Record(ctx context.Context, m pbx.Message, rate int) (pbx.Take, error) {
	m.ID = newVoicemailID(m.Received)
	r := row(&m, store.VoicemailRecording)
	if err := v.store.AddVoicemail(ctx, r); err != nil {
		return nil, err
	}
	m.File = v.File(&r)
	f, err := newTape(m.File, rate)
	if err != nil {
		return nil, errors.Join(err, v.remove(ctx, r))
	}
	return &messageTake{tape: f, keeper: v, message: m}, nil
}

// messageTake is a message that is being spoken.
type messageTake struct {
	*tape
	keeper  *Keeper
	message pbx.Message
	kept    bool
}

// Keep implements [pbx.Take].
func (t *messageTake) Keep(ctx context.Context, length time.Duration) error {
	if err := t.finish(); err != nil {
		return err
	}
	t.message.Length = length
	if err := t.keeper.store.SetVoicemail(ctx, row(&t.message, store.VoicemailNew)); err != nil {
		return err
	}
	t.kept = true
	return t.keeper.arrived(ctx, t.message)
}

// Drop implements [pbx.Take].
func (t *messageTake) Drop() {
	if t.kept {
		return
	}
	t.close()
	_ = t.keeper.remove(context.Background(), row(&t.message, store.VoicemailRecording)) // the next start removes what is left
}

// remove removes a message: the row first, for a file without one is removed by the next start.
func (v *Keeper) remove(ctx context.Context, m store.Voicemail) error {
	if _, err := v.store.RemoveVoicemails(ctx, m.Domain, m.Account, m.ID); err != nil {
		return err
	}
	if err := os.Remove(v.File(&m)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("voicemail: remove voicemail: %w", err)
	}
	return nil
}

// arrived counts a new message, and tells of it.
func (v *Keeper) arrived(ctx context.Context, m pbx.Message) error {
	v.left.Add(1)
	err := v.Recount(ctx, m.Box)
	v.Stored(m)
	return err
}

// Count implements [pbx.Messages].
func (v *Keeper) Count(box string) (fresh, saved int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	c := v.counts[box]
	return c.fresh, c.saved
}

// Recount counts the messages of a box anew, or, with "", those of all: another process may have removed some.
func (v *Keeper) Recount(ctx context.Context, box string) error {
	v.counting.Lock() // who counts last has seen the latest
	defer v.counting.Unlock()
	domain, account := "", ""
	if box != "" {
		domain, account = AccountOf(box)
	}
	all, err := v.store.CountVoicemails(ctx, domain, account)
	if err != nil {
		return err
	}
	counts := make(map[string]boxCount, len(all))
	for _, c := range all {
		counts[BoxName(c.Domain, c.Account)] = boxCount{c.New, c.Saved}
	}
	for _, changed := range v.counted(box, counts) {
		v.Changed(changed)
	}
	return nil
}

// counted takes the counts of a box, or of all, and returns the boxes where they are others than before.
func (v *Keeper) counted(box string, counts map[string]boxCount) (changed []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.counts == nil {
		v.counts = make(map[string]boxCount)
	}
	for name, before := range v.counts {
		if (box == "" || box == name) && counts[name] != before {
			changed = append(changed, name)
			v.counts[name] = counts[name]
		}
	}
	for name, c := range counts {
		if _, known := v.counts[name]; !known {
			changed = append(changed, name)
			v.counts[name] = c
		}
	}
	return changed
}

// Totals are the messages of all boxes.
func (v *Keeper) Totals() (fresh, saved int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range v.counts {
		fresh, saved = fresh+c.fresh, saved+c.saved
	}
	return fresh, saved
}

// List implements [pbx.Messages].
func (v *Keeper) List(ctx context.Context, box string) ([]pbx.Message, error) {
	domain, account := AccountOf(box)
	rows, err := v.Rows(ctx, domain, account)
	if err != nil {
		return nil, err
	}
	ms := make([]pbx.Message, len(rows))
	for i := range rows {
		ms[i] = v.message(&rows[i])
	}
	return ms, nil
}

// Rows returns the messages of the box of an account, or of all boxes of the domain, the oldest first; those that are being spoken are left out.
func (v *Keeper) Rows(ctx context.Context, domain, account string) ([]store.Voicemail, error) {
	all, err := v.store.Voicemails(ctx, domain, account)
	rows := all[:0]
	for _, m := range all {
		if m.State != store.VoicemailRecording {
			rows = append(rows, m)
		}
	}
	return rows, err
}

// Save implements [pbx.Messages].
func (v *Keeper) Save(ctx context.Context, m pbx.Message) error {
	if err := v.store.SetVoicemail(ctx, row(&m, store.VoicemailSaved)); err != nil {
		return err
	}
	return v.Recount(ctx, m.Box)
}

// Remove implements [pbx.Messages].
func (v *Keeper) Remove(ctx context.Context, box string, ids ...string) error {
	domain, account := AccountOf(box)
	rows, err := v.Rows(ctx, domain, account)
	for _, m := range rows {
		for _, id := range ids {
			if m.ID == id {
				err = errors.Join(err, v.remove(ctx, m))
			}
		}
	}
	return errors.Join(err, v.Recount(ctx, box))
}

// Forward implements [pbx.Messages].
func (v *Keeper) Forward(ctx context.Context, m pbx.Message, to *pbx.Box, by string) error {
	from, err := os.Open(m.File)
	if err != nil {
		return fmt.Errorf("voicemail: forward voicemail: %w", err)
	}
	defer from.Close()
	r, err := audio.NewWAVReader(from)
	if err != nil {
		return fmt.Errorf("voicemail: forward voicemail: %w", err)
	}
	m.Box, m.Forwarded, m.Saved = to.Name(), by, false
	take, err := v.Record(ctx, m, r.Rate())
	if err != nil {
		return err
	}
	defer take.Drop()
	if err := copySamples(take, r); err != nil {
		return fmt.Errorf("voicemail: forward voicemail: %w", err)
	}
	return take.Keep(ctx, m.Length)
}

// copySamples writes all of a source.
func copySamples(to pbx.Recorder, from audio.Source) error {
	pcm := make([]int16, 4096)
	for {
		n, err := from.ReadSamples(pcm)
		if n > 0 {
			if err := to.WriteSamples(pcm[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Recover finds what the last process left: messages that were being spoken when it died are kept as far as they came, and files without a message go.
func (v *Keeper) Recover(ctx context.Context) error {
	rows, err := v.store.Voicemails(ctx, "", "")
	if err != nil {
		return err
	}
	known := make(map[string]bool, len(rows))
	for i := range rows {
		known[v.File(&rows[i])] = true
		if rows[i].State == store.VoicemailRecording {
			err = errors.Join(err, v.salvage(ctx, rows[i]))
		}
	}
	return errors.Join(err, filepath.WalkDir(v.folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil || d.IsDir() || known[path] || !messageFile(v.folder, path):
			return err
		}
		return os.Remove(path)
	}), v.Recount(ctx, ""))
}

// messageFile reports whether a path is that of a message: DOMAIN/ACCOUNT/ID.wav.
func messageFile(folder, path string) bool {
	name, err := filepath.Rel(folder, path)
	return err == nil && strings.Count(filepath.ToSlash(name), "/") == 2 && strings.HasSuffix(name, ".wav")
}

// leastSalvaged is the shortest message that is worth keeping.
const leastSalvaged = time.Second

// salvage keeps a message whose end nobody has written.
func (v *Keeper) salvage(ctx context.Context, m store.Voicemail) error {
	length, err := mendTape(v.File(&m))
	if err != nil || length < leastSalvaged {
		return v.remove(ctx, m) // nothing was spoken
	}
	m.Length, m.State = length, store.VoicemailNew
	return v.store.SetVoicemail(ctx, m)
}
