// What goes for every kind, and the words of each.

package object

import (
	"reflect"
	"strings"
	"testing"
)

// TestKinds: every field has a name, a meaning and a rule that exists; its example is taken.
func TestKinds(t *testing.T) {
	for _, k := range Kinds() {
		if at := new(Settings).place(k).Type(); at != reflect.PointerTo(k.typ) && (at.Kind() != reflect.Map || at.Elem() != reflect.PointerTo(k.typ)) {
			t.Errorf("Settings has no place for %s", k.Name)
		}
		for i, f := range k.Fields() {
			if f.Name == "" || !strings.HasSuffix(f.Doc, ".") && !strings.HasSuffix(f.Doc, "…") {
				t.Errorf("%s: field %d %q: %q", k.Name, i, f.Name, f.Doc)
			}
			if f.Is != "" && rules[f.Is] == nil {
				t.Errorf("%s: %s: no rule %s", k.Name, f.Name, f.Is)
			}
			if f.Key != (i == 0 && k.Key != "") {
				t.Errorf("%s: %s: the key stands first", k.Name, f.Name)
			}
			o := k.Named("600")
			if f.Example != "" && !f.Secret() {
				if err := f.Set(o, f.Example); err != nil {
					t.Error(err)
				} else if p := checkValue(f.value(o), f); p != "" {
					t.Errorf("%s: %s: the example %s", k.Name, f.Name, p)
				} else if got := f.Text(o); got != f.Example {
					t.Errorf("%s: %s: %q is written as %q", k.Name, f.Name, f.Example, got)
				}
			}
		}
		if p := checkFields(k.Named("600")); p != nil {
			t.Errorf("a new %s: %v", k.Name, p)
		}
	}
}

// TestCheck: what is wrong is said in one sentence with the field and the cure.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		kind, name, field, value, want string
	}{
		{"group", "6 0", "title", "x", `group 6 0: number: "6 0" holds ' '; use letters, digits and -_.!~*'()+`},
		{"group", "", "title", "x", "group: number: is empty; give one"},
		{"group", "600", "title", "a\nb", `group 600: title: "a\nb" holds a control character; leave it out`},
		{"group", "600", "strategy", "random", `group 600: strategy: "random" is not known; write one of all, order, round-robin, longest-idle`},
		{"group", "600", "ring-time", "1h", "group 600: ring-time: 1h is not from 1s to 10m; write a value between them"},
		{"page", "900", "multicast", "192.168.1.1:10000", "page 900: multicast: \"192.168.1.1:10000\" is no multicast group with a port; write one such as 239.255.1.1:10000"},
		{"page", "900", "multicast", "[::ffff:239.255.1.1]:10000", "page 900: multicast: \"[::ffff:239.255.1.1]:10000\" is no multicast group with a port; write one such as 239.255.1.1:10000"},
		{"page", "900", "multicast", "239.1.1.1:2,239.1.1.2:2,239.1.1.3:2,239.1.1.4:2,239.1.1.5:2,239.1.1.6:2,239.1.1.7:2,239.1.1.8:2,239.1.1.9:2", "page 900: multicast: has more than 8 groups; take some out"},
		{"page", "900", "multicast-from", "eth0", "page 900: multicast-from: \"eth0\" is no address of this machine; write one such as 192.168.1.5"},
		{"group", "600", "members", "200,201,200", "group 600: members: 200 is named twice; keep one"},
		{"group", "600", "members", "200,600", "group 600: members: the group holds itself; take 600 out"},
		{"group", "600", "otherwise", "mailbox:7", `group 600: otherwise: "mailbox:7" is no target; write a number, voicemail, voicemail:USER, hangup, busy or hours:NAME?open=TARGET&closed=TARGET`},
		{"menu", "800", "choices", "12=600", `menu 800: choices: "12" is no key; write a digit, * or #`},
		{"mailbox", "200", "delete-after-mail", "yes", "mailbox 200: delete-after-mail: the message would be lost; set email and attach, or take delete-after-mail off"},
		{"trunk", "line", "user", "x", "trunk line: server: is missing; name the server of the other side"},
		{"trunk", "line", "numbers", "030123", `trunk line: numbers: "030123" is no number; write + and the digits with the country code such as +4930123456, or FIRST-LAST`},
		{"trunk", "line", "inbound", "+49!", `trunk line: inbound: "+49!" is no PATTERN=TARGET; write such as +49301234599=800`},
		{"trunk", "line", "number-rules", "(=>1", `trunk line: number-rules: "(=>1" has no regular expression before =>; write such as ^0(.*)=>+49$1`},
		{"trunk", "line", "addresses", "192.0.2.300", `trunk line: addresses: "192.0.2.300" is no address prefix; write one such as 192.0.2.0/24`},
		{"dialplan", "", "country", "de", `dialplan: country: "de" is no country; write its two capital letters of ISO 3166, such as DE`},
		{"dialplan", "", "rules", "{name: a, webhook: ftp://x}", `dialplan: rules: webhook: "ftp://x" is no address of the web; write one such as https://example.org/hook`},
		{"dialplan", "", "time-zone", "Mars/Base", `dialplan: time-zone: "Mars/Base" is no time zone; write one such as Europe/Berlin`},
		{"mail", "", "tls", "none", "mail: host: is missing; name the mail server"},
		{"mail", "", "from", "Bob", `mail: from: "Bob" is no mail address; write one such as alice@example.org`},
	} {
		k := KindNamed(c.kind)
		o := k.Named(c.name)
		f, ok := k.Field(c.field)
		if !ok {
			t.Errorf("%s has no %s", c.kind, c.field)
			continue
		}
		err := f.Set(o, c.value)
		if err == nil {
			err = o.Check()
		}
		if err == nil || err.Error() != c.want {
			t.Errorf("%s %s=%s:\n%v\nwant\n%s", c.kind, c.field, c.value, err, c.want)
		}
	}
}

// TestPageSource: a page goes from an address to groups of the same kind.
func TestPageSource(t *testing.T) {
	p := &Page{Number: "900", Mode: PageOneWay, Multicast: []string{"239.255.1.1:10000", "[ff05::1]:10000"}}
	if err := p.Check(); err != nil || p.Source().IsValid() {
		t.Errorf("from %s, %v", p.Source(), err)
	}
	p.MulticastFrom = "10.0.0.5"
	if err := p.Check(); err == nil || err.Error() != "page 900: multicast-from: is not of the kind of [ff05::1]:10000; write both as IPv4 or as IPv6" {
		t.Error(err)
	}
	if p.Multicast = p.Multicast[:1]; p.Check() != nil || p.Source().String() != "10.0.0.5" {
		t.Errorf("from %s, %v", p.Source(), p.Check())
	}
}

// TestSet: a text that is no value of its field.
func TestSet(t *testing.T) {
	for _, c := range []struct{ kind, field, value, want string }{
		{"group", "ring-time", "20", `group 1: ring-time: "20" is no time span; write one such as 20s or 5m`},
		{"mailbox", "attach", "maybe", `mailbox 1: attach: "maybe" is neither yes nor no; write one of them`},
		{"mailbox", "max-seconds", "few", `mailbox 1: max-seconds: "few" is no whole number; write one`},
		{"menu", "choices", "1", `menu 1: choices: "1" is no pair; write key=value`},
		{"dialplan", "rules", "{name: a, targt: 1}", "dialplan: rules: targt: no such field; did you mean target?"},
		{"dialplan", "rules", "{name: a, name: b}", "dialplan: rules: name: given before in line 1; keep one of them"},
		{"dialplan", "rules", "{name: [a]}", "dialplan: rules: name: a sequence is no value here; write a plain value, in quotes if a colon is in it"},
	} {
		f, _ := KindNamed(c.kind).Field(c.field)
		if err := f.Set(KindNamed(c.kind).Named("1"), c.value); err == nil || err.Error() != c.want {
			t.Errorf("%s %s=%s:\n%v\nwant\n%s", c.kind, c.field, c.value, err, c.want)
		}
	}
}

func TestParseTarget(t *testing.T) {
	for text, want := range map[string]Target{
		"200":           {Kind: TargetDial, Number: "200"},
		"*43":           {Kind: TargetDial, Number: "*43"},
		"+4930123":      {Kind: TargetDial, Number: "+4930123"},
		"voicemail":     {Kind: TargetVoicemail},
		"voicemail:200": {Kind: TargetVoicemail, Number: "200"},
		"hangup":        {Kind: TargetHangup},
		"busy":          {Kind: TargetBusy},
		"hours:office?open=600&closed=voicemail:200":                  {Kind: TargetHours, Hours: "office", Open: "600", Closed: "voicemail:200"},
		"hours:a?closed=hours:b?open=%2B49301%26closed=busy&open=600": {Kind: TargetHours, Hours: "a", Open: "600", Closed: "hours:b?open=+49301&closed=busy"},
	} {
		if got, err := ParseTarget(text); err != nil || got != want {
			t.Errorf("%s: %+v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "voicemail:", "hours:", "hours:a", "hours:a?x=1", "hours:a?open=%", "a b", "fax:200", "hours:a?open=hours:b?open=x y", strings.Repeat("1", 600)} {
		if got, err := ParseTarget(text); err == nil {
			t.Errorf("%q is %+v", text, got)
		}
	}
}

// TestHoursCode: no code stands for two opening hours.
func TestHoursCode(t *testing.T) {
	s := &Settings{Domain: "example.org"}
	s.Put(&Hours{Name: "office", State: "auto", Code: "1"})
	s.Put(&Hours{Name: "shop", State: "auto", Code: "2"})
	s.Put(&Hours{Name: "bar", State: "auto"})
	s.Put(&Hours{Name: "canteen", State: "auto"})
	check := func() int {
		faults, err := s.Check(func(string) (string, error) { return "", nil }, nil)
		if err != nil {
			t.Fatal(err)
		}
		return len(faults)
	}
	if n := check(); n != 0 {
		t.Errorf("%d faults", n)
	}
	s.Put(&Hours{Name: "bar", State: "auto", Code: "1"})
	if n := check(); n != 2 {
		t.Errorf("%d faults, want one for each of the two", n)
	}
}
