package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/load"
)

// TestBench: the command loads a server that runs as a process of its own, measures it, and writes what was asked for.
func TestBench(t *testing.T) {
	dir := t.TempDir()
	data, jsonFile, plot := filepath.Join(dir, "data"), filepath.Join(dir, "a.json"), filepath.Join(dir, "a.svg")
	var csv strings.Builder
	csv.WriteString("user,password\n")
	for i := range 10 {
		fmt.Fprintf(&csv, "u%d,p%d\n", i, i)
	}
	people := filepath.Join(dir, "people.csv")
	if err := os.WriteFile(people, []byte(csv.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	line{args: "account import " + people + " --data DIR --domain example.org", want: "10 accounts…"}.run(t, data, nil)
	args := serveArgs(data)
	p, lines := run(t, "ready", args[:len(args)-2]...) // without --trust
	target := port(t, lines)
	short := " --rate 20 --duration 1s --warmup 0s --users 10 --domain example.org --allow-failed 5"
	for _, l := range []line{
		{args: "bench register " + target + short + fmt.Sprintf(" --pid %d --json %s --plot %s", p.Process.Pid, jsonFile, plot),
			want: "load…register over udp to " + target + ", 20/s for 0:01\ncame through…failed…latency…p50…answers…200: 20  401: 20\nserver…memory (PSS)…generator…"},
		{args: "bench call " + target + short + " --accounts " + people, want: "load…call over udp…"},
		{args: "bench options " + target + short + " --json - --lang de", want: `{"version":1,"scenario":"options","transport":"udp",…}` + "\n"},
		{args: "bench register " + target + short + " --user x{n}", code: 3, want: "…REGISTER: challenged, without a password or in vain (401 Unauthorized)…",
			fails: "…sipwerk: 100 % of the operations failed; --allow-failed permits 5.0 %\n"},
		{args: "bench call " + target + short + " --user x{n}", code: 1, fails: "…the users to be called cannot be registered…"},
		{args: "bench compare " + jsonFile + " " + jsonFile, want: "register over udp, 20/s (runs: 1, 1)\n…A/B…1.00…"},
		{args: "bench compare --markdown " + jsonFile + " " + jsonFile, want: "| operation | rate | A, µs | B, µs | A/B |…| register, udp | 20 |…"},
	} {
		if l.fails == "" {
			l.fails = "…" // progress, if the machine is slow
		}
		l.run(t, data, nil)
	}
	var r load.Result
	if b, err := os.ReadFile(jsonFile); err != nil || json.Unmarshal(b, &r) != nil || r.Counts.Started != 20 || r.Server == nil || r.Server.Before == 0 {
		t.Errorf("%v %s", err, b)
	}
	if b, err := os.ReadFile(plot); err != nil || !strings.HasPrefix(string(b), "<svg ") {
		t.Errorf("%v %.20s", err, b)
	}
}

// TestBenchRefuses: what cannot be done is said in one sentence, and nobody is loaded by accident.
func TestBenchRefuses(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	for _, l := range []line{
		{args: "bench", code: 2, fails: "sipwerk: give SCENARIO TARGET\n…"},
		{args: "bench invite 127.0.0.1", code: 2, fails: "sipwerk: \"invite\" is no scenario; write one of register, options, message, call\n…"},
		{args: "bench call sctp://127.0.0.1", code: 2, fails: "sipwerk: \"sctp\" is no transport; …"},
		{args: "bench call 127.0.0.1:x", code: 1, fails: "sipwerk: 127.0.0.1:x cannot be resolved: \"x\" is no port\n"},
		{args: "bench call 127.0.0.1 --hold long", code: 2, fails: "sipwerk: --hold: \"long\" is no duration; write one such as 30s, or end\n…"},
		{args: "bench register 127.0.0.1 --hold 1s", code: 2, fails: "sipwerk: --hold: only calls are held; leave it out\n…"},
		{args: "bench register 127.0.0.1 --rate 0", code: 2, fails: "sipwerk: --rate, --duration, --warmup: write numbers above 0\n…"},
		{args: "bench call 192.0.2.1", code: 1, fails: "sipwerk: 192.0.2.1 is 192.0.2.1, which is not this machine; a load test harms whoever did not ask for it: give --i-own-this-target if it is yours\n"},
		{args: "bench call tcp://127.0.0.1:1", code: 1, fails: "sipwerk: nobody listens at 127.0.0.1:1; start the server, or name another target\n"},
		{args: "bench call 127.0.0.1 --pid 999999999", code: 1, fails: "sipwerk: --pid: there is no process 999999999 that can be measured here; name another, or leave it out\n"},
		{args: "bench call 127.0.0.1 --accounts " + none, code: 1, fails: "sipwerk: --accounts: " + none + ": no such file or directory\n"},
		{args: "bench call 127.0.0.1 --ca /dev/null", code: 1, fails: "sipwerk: --ca: /dev/null holds no certificate in PEM; name another file\n"},
		{args: "bench compare " + none + " " + none, code: 1, fails: "sipwerk: open " + none + ": no such file or directory\n"},
		{args: "bench compare /dev/null /dev/null", code: 1, fails: "sipwerk: /dev/null and /dev/null have no scenario, transport and rate in common; measure both alike\n"},
		{args: "bench compare a.json", code: 2, fails: "sipwerk: give A.json B.json\n…"},
		{args: "bench call 192.0.2.1 --lang de", code: 1, fails: "sipwerk: 192.0.2.1 ist 192.0.2.1 und damit nicht diese Maschine; …"},
		{args: "__complete bench call 127.0.0.1 --ho", want: "--hold\t…", fails: "…"},
		{args: "__complete bench re", want: "register\n:4\n", fails: "…"},
		{args: "__complete bench call re", want: ":4\n", fails: "…"},
	} {
		l.run(t, "", nil)
	}
}
