// `sipwerk cdr` with records that a server has left.

package main

import (
	"encoding/csv"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/server/store"
)

// leaveRecords puts two calls into a new data folder: one of alice to bob, and one of a stranger to carol that nobody has answered.
func leaveRecords(t *testing.T, dir string) {
	t.Helper()
	s, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, _, err := s.EnsureDomain(t.Context(), "example.org"); err != nil {
		t.Fatal(err)
	}
	j, err := s.OpenCDRs(t.Context(), dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.Local)
	j.Add(&store.CDR{ID: "0001aaaaaaaaaaaaaaaa", Domain: "example.org", CallID: "c1", From: "sip:alice@example.org", To: "sip:bob@example.org", Dialled: "bob", Account: "alice", Final: "bob",
		Start: at, Ring: at.Add(time.Second), Answer: at.Add(2 * time.Second), End: at.Add(62 * time.Second), Status: 200, Cause: 16, By: "callee", Recordings: []string{"0001.wav"},
		Legs: []store.CDRLeg{{Side: "caller", Start: at, Status: 200, Codec: "PCMA", Streams: []store.CDRStream{{Packets: 3000, Lost: 2, MOS: 4.38}}},
			{Side: "callee", Account: "bob", Target: "sip:bob@192.0.2.1", Start: at, Status: 200, Codec: "PCMA", Payer: "carol"}},
		Moves: []store.CDRMove{{At: at, Kind: "transfer", By: "bob", To: "dora"}}})
	at = at.AddDate(0, 0, 1)
	j.Add(&store.CDR{ID: "0002bbbbbbbbbbbbbbbb", Domain: "example.org", CallID: "c2", From: "sip:=cmd@example.net", Name: "=1+1", To: "sip:+493012345@example.org", Dialled: "+493012345", Final: "carol",
		Start: at, End: at.Add(time.Second), Status: 480, Cause: 18, By: "system", Reason: "=x"})
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestCDR: listings, and exports that spreadsheets read (RFC 4180 §2), with times of RFC 3339 §5.6.
func TestCDR(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	leaveRecords(t, dir)
	env := map[string]string{"SIPWERK_DATA": dir}
	const head = "CALL              START                FROM                  DIALLED     TALKED TO  TIME  ENDED BY  STATUS  MOS\n"
	for _, l := range []line{
		{args: "cdr list", want: head + "0002bbbbbbbbbbbb  2026-11-24 12:00:00  sip:=cmd@example.net  +493012345  carol      0s    system    480     \n" +
			"0001aaaaaaaaaaaa  2026-11-23 12:00:00  alice                 bob         bob        1m0s  callee    200     4.4\n"},
		{args: "cdr list --account bob --lang de", want: "ANRUF…alice…Angerufener…\n"},
		{args: "cdr list --from 2026-11-24 --json", want: `[{"id":"0002bbbbbbbbbbbbbbbb",…}]` + "\n"},
		{args: "cdr list --to 2026-11-24T12:00 --json", want: `[{"id":"0001aaaaaaaaaaaaaaaa",…}]` + "\n"},
		{args: "cdr list --account nobody --json", want: "[]\n"},
		{args: "cdr list --limit 1 --json", want: `[{"id":"0002…}]` + "\n"},
		{args: "cdr list --from soon", code: 1, fails: "sipwerk: --from: \"soon\" is no time; write one such as…\n"},
		{args: "cdr show 0001", want: "call…talked…1m0s\n…SIP 200, Q.850 16\n…callee\n…0001.wav\n…transferred: bob → dora…PCMA…3000 packets, 2 lost…MOS 4.4\n…bob sip:bob@192.0.2.1…paid by…carol…"},
		{args: "cdr show 0001 --json", want: `{"id":"0001aaaaaaaaaaaaaaaa",…"legs":[…"moves":[…` + "\n"},
		{args: "cdr show 7", code: 1, fails: "sipwerk: call record 7 does not exist; `sipwerk cdr list` shows what there is\n"},
		{args: "cdr export --json", want: "[{\"id\":\"0001…,\n{\"id\":\"0002…}]\n"},
		{args: "cdr export --json --csv", code: 1, fails: "sipwerk: --csv and --json: give one of them\n"},
	} {
		l.run(t, dir, env)
	}
	var out strings.Builder
	p := programWith(&out, &out, env)
	if code := p.run([]string{"cdr", "export"}); code != 0 {
		t.Fatal(out.String())
	}
	rows, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d lines, %v", len(rows), err)
	}
	cell := func(row int, column string) string {
		for i, name := range rows[0] {
			if name == column {
				return rows[row][i]
			}
		}
		t.Fatalf("no column %s", column)
		return ""
	}
	for _, c := range []struct {
		row          int
		column, want string
	}{{1, "talked_seconds", "60.000"}, {1, "ended_by", "callee"}, {1, "packets", "3000"}, {1, "recording", "0001.wav"}, {1, "codec", "PCMA"}, {1, "moves", "1"}, {1, "payer", "carol"}, {2, "payer", ""}, {1, "mos", "4.4"},
		{2, "dialled", "+493012345"}, {2, "answer", ""}, {2, "q850", "18"}, {2, "reason", "'=x"}} {
		if got := cell(c.row, c.column); got != c.want {
			t.Errorf("line %d, %s: %q, want %q", c.row, c.column, got, c.want)
		}
	}
}
