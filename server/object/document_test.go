// Documents: what is written is read as it was, and what is wrong is said with its line.

package object

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// texts that YAML likes to mistake.
var oddTexts = []string{"plain", "600", "007", "0x10", "1e3", "+4930123", "-5", "2026-12-31", "yes", "No", "null", "~", "a: b", "a #b", "#a", "'x'", `"x"`, `back\slash`, "[a]", "{a}", "*43", "&a", "!a", "%a", "@a", "`a`", "a,b",
	" lead", "trail ", "ümlaut", "…", "20:00", "a\nb", "a\nb\n", "a\n\nb", "\na", "a\n\n", "a \nb", "\ta", "a\tb\nc", "if x:\n  return 1\n", "- a\n- b", "---", "...", "? a", "| a", "> a", "<<", "=", "1_000", "0o17", ".5", "5.", "inf", ".nan"}

func TestDocumentRoundTrip(t *testing.T) {
	people := map[string]*Person{
		"200":   {User: "200", Name: "Alice: #1 \"the\" \\ boss", Devices: []string{"200", "200-desk"}, Numbers: []string{"+4930123450", "+4930123451", "+4930123452", "+4930123460"}},
		"201":   {User: "201", Devices: []string{"201"}},
		"alice": {User: "alice"},
	}
	set := new(Settings)
	for _, k := range Kinds() {
		o := k.Named("600")
		if a, ok := o.(*Account); ok {
			a.User = "200"
		}
		for _, f := range k.Fields() {
			if f.Example != "" && !f.Secret() {
				if err := f.Set(o, f.Example); err != nil {
					t.Fatal(err)
				}
			}
		}
		set.Put(o)
		if k.Key != "" && k.Name != "account" {
			set.Put(k.Named("yes")) // nothing set, and a name that is more than one thing
		}
	}
	for _, s := range oddTexts {
		set.Plan.Rules = append(set.Plan.Rules, Rule{Name: s, When: s, Trunks: []string{s, "b"}, Disabled: true, RingTime: 5e9})
		set.Plan.Emergency = append(set.Plan.Emergency, s)
	}
	set.Plan.Rules = append(set.Plan.Rules, Rule{})
	set.Menus["600"].Choices = map[string]string{"*": "200", "#": "busy", "0": "hours:a?open=1"}
	text := FormatDocument("example.org", people, set)
	d, err := ParseDocument("x.yaml", text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if diff := cmp.Diff(people, d.People); diff != "" {
		t.Errorf("people (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(set, d.Settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s\n%s", diff, text)
	}
	if again := FormatDocument(d.Domain, d.People, d.Settings); string(again) != string(text) {
		t.Errorf("written again it is\n%s\nit was\n%s", again, text)
	}
}

// TestDocument is the form that people read.
func TestDocument(t *testing.T) {
	set := new(Settings)
	g := KindNamed("group").Named("600").(*Group)
	g.Title, g.Members = "Sales", []string{"200", "201"}
	set.Put(g)
	a := KindNamed("account").Named("200").(*Account)
	a.ForwardBusy, a.CallWaiting = "voicemail", false
	set.Put(a)
	set.Put(&Mail{Host: "smtp.example.org", TLS: "starttls", Secret: "sealed"})
	got := string(FormatDocument("example.org", map[string]*Person{"200": {User: "200", Name: "Alice", Devices: []string{"200"}}}, set))
	want := `# What is set up for example.org. A section that is left out is left as it is; ` + "`keep`" + ` stands for a secret or a PIN that is not shown.
domain: example.org

dialplan: null

hours: {}

accounts:
  200:
    name: Alice
    forward-busy: voicemail
    call-waiting: false

mailboxes: {}

groups:
  600:
    title: Sales
    members: [200, 201]

queues: {}

menus: {}

pages: {}

rooms: {}

trunks: {}

recordings: {}

mail:
  host: smtp.example.org
  secret: keep
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDocumentFaults(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "c.yaml: the document is empty; `sipwerk export` writes one"},
		{"# nothing\n", "c.yaml: the document is empty; `sipwerk export` writes one"},
		{"groups: [", "c.yaml line 1: this is no YAML: …"},
		{"grups: {}", "c.yaml line 1: grups: no such section; did you mean groups?"},
		{"a: 1\n---\nb: 2", "c.yaml line 3: this is a second document; keep one"},
		{"- a", "c.yaml line 1: a value stands where names are expected; write `name: value`"},
		{"domain: a b", "c.yaml line 1: domain: is no domain; write one such as example.org"},
		{"groups:\n  600:\n    ringtime: 5s", "c.yaml line 3: group 600: ringtime: no such field; did you mean ring-time?"},
		{"groups:\n  600:\n    number: 600", "c.yaml line 3: group 600: number: no such field; did you mean members?"},
		{"groups:\n  600:\n    ring-time: 5", `c.yaml line 3: group 600: ring-time: "5" is no time span; write one such as 20s or 5m`},
		{"groups:\n  600:\n    members: 200", `c.yaml line 3: group 600: members: "200" stands where several values are expected; write a list or names with values`},
		{"groups:\n  600:\n    title:\n      a: b", "c.yaml line 4: group 600: title: a mapping is no value here; write a plain value, in quotes if a colon is in it"},
		{"groups:\n  600: {}\n  600: {}", "c.yaml line 3: group: 600: given before in line 2; keep one of them"},
		{"groups: 600", "c.yaml line 1: group: a value stands where names are expected; write `name: value`"},
		{"groups:\n  600: x\n  601: {strategi: all}", "c.yaml line 2: group 600: a value stands where names are expected; write `name: value`\nc.yaml line 3: group 601: strategi: no such field; did you mean strategy?"},
		{"dialplan:\n  rules:\n    - name: a\n      taget: 200", "c.yaml line 4: dialplan: taget: no such field; did you mean target?"},
		{"menus:\n  800:\n    choices:\n      1: [a]", "c.yaml line 4: menu 800: choices: no plain value; write `key: value`"},
		{"accounts:\n  200:\n    numbers: [030]", `c.yaml line 3: account 200: numbers: number "030" is none; write + …`},
		{"accounts:\n  200:\n    devices: [a, a]", "c.yaml line 3: account 200: devices: a is named twice; keep one"},
		{"accounts:\n  200:\n    secrets: {201: env:A}", "c.yaml line 3: account 200: secrets: the account has no device 201; name one of 200"},
		{"accounts:\n  a b: {}", `c.yaml line 2: account a b: user: "a b" holds ' '; …`},
		{"accounts:\n  200:\n    nme: Bob", "c.yaml line 3: account 200: nme: no such field; did you mean name?"},
	} {
		_, err := ParseDocument("/tmp/c.yaml", []byte(c.text))
		want, open := strings.CutSuffix(c.want, "…")
		if err == nil || err.Error() != want && (!open || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%q:\n%v\nwant\n%s", c.text, err, c.want)
		}
	}
}

// TestLocate: an error that is found later has the line of its field, of its object, or none.
func TestLocate(t *testing.T) {
	d, err := ParseDocument("c.yaml", []byte("groups:\n  600:\n    members: [299]\n    title: x\n"))
	if err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]string{"members": "c.yaml line 3: group 600: members: x", "strategy": "c.yaml line 2: group 600: strategy: x"} {
		if got := d.Locate(&Error{Kind: "group", Name: "600", Field: field, Problem: "x"}); got.Error() != want {
			t.Errorf("%v", got)
		}
	}
	if got := d.Locate(Faults{{Kind: "page", Name: "1", Problem: "x"}}); got.Error() != "page 1: x" {
		t.Errorf("%v", got)
	}
}

// FuzzDocument: no text breaks the reader, and what it has taken is written and read as it was.
func FuzzDocument(f *testing.F) {
	f.Add("groups:\n  600:\n    members: [200, 201]\n")
	f.Add("accounts:\n  200: {name: x, numbers: [+4930100-+4930109]}\nmail: null\ndialplan:\n  rules:\n  - {name: a, script: \"x\\ny\"}\n")
	f.Add("menus: {800: {choices: {1: 2, '*': busy}}}\nhours:\n  a: {open: [mon-fri 09:00-17:00]}\n")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDocument("x", []byte(text))
		if err != nil {
			return
		}
		written := FormatDocument("example.org", d.People, d.Settings)
		again, err := ParseDocument("x", written)
		if err != nil {
			t.Fatalf("%v\n%s", err, written)
		}
		if twice := FormatDocument("example.org", again.People, again.Settings); string(twice) != string(written) {
			t.Errorf("written twice it is\n%s\nnot\n%s", twice, written)
		}
	})
}
