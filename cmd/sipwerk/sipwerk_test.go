// Command lines run in this process: what they print, what they leave behind, how they end.

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
)

// line is one command line with what it must do. In want and fails, "…" stands for anything.
type line struct {
	args  string // separated by blanks; DIR is the data folder
	in    string // standard input
	code  int
	want  string // standard output
	fails string // standard error
}

func (l line) run(t *testing.T, dir string, env map[string]string) {
	t.Helper()
	var out, errs bytes.Buffer
	p := programWith(&out, &errs, env)
	p.In = strings.NewReader(l.in)
	code := p.run(strings.Fields(strings.ReplaceAll(l.args, "DIR", dir)))
	if code != l.code {
		t.Errorf("sipwerk %s: exit code %d, want %d", l.args, code, l.code)
	}
	if !matches(out.String(), l.want, dir) {
		t.Errorf("sipwerk %s: output\n%s\nwant\n%s", l.args, out.String(), l.want)
	}
	if !matches(errs.String(), l.fails, dir) {
		t.Errorf("sipwerk %s: standard error\n%s\nwant\n%s", l.args, errs.String(), l.fails)
	}
}

// programWith is a program with an environment of its own and nothing to read.
func programWith(out, errs io.Writer, env map[string]string) *program {
	return &program{&terminal.Terminal{In: strings.NewReader(""), Out: out, Err: errs, Env: func(n string) (string, bool) { v, ok := env[n]; return v, ok }}}
}

func matches(got, want, dir string) bool {
	want = regexp.QuoteMeta(strings.ReplaceAll(want, "DIR", dir))
	return regexp.MustCompile("^(?s:" + strings.ReplaceAll(want, "…", ".*") + ")$").MatchString(got)
}

func TestAccount(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	csv := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(csv, []byte("user,password,name\nu0,p0,Zero\nu1,p1,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"SIPWERK_DATA": dir, "SIPWERK_DOMAIN": "example.org"}
	for _, l := range []line{
		{args: "account list", want: "ACCOUNT  NAME  DEVICES  NUMBERS\n"},
		{args: "account list --json", want: "[]\n"},
		{args: "account add alice --name Alice", want: "user    alice\ndomain  example.org\nsecret  …\nThe secret is shown this once and not kept.\n"},
		{args: "account add alice", code: 1, fails: "sipwerk: alice@example.org exists already; choose another user, or give it a new secret with `sipwerk account password`\n"},
		{args: "account add alice --device desk --stdin", in: "s3cret\n", want: "user    alice-desk\ndomain  example.org\n"},
		{args: "account add bob@example.org --json", want: `{"domain":"example.org","account":"bob","user":"bob","secret":"…"}` + "\n"},
		{args: "account add bob@example.net --domain example.net", want: "…domain  example.net…"},
		{args: "account add carol --stdin", code: 1, fails: "sipwerk: secret is empty; give one\n"},
		{args: "account list", want: "ACCOUNT            NAME   DEVICES           NUMBERS\nalice@example.org  Alice  alice alice-desk  \nbob@example.org           bob               \n"},
		{args: "account list --json", want: `[{"domain":"example.org","user":"alice","name":"Alice","devices":[{"user":"alice","created":"…"},{"user":"alice-desk",…` + "\n"},
		{args: "account password alice-desk --json", want: `{"domain":"example.org","account":"alice-desk","user":"alice-desk","secret":"…"}` + "\n"},
		{args: "account password nobody", code: 1, fails: "sipwerk: device nobody@example.org does not exist; `sipwerk account list` shows what there is\n"},
		{args: "account turn alice --advertise turn.example.org --for 1h --json", want: `{"urls":["turn:turn.example.org:3478?transport=udp","turn:turn.example.org:3478?transport=tcp","turns:turn.example.org:5349?transport=tcp"],"username":"…:alice@example.org","credential":"…","expires":"…"}` + "\n"},
		{args: "account turn alice@example.org --turn-listen udp://192.0.2.1:7", want: "url       turn:192.0.2.1:7?transport=udp\nusername  …\npassword  …\nexpires   …\n"},
		{args: "account turn nobody", code: 1, fails: "sipwerk: account nobody@example.org does not exist; `sipwerk account list` shows what there is\n"},
		{args: "account turn alice --for -1h", code: 1, fails: "sipwerk: --for: -1h0m0s is no time to come; write one such as 24h\n"},
		{args: "account remove alice --device desk", want: "alice-desk@example.org is removed\n"},
		{args: "account remove alice", want: "alice@example.org is removed\n"},
		{args: "account remove alice", code: 1, fails: "sipwerk: account alice@example.org does not exist; `sipwerk account list` shows what there is\n"},
		{args: "account import " + csv, want: "2 accounts imported into example.org\n"},
		{args: "account import -", in: "user,password\nu2,\nu0,x\n", code: 1, fails: "-: line 2: password: is empty; give one\n-: line 3: user: u0@example.org exists already; …\n" +
			"sipwerk: nothing is imported: 2 faulty lines in -; mend them and import again\n"},
		{args: "account import no.csv", code: 1, fails: "sipwerk: open no.csv: no such file or directory\n"},
		{args: "account list", want: "ACCOUNT          NAME  DEVICES  NUMBERS\nbob@example.org        bob      \nu0@example.org   Zero  u0       \nu1@example.org         u1       \n"},
		{args: "account list --lang de", want: "KONTO            NAME  GERÄTE  NUMMERN\n…"},
		{args: "account number add bob +12145550100-+12145550109 +4930123", want: "11 numbers lead to bob@example.org\n"},
		{args: "account number add u0 +4930123", code: 1, fails: "sipwerk: +4930123@example.org exists already; `sipwerk account list` shows what there is\n"},
		{args: "account number remove bob +12145550105", want: "1 numbers do not lead to bob@example.org any more\n"},
		{args: "account number remove u0 +4930123", code: 1, fails: "sipwerk: number +4930123 of u0@example.org does not exist; `sipwerk account list` shows what there is\n"},
		{args: "account number add bob 030123", code: 1, fails: "sipwerk: number \"030123\" is none; write + and the digits with the country code, such as +4930123456\n"},
		{args: "account number add bob +49309-+49301", code: 1, fails: "sipwerk: +49309-+49301 is no block of numbers; write the first and the last number in full, at most 10,000 apart\n"},
		{args: "account number add bob", code: 2, fails: "sipwerk: give USER NUMBER\n…"},
		{args: "account list", want: "…bob@example.org        bob      +12145550100-+12145550104 +12145550106-+12145550109 +4930123\n…"},
		{args: "account list --json", want: `[{"domain":"example.org","user":"bob","name":"","devices":[…],"numbers":["+12145550100","…` + "\n"},
		{args: "account list --data /dev/null", code: 1, fails: "sipwerk: --data: /dev/null is no folder; name another\n"},
		{args: "account add", code: 2, fails: "sipwerk: give USER\n`sipwerk account add --help` tells more\n"},
		{args: "account list x", code: 2, fails: "sipwerk: \"x\" is too much\n`sipwerk account list --help` tells more\n"},
		{args: "account list --colour", code: 2, fails: "sipwerk: unknown flag: --colour\n`sipwerk account list --help` tells more\n"},
		{args: "acount", code: 2, fails: "sipwerk: unknown command \"acount\" for \"sipwerk\"…"},
	} {
		l.run(t, dir, env)
	}
}

// TestAccountWithoutDomain: the first domain is made once and stays.
func TestAccountWithoutDomain(t *testing.T) {
	dir := t.TempDir()
	env := map[string]string{"SIPWERK_DATA": dir, "SIPWERK_LISTEN": "udp://[::1]:5060"}
	line{args: "account add alice", want: "…domain  [::1]\n…"}.run(t, dir, env)
	line{args: "account add bob", want: "…domain  [::1]\n…"}.run(t, dir, map[string]string{"SIPWERK_DATA": dir})
}

func TestNumbers(t *testing.T) {
	line{args: "numbers", want: "DIAL  OR                 IT\n*43   echo               says back what it hears\n*44   music              plays a melody\n…"}.run(t, "", nil)
	line{args: "numbers --json", want: `[{"dial":"*43","names":["echo"],"feature":"echo","description":"says back what it hears"},…]` + "\n"}.run(t, "", nil)
}

func TestVersion(t *testing.T) {
	var out bytes.Buffer
	p := programWith(&out, &out, nil)
	if code := p.run([]string{"version", "--json"}); code != 0 {
		t.Fatalf("exit code %d: %s", code, &out)
	}
	var b build
	if err := json.Unmarshal(out.Bytes(), &b); err != nil || b.Version == "" || !strings.HasPrefix(b.Go, "go1.") {
		t.Errorf("%s: %v", &out, err)
	}
}

// TestHelp: every command has help with an example, in both languages.
func TestHelp(t *testing.T) {
	p := programWith(io.Discard, io.Discard, nil)
	for _, c := range p.newRoot().Commands() {
		if c.Name() == "help" || c.Name() == "completion" {
			continue
		}
		for _, sub := range append(c.Commands(), c) {
			if sub.Short == "" || !sub.HasSubCommands() && sub.Example == "" {
				t.Errorf("%s: no help or no example", sub.CommandPath())
			}
		}
	}
	line{args: "account add --help --lang=de", want: "Legt ein Konto…Aufruf:\n…Beispiele:\n…Schalter:\n…"}.run(t, "", nil)
	line{args: "account add --help", want: "Adds an account…Usage:\n…Examples:\n…Flags:\n…"}.run(t, "", map[string]string{"LANG": "C.UTF-8"})
	line{args: "--help", want: "Sipwerk registriert…Befehle:\n…"}.run(t, "", map[string]string{"LANG": "de_DE.UTF-8"})
}
