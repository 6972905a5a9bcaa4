package sdp

import (
	"net/netip"
	"slices"
	"testing"
)

func TestComplete(t *testing.T) {
	for in, want := range map[string]string{
		"v=0\r\n": "v=0\r\ns=-\r\nt=0 0\r\n",
		"v=0\r\no=x\r\nc=IN IP4 192.0.2.1\r\na=b\r\n": "v=0\r\no=x\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\na=b\r\n",
		"v=0\r\nx=1\r\ns=\r\nt=1 2\r\n":               "v=0\r\nx=1\r\ns=\r\nt=1 2\r\n",
	} {
		d := mustParse(t, in)
		d.Complete()
		if d.String() != want {
			t.Errorf("%q completed to %q, want %q", in, d, want)
		}
	}
}

func TestLines(t *testing.T) {
	var ls Lines
	ls.AddAttribute("a", "1")
	ls.AddAttribute("b", "")
	ls.AddAttribute("a", "2 ")
	ls.Insert(Line{'c', "x"})
	ls.Insert(Line{'?', "y"})
	if got, want := string(ls.appendTo(nil)), "c=x\r\na=a:1\r\na=b\r\na=a:2 \r\n?=y\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := slices.Collect(ls.Attributes("a")); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("attributes %q", got)
	}
	ls.SetAttribute("a", "3")
	ls.SetAttribute("n", "")
	ls.Set(Line{'c', "z"})
	ls.Set(Line{'b', "AS:1"})
	if got, want := string(ls.appendTo(nil)), "c=z\r\nb=AS:1\r\na=a:3\r\na=b\r\na=n\r\n?=y\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	ls.RemoveAttribute("a", "n")
	ls.Remove('?')
	if got, want := string(ls.appendTo(nil)), "c=z\r\nb=AS:1\r\na=b\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, ok := ls.Attribute("a"); ok {
		t.Error("removed attribute found")
	}
	if _, ok := ls.Value('?'); ok {
		t.Error("removed line found")
	}
}

// Sections share an array after parsing; what is appended to one must not reach the next.
func TestSectionsAreApart(t *testing.T) {
	d := mustParse(t, "v=0\r\nm=audio 1 RTP/AVP 0\r\na=x\r\nm=video 2 RTP/AVP 31\r\na=y\r\n")
	d.Lines.AddAttribute("s", "")
	d.Media[0].Lines.AddAttribute("z", "")
	if got, want := d.String(), "v=0\r\na=s\r\nm=audio 1 RTP/AVP 0\r\na=x\r\na=z\r\nm=video 2 RTP/AVP 31\r\na=y\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRejected(t *testing.T) {
	for in, want := range map[string]bool{
		"m=audio 0 RTP/AVP 0":                true,
		"m=audio 1 RTP/AVP 0":                false,
		"m=audio 0 RTP/AVP 0\na=bundle-only": false,
	} {
		d := mustParse(t, "v=0\n"+in)
		m := &d.Media[0]
		if got := m.Rejected(); got != want {
			t.Errorf("%s: rejected %v", in, got)
		}
		if m.Reject(); !m.Rejected() {
			t.Errorf("%s: not rejected by Reject", in)
		}
	}
}

func TestOrigin(t *testing.T) {
	for in, want := range map[string]Origin{
		"o=- 3318472217 1845326409 IN IP4 127.0.0.1":           {"-", 3318472217, 1845326409, "127.0.0.1"},
		"o=assistant 971731711378798081 0 IN IP6 2001:db8::20": {"assistant", 971731711378798081, 0, "2001:db8::20"},
		"o=odd one IN IP4 192.0.2.9":                           {},
		"o=- 18446744073709551616 0 IN IP4 192.0.2.9":          {},
		"o=- 1 -1 IN IP4 192.0.2.9":                            {},
		"s=-":                                                  {},
	} {
		got, ok := mustParse(t, "v=0\n"+in).Origin()
		if got != want || ok != (want != Origin{}) {
			t.Errorf("%s: %+v, %v", in, got, ok)
		}
	}
}

func TestOriginatorVersions(t *testing.T) {
	author := &Originator{SessionID: 7, Address: netip.MustParseAddr("2001:db8::1")}
	d := mustParse(t, samples(t)["baresip"])
	version := func() uint64 {
		t.Helper()
		author.Stamp(d)
		o, ok := d.Origin()
		if want := (Origin{"-", 7, o.Version, "2001:db8::1"}); !ok || o != want {
			t.Fatalf("stamped %+v", o)
		}
		return o.Version
	}
	first := version()
	if v := version(); v != first {
		t.Errorf("unchanged description: version %d after %d", v, first)
	}
	d = mustParse(t, samples(t)["baresip"])
	if v := version(); v != first {
		t.Errorf("same description again: version %d after %d", v, first)
	}
	d.Media[0].SetDirection(SendOnly)
	if v := version(); v != first+1 {
		t.Errorf("changed description: version %d after %d", v, first)
	}
	if first == 0 || first >= 1<<62-1 {
		t.Errorf("first version %d", first)
	}
}
