package registrar

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/sipwerk/sipwerk/sip"
)

// gruusOf returns the GRUUs in the n-th Contact of a response, "" for none.
func gruusOf(t *testing.T, res *sip.Response, n int) (public, temporary sip.URI) {
	t.Helper()
	for a, err := range res.Addresses(sip.HeaderContact) {
		if err != nil {
			t.Fatal(err)
		}
		if n--; n < 0 {
			public, _ = a.PublicGRUU()
			temporary, _ = a.TemporaryGRUU()
			return public, temporary
		}
	}
	return public, temporary
}

const asksGRUU = "Supported: gruu"

// TestGRUU: both GRUUs reach one instance, whatever else is registered. RFC 5627 §5.
func TestGRUU(t *testing.T) {
	o := newOffice()
	res := o.send(t, with("Contact: <sip:a@192.0.2.1>"+device1, asksGRUU))
	o.send(t, call{callID: "c2", headers: []string{`Contact: <sip:b@192.0.2.1>;+sip.instance="<urn:uuid:2>"`, asksGRUU}})
	o.send(t, call{callID: "c3", headers: []string{"Contact: <sip:c@192.0.2.1>"}})
	public, temporary := gruusOf(t, res, 0)
	if public.String() != "sip:alice@example.org;gr=urn:uuid:1" {
		t.Errorf("public GRUU %s", public)
	}
	var found Result
	for _, uri := range []sip.URI{public, temporary} {
		if !o.Locate(&found, uri) || len(found.Bindings) != 1 || found.Bindings[0].Instance != "urn:uuid:1" {
			t.Errorf("%s: %v", uri, found.Bindings)
		}
		aor, known := o.Resolve(uri)
		if got := o.Lookup(aor); !known || len(got) != 1 || got[0].Instance != "urn:uuid:1" {
			t.Errorf("%s is %s: %v", uri, aor, got)
		}
	}
	o.send(t, with("Contact: <sip:a@192.0.2.1>"+device1+";expires=0"))
	if !o.Locate(&found, public) || len(found.Bindings) != 0 {
		t.Errorf("the device is gone, its public GRUU has %v: 480 is due", found.Bindings)
	}
	if o.Locate(&found, temporary) {
		t.Error("the device is gone, its temporary GRUU is good: 404 is due")
	}
	if o.Locate(&found, sip.MustParseURI("sip:carol@example.org;gr=urn:uuid:1")) {
		t.Error("a GRUU of nobody")
	}
}

// TestTemporaryGRUUs: each REGISTER gives another one, all are good as long as the Call-ID stays, and none tells who it is. RFC 5627 §3.1.2, §5.4.
func TestTemporaryGRUUs(t *testing.T) {
	o := newOffice()
	seen := make(map[string]bool)
	var all []sip.URI
	for range 5 {
		_, uri := gruusOf(t, o.send(t, with("Contact: <sip:a@192.0.2.1>"+device1, asksGRUU)), 0)
		if seen[uri.User] || strings.Contains(uri.User, "alice") || uri.Params != ";gr" {
			t.Errorf("temporary GRUU %s", uri)
		}
		seen[uri.User] = true
		all = append(all, uri)
	}
	for i, a := range all {
		for _, b := range all[:i] {
			if n := common(a.User[len(tokenPrefix):], b.User[len(tokenPrefix):]); n > 6 {
				t.Errorf("%s and %s begin alike", a, b)
			}
		}
		if _, known := o.Resolve(a); !known {
			t.Errorf("%s is not good any more", a)
		}
	}
	o.send(t, call{callID: "another", headers: []string{"Contact: <sip:a@192.0.2.1>" + device1, asksGRUU}})
	for _, uri := range all {
		if _, known := o.Resolve(uri); known {
			t.Errorf("%s is good after the device was started again", uri)
		}
	}
	other := newOffice()
	other.send(t, with("Contact: <sip:a@192.0.2.1>"+device1))
	if _, known := other.Resolve(all[0]); known {
		t.Error("a registrar with another key reads it")
	}
}

func common(a, b string) (n int) {
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// TestForgedGRUU: whoever changes a bit of a temporary GRUU, or its host, reaches nobody.
func TestForgedGRUU(t *testing.T) {
	o := newOffice()
	_, uri := gruusOf(t, o.send(t, with("Contact: <sip:a@192.0.2.1>"+device1, asksGRUU)), 0)
	for i := range uri.User {
		forged := uri
		b := []byte(uri.User)
		b[i] ^= 1
		forged.User = string(b)
		if _, known := o.Resolve(forged); known {
			t.Errorf("%s is good with sign %d changed", forged, i)
		}
	}
	uri.Host = "pbx.example.org"
	if _, known := o.Resolve(uri); known {
		t.Error("it is good at another host")
	}
	for _, user := range []string{tokenPrefix, tokenPrefix + "AAAA", tokenPrefix + strings.Repeat("A", 10_000), "alice", ""} {
		if _, known := o.Resolve(sip.URI{Scheme: "sip", User: user, Host: "example.org", Params: ";gr"}); known {
			t.Errorf("%.20q is a temporary GRUU", user)
		}
	}
}

// TestGRUUsInAnswers: who gets which. RFC 5627 §5.1, §5.3.
func TestGRUUsInAnswers(t *testing.T) {
	for _, tt := range []struct {
		name              string
		call              call
		public, temporary bool
	}{
		{"asked for", with(contactA+device1, asksGRUU), true, true},
		{"required", with(contactA+device1, "Require: gruu"), true, true},
		{"not asked for", with(contactA + device1), false, false},
		{"no instance", with(contactA, asksGRUU), false, false},
		{"an instance that fits no URI", with(contactA+`;+sip.instance="<urn:x:a\"b>"`, asksGRUU), false, false},
		{"given back from before", with(contactA + device1 + `;pub-gruu="sip:mallory@example.org;gr=x";temp-gruu="sip:y@example.org;gr"`), false, false},
	} {
		public, temporary := gruusOf(t, newOffice().send(t, tt.call), 0)
		if (public.Host != "") != tt.public || (temporary.Host != "") != tt.temporary {
			t.Errorf("%s: public %s, temporary %s", tt.name, public, temporary)
		}
	}
	o := newOffice()
	o.send(t, with(contactA+device1, asksGRUU))
	res := o.send(t, call{callID: "c2", headers: []string{contactB + `;+sip.instance="<urn:uuid:2>"`, asksGRUU}})
	if public, temporary := gruusOf(t, res, 0); public.Host == "" || temporary.Host != "" {
		t.Errorf("of another device: public %s, temporary %s", public, temporary)
	}
	for _, contact := range []string{"sip:alice@example.org;gr=urn:uuid:1", "sip:alice@pbx.example.org;gr=x"} {
		if res := o.send(t, with("Contact: <"+contact+">")); res.Status != sip.StatusForbidden {
			t.Errorf("the contact %s: %d", contact, res.Status)
		}
	}
	if res := o.send(t, with("Contact: <sip:bob@example.org;gr=urn:uuid:1>")); res.Status != 200 {
		t.Errorf("a GRUU of somebody else: %d", res.Status)
	}
}

// FuzzToken: what is no token of ours is refused, and a name of any length comes back.
func FuzzToken(f *testing.F) {
	m := newMint(make([]byte, 32))
	f.Add(m.token(claim{"alice", 1, 2}, 3, "example.org"), "alice")
	f.Add("tgruu.", "")
	f.Fuzz(func(t *testing.T, token, user string) {
		if c, ok := m.read(token, "example.org"); ok && m.token(c, 3, "example.org") == "" {
			t.Error("no token")
		}
		want := claim{user, 7, 8}
		if got, ok := m.read(m.token(want, 9, "h"), "h"); len(user) < maxContact && (!ok || got != want) {
			t.Errorf("%+v %v, want %+v", got, ok, want)
		}
	})
}

// TestPush: how a device is woken is kept, and shown to nobody else. RFC 8599.
func TestPush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const (
			woken  = "<sip:a@192.0.2.1;pn-provider=apns;pn-prid=secret;pn-param=DEF123.com.example>"
			hidden = "<sip:a@192.0.2.1>;expires=3600"
		)
		o := newOffice()
		o.Push = []string{"apns", "fcm"}
		res := o.send(t, with("Contact: "+woken))
		if got := contacts(res); got != woken+";expires=3600" || res.Get(sip.HeaderFeatureCaps) != `*;+sip.pns="apns"` {
			t.Errorf("%s, Feature-Caps %s", got, res.Get(sip.HeaderFeatureCaps))
		}
		if got := contacts(o.send(t, call{callID: "c2", headers: []string{contactB}})); got != hidden+" <sip:b@192.0.2.1>;expires=3600" {
			t.Errorf("another device sees %s", got)
		}
		b := o.Lookup(alice)[0]
		if p, ok := b.Push(); !ok || p != (Push{Provider: "apns", Param: "DEF123.com.example", PRID: "secret"}) {
			t.Errorf("%+v", p)
		}
		if uri, err := b.Target(); err != nil || uri.String() != "sip:a@192.0.2.1" {
			t.Errorf("a call goes to %s", uri)
		}
		if b.Path = []string{"<sip:wakes@192.0.2.7;lr>"}; fmt.Sprint(b.Target()) != fmt.Sprint(strings.Trim(woken, "<>"), " <nil>") {
			t.Errorf("behind a proxy a call goes to %s", fmt.Sprint(b.Target()))
		}
		for contact, want := range map[string]sip.Status{
			"<sip:a@192.0.2.1;pn-provider=webpush;pn-prid=x>":           sip.StatusPushNotSupported,
			"<sip:a@192.0.2.1;pn-provider=webpush;pn-prid=x>;expires=0": sip.StatusOK,
			"<sip:a@192.0.2.1;pn-provider>":                             sip.StatusOK,
		} {
			if res := o.send(t, with("Contact: "+contact)); res.Status != want {
				t.Errorf("%s: %d", contact, res.Status)
			}
		}
		o.Push = nil
		if res := o.send(t, with("Contact: <sip:a@192.0.2.1;pn-provider=webpush;pn-prid=x>")); res.Status != 200 || res.Has(sip.HeaderFeatureCaps) {
			t.Errorf("a registrar that wakes nobody: %d, %s", res.Status, res.Get(sip.HeaderFeatureCaps))
		}
	})
}

// TestServiceRoute: a device is told by which way its requests go. RFC 3608 §6.
func TestServiceRoute(t *testing.T) {
	o := newOffice()
	o.ServiceRoute = []string{"<sip:p2.example.org;lr>", "<sip:hsp.example.org;lr>"}
	res := o.send(t, with(contactA))
	var got []string
	for route := range res.Values(sip.HeaderServiceRoute) {
		got = append(got, route)
	}
	if strings.Join(got, " ") != strings.Join(o.ServiceRoute, " ") {
		t.Errorf("%q", got)
	}
}
