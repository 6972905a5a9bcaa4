package server

import (
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/server/config"
)

// writes are the messages of each Write.
type writes struct {
	mu  sync.Mutex // guards what follows
	all [][]string
}

func (w *writes) Write(b []byte) (int, error) {
	var messages []string
	for line := range strings.Lines(string(b)) {
		_, rest, ok := strings.Cut(line, "msg=")
		if !ok || !strings.HasSuffix(line, "\n") {
			return 0, errors.New("not a line: " + line)
		}
		messages = append(messages, strings.Fields(rest)[0])
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, messages)
	return len(b), nil
}

// take returns what was written since it was asked last: messages of one Write with blanks between them, Writes with bars.
func (w *writes) take() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, one := range w.all {
		all = append(all, strings.Join(one, " "))
	}
	w.all = nil
	return strings.Join(all, "|")
}

// TestLogPatience: lines that may wait leave together, soon, and never behind a later one that may not.
func TestLogPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out writes
		log := NewLog(config.Log{Level: "info", Format: "text"}, &out)
		slow := patient(log).With("a", 1)
		check := func(want string) {
			t.Helper()
			if got := out.take(); got != want {
				t.Errorf("written %q, want %q", got, want)
			}
		}
		slow.Info("a")
		slow.Info("b")
		slow.Debug("below")
		check("")
		time.Sleep(spoolTime)
		synctest.Wait()
		check("a b")
		slow.Info("c")
		log.Info("d")
		log.WithGroup("g").Info("e")
		check("c d|e")
		time.Sleep(2 * spoolTime)
		synctest.Wait()
		check("")
		slow.Info("f", "long", strings.Repeat("x", maxSpool))
		check("f")
	})
	if log := slog.New(slog.DiscardHandler); patient(log) != log {
		t.Error("a log of others is changed")
	}
}
