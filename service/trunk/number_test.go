// Numbers both ways, and callers. RFC 3966 §5.1.4, RFC 3323 §4.1, RFC 3325 §9.

package trunk

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/passport"
)

func rule(t *testing.T, s string) Rule {
	r, err := ParseRule(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOutgoing(t *testing.T) {
	for _, c := range []struct {
		n            Numbering
		number, want string
	}{
		{Numbering{}, "+4930123456", "+4930123456"},
		{Numbering{Format: FormatPlain}, "+4930123456", "4930123456"},
		{Numbering{Format: FormatExit}, "+4930123456", "004930123456"},
		{Numbering{Format: FormatExit, Country: "1"}, "+4930123456", "0114930123456"},
		{Numbering{Format: FormatNational, Country: "49"}, "+4930123456", "030123456"},
		{Numbering{Format: FormatNational, Country: "49"}, "+33145678", "0033145678"},
		{Numbering{Format: FormatNational}, "+33145678", "0033145678"},
		{Numbering{Format: FormatNational, Country: "1"}, "+12125550100", "12125550100"},
		{Numbering{Format: FormatNational, Country: "39"}, "+390612345", "0612345"},
		{Numbering{Format: FormatNational, Country: "49"}, "110", "110"},
		{Numbering{Strip: 2, Prefix: "77"}, "+4930123456", "77+30123456"},
		{Numbering{Format: FormatPlain, Strip: 20}, "+4930", ""},
		{Numbering{Prefix: "99", Out: []Rule{rule(t, `99\+(49.*)=>0$1`)}}, "+4930", "04930"},
		{Numbering{Out: []Rule{rule(t, "11[02]=>+49$0"), rule(t, "110=>never")}}, "110", "+49110"},
	} {
		if got := c.n.Outgoing(c.number); got != c.want {
			t.Errorf("%+v: %s goes out as %q, want %q", c.n, c.number, got, c.want)
		}
	}
}

func TestIncoming(t *testing.T) {
	german := Numbering{Country: "49", Area: "30", Own: []Range{{"+4930123450", "+4930123459"}}}
	for _, c := range []struct {
		n          Numbering
		user, want string
		ok         bool
	}{
		{german, "+4930123456", "+4930123456", true},
		{german, "+49 (30) 123-456", "+4930123456", true},
		{german, "004930123456", "+4930123456", true},
		{german, "030123456", "+4930123456", true},
		{german, "4930123456", "+4930123456", true},
		{german, "123456", "+4930123456", true},
		{german, "00331456", "+331456", true},
		{german, "anonymous", "anonymous", false},
		{german, "", "", false},
		{german, "+", "+", false},
		{german, "+49;x=y", "+49;x=y", false},
		{Numbering{Country: "1"}, "2125550100", "+12125550100", true},
		{Numbering{Country: "1"}, "12125550100", "+12125550100", true},
		{Numbering{Country: "1"}, "0114930123", "+4930123", true},
		{Numbering{Country: "39"}, "0612345", "+390612345", true},
		{Numbering{}, "030123456", "030123456", false},
		{Numbering{Format: FormatPlain}, "4930123456", "+4930123456", true},
		{Numbering{Country: "49", In: []Rule{rule(t, "9(.*)=>+44$1")}}, "9123", "+44123", true},
		{Numbering{Country: "49", In: []Rule{rule(t, ".*=>")}}, "9123", "9123", false},
	} {
		if got, ok := c.n.Incoming(c.user); got != c.want || ok != c.ok {
			t.Errorf("%+v: %q is %q %v, want %q %v", c.n, c.user, got, ok, c.want, c.ok)
		}
	}
}

// Whatever goes out comes back as the same number.
func TestNumbersBothWays(t *testing.T) {
	for _, country := range []string{"49", "1", "39", "33", "7", "36"} {
		for _, f := range []Format{FormatE164, FormatExit, FormatNational, FormatPlain} {
			n := Numbering{Format: f, Country: country}
			for _, number := range []string{"+" + country + "2125550100", "+442071838750"} {
				if f == FormatNational && country == "39" && number[:3] == "+39" {
					continue // without its leading zero it is no number of Italy
				}
				if f == FormatPlain && number[1:3] == "44" && country == "1" {
					continue // 442071838750 is as good as a number with an area code
				}
				if got, ok := n.Incoming(n.Outgoing(number)); got != number || !ok {
					t.Errorf("country %s, format %d: %s goes out as %s and comes back as %s", country, f, number, n.Outgoing(number), got)
				}
			}
		}
	}
}

func TestPresent(t *testing.T) {
	base := Settings{Servers: []sip.URI{sip.MustParseURI("sip:sip.provider.example")}, Login: Login{User: "u1"},
		Numbering: Numbering{Own: []Range{{"+4930100", "+4930199"}}}}
	with := func(change func(*Settings)) Settings {
		s := base
		change(&s)
		return s
	}
	own, foreign := Caller{Number: "+4930123", Name: "Alice"}, Caller{Number: "+331456"}
	const anonymous = `"Anonymous" <sip:anonymous@anonymous.invalid>`
	for _, c := range []struct {
		about  string
		set    Settings
		caller Caller
		want   string
	}{
		{"own number", base, own, `"Alice" <sip:+4930123@sip.provider.example;user=phone> P-Asserted-Identity: <sip:+4930123@sip.provider.example;user=phone>`},
		{"foreign number", base, foreign, `<sip:+4930100@sip.provider.example;user=phone> P-Asserted-Identity: <sip:+4930100@sip.provider.example;user=phone>`},
		{"foreign number, as it is", with(func(s *Settings) { s.Shown.Rule = ShowAsIs }), foreign, `<sip:+331456@sip.provider.example;user=phone> P-Asserted-Identity: <sip:+331456@sip.provider.example;user=phone>`},
		{"default", with(func(s *Settings) { s.Shown = Shown{Rule: ShowDefault, Default: "+4930111", Asserted: AssertPPI} }), own,
			`"Alice" <sip:+4930111@sip.provider.example;user=phone> P-Preferred-Identity: <sip:+4930111@sip.provider.example;user=phone>`},
		{"hidden", base, Caller{Number: "+4930123", Name: "Alice", Hidden: true}, anonymous + ` P-Asserted-Identity: <sip:+4930123@sip.provider.example;user=phone> Privacy: id`},
		{"hidden, for a provider of old", with(func(s *Settings) { s.Shown.Asserted = AssertRPID }), Caller{Number: "+4930123", Hidden: true},
			anonymous + ` Remote-Party-ID: <sip:+4930123@sip.provider.example;user=phone>;party=calling;screen=yes;privacy=full Privacy: id`},
		{"nobody is shown", with(func(s *Settings) { s.Shown = Shown{Rule: ShowAnonymous, Asserted: AssertNone} }), own, anonymous + " Privacy: id"},
		{"by user", with(func(s *Settings) { s.Shown.ByUser = true; s.Login.Domain = "voice.example" }), own,
			`"Alice" <sip:u1@voice.example> P-Asserted-Identity: <sip:+4930123@voice.example;user=phone>`},
		{"no number", with(func(s *Settings) { s.Numbering = Numbering{} }), Caller{}, `<sip:u1@sip.provider.example> P-Asserted-Identity: <sip:u1@sip.provider.example>`},
		{"nothing at all", with(func(s *Settings) { s.Numbering, s.Login = Numbering{}, Login{} }), Caller{}, anonymous},
		{"in its format", with(func(s *Settings) {
			s.Numbering.Format, s.Numbering.Country, s.Shown.Asserted = FormatNational, "49", AssertNone
		}), own,
			`"Alice" <sip:030123@sip.provider.example;user=phone>`},
	} {
		from, headers := c.set.present(c.caller)
		got := from.String()
		for _, h := range headers {
			got += fmt.Sprintf(" %s: %s", h.Name, h.Value)
		}
		if got != c.want {
			t.Errorf("%s:\n%s, want\n%s", c.about, got, c.want)
		}
	}
}

// A call that came in proven and is sent on keeps its proof, with a div token behind it; where its caller is shown as another, the trunk speaks for the call. RFC 8946 §4.1; RFC 8588 §4.
func TestProve(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer := &passport.Signer{Key: key, URL: "https://certs.example.org/1.pem"}
	in := sip.NewRequest(sip.MethodInvite, sip.MustParseURI("sip:+4930111@pbx.example;user=phone"))
	in.Set(sip.HeaderFrom, "<sip:+331456@carrier.example;user=phone>;tag=1")
	in.Set(sip.HeaderTo, "<sip:+4930111@pbx.example;user=phone>")
	if err := signer.Attest(in, passport.Full, "their-id"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		about string
		rule  CallerID
		calls []string // with these identities
		want  string   // the types of the tokens
	}{
		{"sent on as it came", ShowAsIs, []string{in.Get(sip.HeaderIdentity)}, "shaken div"},
		{"sent on with a number of ours", ShowNumber, []string{in.Get(sip.HeaderIdentity)}, "shaken"},
		{"came without proof", ShowAsIs, nil, "shaken"},
	} {
		set := &Settings{Servers: []sip.URI{sip.MustParseURI("sip:sip.provider.example")}, Numbering: Numbering{Own: []Range{{"+4930100", "+4930199"}}}, Shown: Shown{Rule: c.rule}, Signer: signer}
		l := &line{set: set, instance: urn("0123456789abcdef0123456789abcdef")}
		call := Call{Number: "+351789", Caller: Caller{Number: "+331456"}, Identity: c.calls}
		w := Way{To: sip.Address{URI: set.address(call.Number)}}
		w.From, w.Headers = set.present(call.Caller)
		headers, err := l.prove(call, w)
		if err != nil {
			t.Fatal(err)
		}
		var types []string
		for _, h := range headers {
			if h.Name == sip.HeaderIdentity {
				id, err := sip.ParseIdentity(h.Value)
				if err != nil {
					t.Fatal(err)
				}
				types = append(types, id.Type)
			}
		}
		if got := strings.Join(types, " "); got != c.want {
			t.Errorf("%s: tokens %q, want %q", c.about, got, c.want)
		}
	}
}
