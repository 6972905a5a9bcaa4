package registrar

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/sip"
)

// exchange is the domain of a provider: the system "pbx" has two numbers.
type exchange struct{}

func (exchange) AOR(uri sip.URI) (sip.URI, bool) {
	user := uri.UserName()
	if number, ok := uri.GlobalNumber(); ok {
		user = map[string]string{"+12145550102": "pbx", "+12145550103": "pbx"}[number]
	}
	return sip.URI{Scheme: "sip", User: user, Host: "ssp.example.com"}, user == "pbx"
}

func (exchange) MayBind(user string, aor sip.URI) bool { return user == aor.User }

// provider is a registrar to which the system registers as in RFC 6140 §5.2.
func provider() *office { return &office{Registrar: &Registrar{Accounts: exchange{}}} }

// bulk is a REGISTER of the system.
func bulk(contact string, lines ...string) call {
	return call{user: "pbx", to: "sip:pbx@ssp.example.com", headers: append([]string{"Require: gin", "Proxy-Require: gin", "Supported: path, gruu", "Contact: " + contact}, lines...)}
}

// found returns the targets of a URI.
func found(t *testing.T, o *office, uri string) string {
	t.Helper()
	var res Result
	if !o.Locate(&res, sip.MustParseURI(uri)) {
		return "nobody"
	}
	var all []string
	for i := range res.Bindings {
		u, err := res.Bindings[i].Target()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, u.String())
	}
	aor, _ := o.Resolve(sip.MustParseURI(uri))
	for i, b := range o.Lookup(aor) {
		if u, err := b.Target(); err != nil || u.String() != all[i] {
			t.Errorf("Lookup finds %s, Locate %s", u, all[i])
		}
	}
	return strings.Join(all, " ")
}

// TestBulk: one contact is reached at each number, with the number in it, and at the account's name by nobody. RFC 6140 §5.2.
func TestBulk(t *testing.T) {
	o := provider()
	res := o.send(t, bulk("<sip:198.51.100.3:5060;bnc>;expires=7200"))
	if got := contacts(res); res.Status != 200 || got != "<sip:198.51.100.3:5060;bnc>;expires=7200" || !res.HasToken(sip.HeaderSupported, "gin") {
		t.Fatalf("got\n%s", res)
	}
	for uri, want := range map[string]string{
		"sip:+12145550102@ssp.example.com":               "sip:+12145550102@198.51.100.3:5060",
		"sip:+12145550103@ssp.example.com":               "sip:+12145550103@198.51.100.3:5060",
		"sip:+1-214-555-0102@ssp.example.com;user=phone": "sip:+12145550102@198.51.100.3:5060",
		"tel:+1-214-555-0103":                            "sip:+12145550103@198.51.100.3:5060",
		"sip:pbx@ssp.example.com":                        "",
		"sip:+12145550199@ssp.example.com":               "nobody",
	} {
		if got := found(t, o, uri); got != want {
			t.Errorf("%s leads to %q, want %q", uri, got, want)
		}
	}
	if n := o.Counts().Bindings; n != 1 {
		t.Errorf("%d bindings for two numbers", n)
	}
	o.send(t, bulk("<sip:198.51.100.3:5060;bnc>;expires=0"))
	if got := found(t, o, "sip:+12145550102@ssp.example.com"); got != "" {
		t.Errorf("a number still leads to %s", got)
	}
}

// TestIsAt: who has registered is at home where that came from, a telephone and a system in bulk, by the name of the account and by a number, at any port and nowhere else.
func TestIsAt(t *testing.T) {
	for what, c := range map[string]call{
		"a system":    bulk("<sip:198.51.100.3:5060;bnc>;expires=7200"),
		"a telephone": {user: "pbx", to: "sip:pbx@ssp.example.com", headers: []string{"Contact: <sip:pbx@198.51.100.3>"}},
	} {
		o := provider()
		there, elsewhere := netip.MustParseAddr("198.51.100.77"), netip.MustParseAddr("198.51.100.3")
		c.source = "198.51.100.77:4444"
		if res := o.send(t, c); res.Status != sip.StatusOK {
			t.Fatalf("%s: %s", what, res)
		}
		for _, uri := range []string{"sip:pbx@ssp.example.com", "sip:+12145550102@ssp.example.com"} {
			aor, _ := o.Resolve(sip.MustParseURI(uri))
			if !o.IsAt(aor, there) || o.IsAt(aor, elsewhere) {
				t.Errorf("%s as %s: at home %t, elsewhere %t", what, uri, o.IsAt(aor, there), o.IsAt(aor, elsewhere))
			}
		}
	}
}

// TestBulkRefused: a number in a bulk contact, and somebody else. RFC 6140 §5.2.
func TestBulkRefused(t *testing.T) {
	o := provider()
	if res := o.send(t, bulk("<sip:+12145550102@198.51.100.3;bnc>")); res.Status != sip.StatusBadRequest {
		t.Errorf("a number in a bulk contact: %d", res.Status)
	}
	c := bulk("<sip:198.51.100.3;bnc>")
	c.user = "eve"
	if res := o.send(t, c); res.Status != sip.StatusForbidden {
		t.Errorf("somebody else: %d", res.Status)
	}
}

// TestNumberAlone: a telephone that registers one of the numbers is reached beside the system; it neither renews nor removes the bulk registration, and that not it. RFC 6140 §5.2.
func TestNumberAlone(t *testing.T) {
	const number = "sip:+12145550102@ssp.example.com"
	o := provider()
	o.send(t, bulk("<sip:198.51.100.3;bnc>;q=0.5"))
	alone := func(lines ...string) *sip.Response {
		return o.send(t, call{user: "pbx", to: number, callID: "alone", headers: lines})
	}
	alone("Contact: <sip:desk@198.51.100.9>")
	if got := found(t, o, number); got != "sip:desk@198.51.100.9 sip:+12145550102@198.51.100.3" {
		t.Errorf("the number leads to %s", got)
	}
	if got := found(t, o, "sip:+12145550103@ssp.example.com"); got != "sip:+12145550103@198.51.100.3" {
		t.Errorf("the other number leads to %s", got)
	}
	for _, lines := range [][]string{{"Contact: <sip:+12145550102@198.51.100.3>;expires=0"}, {"Contact: *", "Expires: 0"}} {
		if res := alone(lines...); res.Status != sip.StatusOK {
			t.Errorf("%v: %d", lines, res.Status)
		}
	}
	if got := found(t, o, number); got != "sip:+12145550102@198.51.100.3" {
		t.Errorf("the number leads to %s", got)
	}
	alone("Contact: <sip:desk@198.51.100.9>")
	var res Result
	o.Locate(&res, sip.MustParseURI(number))
	aor, _ := o.Resolve(sip.MustParseURI(number))
	for i := range res.Bindings {
		if res.Bindings[i].Number == "" {
			o.FlowFailed(aor, o.Key(&res.Bindings[i]))
		}
	}
	if got := found(t, o, number); got != "sip:+12145550102@198.51.100.3" {
		t.Errorf("its flow has failed, and the number leads to %s", got)
	}
	alone("Contact: <sip:desk@198.51.100.9>")
	o.send(t, bulk("<sip:198.51.100.3;bnc>;expires=0"))
	if got := found(t, o, number); got != "sip:desk@198.51.100.9" {
		t.Errorf("the system is gone, and the number leads to %s", got)
	}
}

// TestBulkGRUU: the system gets a pattern and no temporary GRUU; what it makes of the pattern reaches it, and says which telephone is meant. RFC 6140 §7.1.
func TestBulkGRUU(t *testing.T) {
	o := provider()
	res := o.send(t, bulk(`<sip:198.51.100.3;bnc>;+sip.instance="<urn:uuid:1>"`))
	public, temporary := gruusOf(t, res, 0)
	if public.String() != "sip:ssp.example.com;bnc;gr=urn:uuid:1" || temporary.Host != "" {
		t.Errorf("GRUUs %s and %s", public, temporary)
	}
	for uri, want := range map[string]string{
		"sip:+12145550102@ssp.example.com;gr=urn:uuid:1;sg=00:05:03:5e:70:a6": "sip:+12145550102@198.51.100.3;sg=00:05:03:5e:70:a6",
		"sip:+12145550102@ssp.example.com;gr=urn:uuid:1":                      "sip:+12145550102@198.51.100.3",
		"sip:+12145550102@ssp.example.com;gr=urn:uuid:2":                      "",
		"sip:+12145550102@ssp.example.com;sg=1":                               "sip:+12145550102@198.51.100.3",
	} {
		if got := found(t, o, uri); got != want {
			t.Errorf("%s leads to %q, want %q", uri, got, want)
		}
	}
}
