// Call records of a whole server: what is told of a call that was answered, and of one that was not.

package server

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/phone"
	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
)

// TestCauses: RFC 3398 §8.2.6.1, and what knows better: RFC 3326 §2, RFC 6432 §4.
func TestCauses(t *testing.T) {
	for _, c := range []struct {
		status sip.Status
		reason string
		want   int
	}{
		{200, "", 16}, {400, "", 41}, {401, "", 21}, {402, "", 21}, {403, "", 21}, {404, "", 1}, {405, "", 63}, {406, "", 79}, {407, "", 21}, {408, "", 102}, {410, "", 22}, {413, "", 127},
		{414, "", 127}, {415, "", 79}, {416, "", 127}, {420, "", 127}, {421, "", 127}, {423, "", 127}, {480, "", 18}, {481, "", 41}, {482, "", 25}, {483, "", 25}, {484, "", 28}, {485, "", 1},
		{486, "", 17}, {487, "", 16}, {488, "", 88}, {500, "", 41}, {501, "", 79}, {502, "", 38}, {503, "", 41}, {504, "", 102}, {505, "", 127}, {513, "", 127}, {600, "", 17}, {603, "", 21},
		{604, "", 1}, {606, "", 88},
		{480, `Q.850;cause=20;text="Subscriber absent"`, 20},
		{200, `SIP;cause=200;text="x", q.850;cause=31`, 31},
		{200, noSound, 102},
		{486, `Q.850;cause=999`, 17},
		{486, `;;`, 17},
	} {
		if got := q850(c.status, c.reason); got != c.want {
			t.Errorf("%d %s: %d, want %d", c.status, c.reason, got, c.want)
		}
	}
}

// noSound is the Reason of a call that was ended for its silence.
const noSound = `SIP;cause=408;text="No media"`

// waitForRecords returns the records of a server, the oldest first, when there are so many.
func waitForRecords(t *testing.T, s *Server, n int) []store.CDR {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		var all []store.CDR
		for c, err := range s.Store.CDRs(t.Context(), store.CDRFilter{}) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, c)
		}
		if len(all) >= n {
			return all
		}
		select {
		case <-deadline:
			t.Fatalf("%d records, want %d", len(all), n)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestRecords(t *testing.T) {
	s := start(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	alice := telephone(t, s, "alice", "udp")
	if _, err := alice.Dial(ctx, "sip:bob@example.org"); sip.StatusOf(err) != sip.StatusTemporarilyUnavailable {
		t.Fatal(err)
	}
	bob := answering(t, s, ctx)
	call, err := alice.Dial(ctx, "sip:bob@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if !comesBack(ctx, call) {
		t.Error("no sound")
	}
	call.Hangup()
	cancel()
	if err := <-bob; err != nil && !errors.Is(err, sip.ErrClosed) {
		t.Error(err)
	}
	all := waitForRecords(t, s, 2)
	if c := all[0]; c.Status != 480 || c.Cause != 18 || c.By != "system" || c.Account != "alice" || c.Dialled != "bob" || c.Domain != "example.org" || !c.Answer.IsZero() || len(c.Legs) != 1 {
		t.Errorf("nobody there: %+v", c)
	}
	c := all[1]
	if c.Status != 200 || c.Cause != 16 || c.By != "caller" || c.Final != "bob" || c.Talked() <= 0 || c.Transcoded || c.SessionID == "" || len(c.Legs) != 2 {
		t.Fatalf("answered: %+v", c)
	}
	for i, l := range c.Legs {
		if l.Side != [...]string{"caller", "callee"}[i] || l.Codec != "PCMA" || len(l.Streams) != 1 || l.Streams[0].Packets == 0 || l.Streams[0].MOS < 3 {
			t.Errorf("leg %+v", l)
		}
	}
	if c.Legs[1].Account != "bob" || c.Legs[1].Target == "" {
		t.Errorf("callee %+v", c.Legs[1])
	}
}

// TestRecordsOfApplications: a call to a feature number leaves a record and a line in the log, too.
func TestRecordsOfApplications(t *testing.T) {
	var out bytes.Buffer
	s := startLogging(t, nil, NewLog(config.Log{Level: "info", Format: "text"}, &out))
	alice := telephone(t, s, "alice", "udp")
	call, err := alice.Dial(t.Context(), "sip:echo@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if !comesBack(t.Context(), call) {
		t.Error("no echo")
	}
	call.Hangup()
	all := waitForRecords(t, s, 1)
	c := all[0]
	if c.Account != "alice" || c.Dialled != "echo" || c.Final != "echo" || c.Status != 200 || c.By != "caller" || c.Talked() <= 0 || len(c.Legs) != 1 || len(c.Legs[0].Streams) != 1 {
		t.Errorf("%+v", c)
	}
	s.Stop(context.Background())
	want := `msg="call ended" call=` + c.SessionID + " from=sip:alice@example.org to=sip:echo@example.org call-id=" + c.CallID + " application=echo status=200 by=caller talked="
	if !strings.Contains(out.String(), want) {
		t.Errorf("the log has no %s:\n%s", want, out.String())
	}
}

// answering registers a telephone of bob that sends everything back; the channel tells when it has ended.
func answering(t *testing.T, s *Server, ctx context.Context) <-chan error {
	t.Helper()
	bob := telephone(t, s, "bob", "udp")
	served := make(chan error, 1)
	go func() { served <- bob.Serve(ctx, echo) }()
	for !bob.Registered() {
		select {
		case err := <-served:
			t.Fatal(err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return served
}

// echo answers and sends back what it hears.
func echo(ctx context.Context, call *phone.Call) error {
	if err := call.Answer(ctx); err != nil {
		return err
	}
	pcm := make([]int16, 160)
	for {
		n, err := call.ReadSamples(pcm)
		if err != nil {
			return nil
		}
		if call.WriteSamples(pcm[:n]) != nil {
			return nil
		}
	}
}

// TestForget: what is older than the settings say goes, and nothing else.
func TestForget(t *testing.T) {
	s := start(t, map[string]string{"keep.records": "10", "keep.recordings": "5"})
	now := time.Now()
	for i, age := range []int{3, 20} {
		at := now.AddDate(0, 0, -age)
		s.records.journal.Add(&store.CDR{ID: newCDRID(at), Domain: "example.org", CallID: string(rune('a' + i)), Start: at, End: at})
	}
	s.records.journal.Write()
	waitForRecords(t, s, 2)
	if err := os.MkdirAll(s.recordings(), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, age := range map[string]int{"new.wav": 4, "old.wav": 6} {
		file := filepath.Join(s.recordings(), name)
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, now, now.AddDate(0, 0, -age)); err != nil {
			t.Fatal(err)
		}
	}
	s.forget(t.Context(), now)
	if all := waitForRecords(t, s, 1); len(all) != 1 || all[0].CallID != "a" {
		t.Errorf("left are %+v", all)
	}
	if left, err := os.ReadDir(s.recordings()); err != nil || len(left) != 1 || left[0].Name() != "new.wav" {
		t.Errorf("left are %v, %v", left, err)
	}
}

// TestSameAddress: whether somebody else than was asked has answered goes by the account, however its address is written.
func TestSameAddress(t *testing.T) {
	s := start(t, nil)
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"sip:bob@example.org", "sip:bob@EXAMPLE.org:5060;user=phone", true},
		{"sip:bob@example.org", "sip:bob@127.0.0.1:5060", true},
		{"sip:alice@example.org", "sip:alice-desk@example.org", true},
		{"sip:alice@example.org", "sip:bob@example.org", false},
		{"sip:bob@example.org", "sip:bob@example.com", false},
		{"sip:bob@example.com;transport=tcp", "sip:bob@Example.com", true},
		{"sip:+4930123@example.com", "tel:+49-30-123", false},
	} {
		var line strings.Builder
		j := &journal{log: slog.New(slog.NewTextHandler(&line, nil)), records: s.journal.records}
		j.end(&b2bua.Detail{ID: "a", To: tt.a, Final: tt.b, Status: sip.StatusOK, Start: time.Now(), Answer: time.Now(), End: time.Now()})
		if told := strings.Contains(line.String(), "talked-to="); told == tt.want {
			t.Errorf("%s and %s: %s", tt.a, tt.b, line.String())
		}
	}
}
