// Which calls are recorded, why, and into which files.

package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec/opus"
	"github.com/sipwerk/sipwerk/media/prompt"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
)

// How those who are recorded are told.
const (
	announcePrompt = "prompt"
	announceBeep   = "beep"
)

// recorder implements [b2bua.Recorder] by the settings of accounts and the rules of their domain.
type recorder struct {
	server *Server
	book   *prompt.Book
	nobody object.Account // what is set for those who are no account of the domain; never changed
}

// tapes says how calls and conferences are recorded.
type tapes struct {
	library *opus.Library
	log     *slog.Logger
	said    sync.Once // that libopus is missing
}

// encoding is that of the recordings of a domain: WAV where it is not told otherwise, and where libopus is missing.
func (t *tapes) encoding(set *object.Settings) audio.Encoding {
	if set.DialPlan().Recordings != object.RecordOpus {
		return audio.Encoding{}
	}
	if !t.library.Speaks() {
		t.said.Do(func() { t.log.Warn("recordings are WAV files, not Opus: libopus is missing", "domain", set.Domain) })
		return audio.Encoding{}
	}
	return audio.Encoding{Opus: t.library.File}
}

// Record implements [b2bua.Recorder]. A call that an application has taken is none between people, and has a recording of its own if it needs one.
func (r *recorder) Record(d *b2bua.Detail, by b2bua.Side) b2bua.Recording {
	home := d.Callee
	if home.Host == "" {
		home = d.Caller
	}
	if home.Host == "" || d.Callee.Host == "" && d.Trunks[1] == "" {
		return b2bua.Recording{}
	}
	set := r.server.directory.Settings(home.Host)
	sides := [2]*object.Account{r.account(set, d.Caller), r.account(set, d.Callee)}
	wanted, announce := byRule(set, d)
	demand := sides[0].Record == "on-demand" || sides[1].Record == "on-demand"
	switch {
	case by == b2bua.ByCaller || by == b2bua.ByCallee:
		wanted = sides[by-b2bua.ByCaller].Record == "on-demand"
	case sides[0].Record == "always" || sides[1].Record == "always":
		wanted = true
	}
	if !wanted {
		return b2bua.Recording{OnDemand: demand}
	}
	encoding := r.server.tapes.encoding(set)
	file := recordingName(d, time.Now()) + encoding.Ending()
	return b2bua.Recording{
		File: file, OnDemand: demand, Announce: r.announcement(set.DialPlan().Language, announce),
		Open: func(rate int) (audio.StereoWriter, error) {
			return encoding.Create(filepath.Join(r.server.recordings(), file), rate, 2)
		},
		Done: r.done,
	}
}

// account are the settings of a side; those of who is no account of the domain say nothing.
func (r *recorder) account(set *object.Settings, uri sip.URI) *object.Account {
	if uri.Host != set.Domain {
		return &r.nobody
	}
	a, _ := set.Account(uri.UserName())
	return a
}

// byRule reports whether a rule wants the call, and how it is announced: that says the first rule that wants it, and otherwise the prompt.
func byRule(set *object.Settings, d *b2bua.Detail) (wanted bool, announce string) {
	if len(set.Recordings) == 0 {
		return false, announcePrompt
	}
	for _, name := range slices.Sorted(maps.Keys(set.Recordings)) {
		rule := set.Recordings[name]
		if !rule.Enabled || rule.Trunk != "" && rule.Trunk != d.Trunks[0] && rule.Trunk != d.Trunks[1] {
			continue
		}
		for i, direction := range [...]string{"out", "in"} {
			if rule.Direction != "both" && rule.Direction != direction {
				continue
			}
			uri := [...]sip.URI{d.Caller, d.Callee}[i]
			if uri.Host == set.Domain && (len(rule.Accounts) == 0 || slices.Contains(rule.Accounts, uri.UserName())) {
				return true, rule.Announce
			}
		}
	}
	return false, announcePrompt
}

// announcement is what both sides hear; nil for nothing.
func (r *recorder) announcement(language, how string) session.Music {
	switch how {
	case announcePrompt:
		return func(rate int) (audio.Source, error) {
			var pcm []int16
			for _, piece := range r.book.Say(language, rate, prompt.Text("recorded")) {
				said, err := audio.ReadAll(piece, 60*rate)
				if err != nil {
					return nil, err
				}
				pcm = append(pcm, said...)
			}
			return &audio.Samples{PCM: append(pcm, beep(rate)...)}, nil
		}
	case announceBeep:
		return func(rate int) (audio.Source, error) { return &audio.Samples{PCM: beep(rate)}, nil }
	}
	return nil
}

// beep is a short tone.
func beep(rate int) []int16 {
	tone := &audio.Tone{Rate: rate, Frequencies: []float64{1400}, Amplitude: 6000}
	pcm := make([]int16, rate/4)
	_, _ = tone.ReadSamples(pcm) // it has no end and no error
	return pcm
}

// recordingName names the file of a recording after its time and both sides, without its ending.
func recordingName(d *b2bua.Detail, now time.Time) string {
	to := ""
	if uri, err := sip.ParseURI(d.To); err == nil {
		to = uri.UserName()
	}
	from := ""
	if uri, err := sip.ParseURI(d.From); err == nil {
		from = uri.UserName()
	}
	id := newCDRID(now)
	return now.Format("20060102-150405") + "-" + fileWord(from) + "-" + fileWord(to) + "-" + id[len(id)-8:]
}

// fileWord leaves of a name what every file system takes.
func fileWord(s string) string {
	s = strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '+' {
			return c
		}
		return '_'
	}, s)
	return s[:min(len(s), 40)]
}

// done closes a file and says what became of it.
func (r *recorder) done(file string, closing func() error) {
	r.server.running.Go(func() {
		if err := closing(); err != nil {
			r.server.log.Error("a recording is not whole", "file", file, "err", err)
			return
		}
		r.server.log.Info("call recorded", "file", file)
	})
}

// Recorded is a file in the folder of recordings, with the call that it is of, if there is a record of that.
type Recorded struct {
	File  string     `json:"file"`
	Size  int64      `json:"size"` // bytes
	Ended time.Time  `json:"ended"`
	Call  *store.CDR `json:"call,omitempty"`
}

// Recordings returns the recordings in a data folder, the oldest first.
func Recordings(ctx context.Context, st *store.Store, data string) ([]Recorded, error) {
	entries, err := os.ReadDir(RecordingFolder(data))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("recordings: %w", err)
	}
	var all []Recorded
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			all = append(all, Recorded{File: e.Name(), Size: info.Size(), Ended: info.ModTime()})
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	slices.SortFunc(all, func(a, b Recorded) int { return a.Ended.Compare(b.Ended) })
	calls := make(map[string]*store.CDR)
	for c, err := range st.CDRs(ctx, store.CDRFilter{From: all[0].Ended.Add(-24 * time.Hour)}) {
		if err != nil {
			return nil, err
		}
		for _, file := range c.Recordings {
			calls[file] = &c
		}
	}
	for i := range all {
		all[i].Call = calls[all[i].File]
	}
	return all, nil
}
