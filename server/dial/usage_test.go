package dial

import (
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/internal/journal"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/service/dialplan"
	"github.com/sipwerk/sipwerk/sip"
)

// open is a meter with a file that keeps what accounts have used, some time after midnight.
func open(t *testing.T, file string) *Meter {
	time.Sleep(time.Hour)
	m := NewMeter(&Refusals{Log: slog.New(slog.DiscardHandler)})
	if err := m.Open(file); err != nil {
		t.Fatal(err)
	}
	return m
}

// talk is a call that has lasted a minute, and its end is written.
func talk(m *Meter, account string) {
	call := m.Toll("example.org", &dialplan.Out{Payer: account}).(b2bua.Meter)
	call.Begin()
	call.Answered(b2bua.Talk{})
	call.End(sip.StatusOK, time.Minute)
	m.Write()
}

// kept says what an account has used as its file says.
func kept(t *testing.T, file, account string) (seconds float64) {
	t.Helper()
	if err := journal.Read(file, func(e entry) {
		if e.Account == account {
			seconds = max(seconds, e.Seconds)
		}
	}); err != nil {
		t.Fatal(err)
	}
	return seconds
}

// TestUsageLost: what could not be written is written again soon, or at the end, although nobody calls any more.
func TestUsageLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "minutes")
		m := open(t, file)
		broken := func() {
			if err := m.journal.Close(); err != nil {
				t.Fatal(err)
			}
		}
		broken()
		talk(m, "alice")
		time.Sleep(keepInterval + time.Second)
		synctest.Wait()
		if got := kept(t, file, "alice"); got != 60 {
			t.Errorf("%v seconds are kept", got)
		}
		broken()
		talk(m, "bob")
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		if got := kept(t, file, "bob"); got != 60 {
			t.Errorf("%v seconds are kept at the end", got)
		}
	})
}

// TestUsageRenewed: what is written while the file is written anew is in the new one.
func TestUsageRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "minutes")
		m := open(t, file)
		talk(m, "alice")
		m.lost = true
		if !m.begin() {
			t.Fatal("the file is not written anew")
		}
		fresh, err := journal.Prepare(file, m.everybody)
		talk(m, "bob")
		if got := kept(t, file, "bob"); got != 60 {
			t.Errorf("%v seconds are in the old file", got)
		}
		if err := m.replace(fresh, err); err != nil || m.begin() {
			t.Errorf("replaced: %v", err)
		}
		talk(m, "carol")
		for _, account := range []string{"alice", "bob", "carol"} {
			if got := kept(t, file, account); got != 60 {
				t.Errorf("%s: %v seconds are in the new file", account, got)
			}
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
}
