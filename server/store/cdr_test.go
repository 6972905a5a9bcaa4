// What the way of call records promises: none is lost with the process, none is there twice, and each is found.

package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// noon is when the first call of the tests begins.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// sampleCDR is call number i, an hour apart, from account 200 to account 30i.
func sampleCDR(i int) CDR {
	start := noon.Add(time.Duration(i) * time.Hour)
	to := fmt.Sprint(300 + i)
	return CDR{ID: fmt.Sprintf("%04d", i), Domain: domain, CallID: fmt.Sprint("call-", i), From: "sip:200@example.org", To: "sip:" + to + "@example.org", Dialled: to, Account: "200", Final: to,
		Start: start, Answer: start.Add(time.Second), End: start.Add(time.Minute), Status: 200, Cause: 16, By: "caller",
		Legs: []CDRLeg{{Side: "caller", Start: start, Status: 200}, {Side: "callee", Account: to, Start: start, Status: 200, Codec: "PCMA", Streams: []CDRStream{{Packets: 50, MOS: 4.4}}}}}
}

func openCDRs(t *testing.T, s *Store, dir string) *CDRJournal {
	t.Helper()
	j, err := s.OpenCDRs(t.Context(), dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// ids returns the identifiers of the records that a filter means.
func ids(t *testing.T, s *Store, f CDRFilter) string {
	t.Helper()
	var all []string
	for c, err := range s.CDRs(t.Context(), f) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c.ID)
	}
	return strings.Join(all, " ")
}

// TestCDRJournalCrash: what was written is there after a crash at any point of the way, once; a record that was cut off costs no other.
func TestCDRJournalCrash(t *testing.T) {
	s, dir := open(t)
	j := openCDRs(t, s, dir)
	for i := range 3 {
		c := sampleCDR(i)
		j.Add(&c)
	}
	j.Write()
	if n := j.Waiting(); n != 0 {
		t.Errorf("%d bytes wait after Write", n)
	}
	name := j.file.Name()
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	j.file.Close() // the process is gone

	// Torn in the middle of the third record.
	if err := os.WriteFile(name, whole[:len(whole)-10], 0o600); err != nil {
		t.Fatal(err)
	}
	j = openCDRs(t, s, dir)
	if got := ids(t, s, CDRFilter{}); got != "0000 0001" {
		t.Errorf("after a torn write there are %q", got)
	}
	j.file.Close()

	// Moved into the database, and killed before the file was removed.
	if err := os.WriteFile(name, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	j = openCDRs(t, s, dir)
	if got := ids(t, s, CDRFilter{}); got != "0000 0001 0002" {
		t.Errorf("after a second move there are %q", got)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "cdrs")); err != nil || len(left) > 0 {
		t.Errorf("%d files are left (%v)", len(left), err)
	}
}

// TestCDRJournalDisk: while the disk takes nothing, records wait in memory, and nobody waits for them.
func TestCDRJournalDisk(t *testing.T) {
	s, dir := open(t)
	j := openCDRs(t, s, dir)
	good := j.file
	bad, err := os.Open(good.Name())
	if err != nil {
		t.Fatal(err)
	}
	j.file = bad
	c := sampleCDR(0)
	j.Add(&c)
	j.Write()
	if j.Waiting() == 0 {
		t.Fatal("a write that failed counts as written")
	}
	c = sampleCDR(1)
	j.Add(&c)
	j.Write()
	j.file = good
	bad.Close()
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	if got := ids(t, s, CDRFilter{}); got != "0000 0001" {
		t.Errorf("there are %q", got)
	}
}

// TestCDRJournalFull: memory for records that the disk does not take has an end.
func TestCDRJournalFull(t *testing.T) {
	s, dir := open(t)
	j := openCDRs(t, s, dir)
	defer j.Close()
	c := sampleCDR(0)
	c.Error = strings.Repeat("x", maxCDR/2)
	for range 2 * maxWaiting / (maxCDR / 2) {
		j.Add(&c)
	}
	if j.Lost() == 0 || j.Waiting() > maxWaiting+maxCDR {
		t.Errorf("%d lost, %d bytes wait", j.Lost(), j.Waiting())
	}
}

// TestCDRJournalRun: a running journal brings records into the database by itself.
func TestCDRJournalRun(t *testing.T) {
	s, dir := open(t)
	j := openCDRs(t, s, dir)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { j.Run(ctx); close(ended) }()
	c := sampleCDR(7)
	j.Add(&c)
	j.Write()
	deadline := time.After(time.Minute)
	for {
		got, err := s.CDR(t.Context(), c.ID)
		if err == nil {
			if diff := cmp.Diff(c, got); diff != "" {
				t.Error(diff)
			}
			break
		}
		select {
		case <-deadline:
			t.Fatal(err)
		case <-time.After(20 * time.Millisecond):
		}
	}
	stop()
	<-ended
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}

func TestCDRs(t *testing.T) {
	s, dir := open(t)
	j := openCDRs(t, s, dir)
	for i := range 5 {
		c := sampleCDR(i)
		if i == 4 {
			c.Domain, c.Account = "example.net", "20%"
		}
		j.Add(&c)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		f    CDRFilter
		want string
	}{
		{"all", CDRFilter{}, "0000 0001 0002 0003 0004"},
		{"newest", CDRFilter{Newest: true, Limit: 2}, "0004 0003"},
		{"from", CDRFilter{From: noon.Add(3 * time.Hour)}, "0003 0004"},
		{"to", CDRFilter{To: noon.Add(time.Hour)}, "0000"},
		{"domain", CDRFilter{Domain: "Example.org", From: noon.Add(2 * time.Hour)}, "0002 0003"},
		{"caller", CDRFilter{Account: "200"}, "0000 0001 0002 0003"},
		{"callee", CDRFilter{Account: "302"}, "0002"},
		{"part of a name", CDRFilter{Account: "30"}, ""},
		{"no pattern", CDRFilter{Account: "20%"}, "0004"},
		{"no pattern either", CDRFilter{Account: "30_"}, ""},
	} {
		if got := ids(t, s, c.f); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if _, err := s.CDR(t.Context(), "0009"); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown record: %v", err)
	}
	if _, err := s.CDR(t.Context(), "00"); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("beginning of several records: %v", err)
	}
	if c, err := s.CDR(t.Context(), "0003"); err != nil || c.Talked() != 59*time.Second || c.MOS() != 4.4 {
		t.Errorf("%+v %v", c, err)
	}
	if n, err := s.ForgetCDRs(t.Context(), noon.Add(3*time.Hour)); n != 3 || err != nil {
		t.Errorf("%d forgotten, %v", n, err)
	}
	if got := ids(t, s, CDRFilter{}); got != "0003 0004" {
		t.Errorf("left are %q", got)
	}
}

// FuzzCDRFrames: a file that a crash or a fault of the disk has left is read as far as it is whole.
func FuzzCDRFrames(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{5, 0, 0, 0, 1, 2, 3, 4, 'a', '\n', 'b', '\n', '1'})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		records, rest := cdrFrames(b)
		if len(rest) > len(b) || len(records)*cdrHead > len(b) {
			t.Errorf("%d records and %d bytes of %d", len(records), len(rest), len(b))
		}
	})
}

// BenchmarkCDRAdd is what a call pays for its record.
func BenchmarkCDRAdd(b *testing.B) {
	dir := b.TempDir()
	s, err := Open(b.Context(), dir)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	j, err := s.OpenCDRs(b.Context(), dir, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	c := sampleCDR(1)
	b.ReportAllocs()
	for b.Loop() {
		j.Add(&c)
		j.Write()
	}
}
