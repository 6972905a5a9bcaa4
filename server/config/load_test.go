// Precedence of the sources, and what each wrong setting is answered with.

package config

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip/digest"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sipwerk.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func environment(pairs map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := pairs[name]; return v, ok }
}

func TestPrecedence(t *testing.T) {
	file := write(t, "domain: file.example\nlog.level: warn\nlimits:\n  calls: 7\n  per-source: 9\ndrain: 5s\n")
	c, err := Load(Input{
		File:  file,
		Env:   environment(map[string]string{"SIPWERK_DOMAIN": "env.example", "SIPWERK_LIMITS_CALLS": "8", "HOME": "/home/ann"}),
		Flags: map[string]string{"domain": "flag.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Domain != "flag.example" || c.Limits.Calls != 8 || c.Limits.PerSource != 9 || c.Drain != 5*time.Second || c.Log.Level != "warn" {
		t.Errorf("got %+v", c)
	}
	if c.Data != "/home/ann/.local/share/sipwerk" {
		t.Errorf("data folder %q", c.Data)
	}
	for name, want := range map[string]string{
		"domain": "--domain", "limits.calls": "SIPWERK_LIMITS_CALLS", "limits.per-source": "sipwerk.yaml line 5", "http": "",
	} {
		if got := c.Origin(name); got != want {
			t.Errorf("origin of %s: %q, want %q", name, got, want)
		}
	}
}

func TestDefaultData(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		root bool
		want string
	}{
		{nil, true, "/var/lib/sipwerk"},
		{map[string]string{"XDG_DATA_HOME": "/x", "HOME": "/h"}, false, "/x/sipwerk"},
		{map[string]string{"XDG_DATA_HOME": "relative", "HOME": "/h"}, false, "/h/.local/share/sipwerk"},
		{nil, false, filepath.Join(os.TempDir(), "sipwerk")},
	} {
		if got := defaultData(environment(c.env), c.root); got != c.want {
			t.Errorf("%v root %v: %q, want %q", c.env, c.root, got, c.want)
		}
	}
}

func TestLists(t *testing.T) {
	for _, text := range []string{
		"listen: [\"udp://:5070\", tcp://:5070]\ntrust: [10.1.2.3/8, 192.0.2.1, 2001:db8::/32]",
		"listen:\n  - udp://:5070\n  - tcp://:5070\ntrust: 10.1.2.3/8, 192.0.2.1, 2001:db8::/32 # peers",
	} {
		c, err := Load(Input{File: write(t, text)})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Join(c.Listen, " ") != "udp://:5070 tcp://:5070" {
			t.Errorf("listen %q", c.Listen)
		}
		if len(c.Trust) != 3 || c.Trust[0] != netip.MustParsePrefix("10.0.0.0/8") || c.Trust[1] != netip.MustParsePrefix("192.0.2.1/32") {
			t.Errorf("trust %v", c.Trust)
		}
	}
}

func TestDigest(t *testing.T) {
	for _, in := range []Input{
		{File: write(t, "digest: [SHA-256, md5]")},
		{Env: environment(map[string]string{"SIPWERK_DIGEST": "sha-256,MD5"})},
		{Flags: map[string]string{"digest": "SHA-256, MD5"}},
	} {
		c, err := Load(in)
		if err != nil {
			t.Fatal(err)
		}
		if want := []digest.Algorithm{digest.SHA256, digest.MD5}; !slices.Equal(c.Digest, want) {
			t.Errorf("%v, want %v", c.Digest, want)
		}
	}
}

// TestRefused holds one broken file a line; each message names where, the field and the cure.
func TestRefused(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"lisen: udp://:5060", "sipwerk.yaml line 1: lisen: no such field; did you mean listen?"},
		{"domain: a.example\n\ntls:\n  certifcate: x", "sipwerk.yaml line 4: tls.certifcate: no such field; did you mean tls.certificate?"},
		{"colour: red", "sipwerk.yaml line 1: colour: no such field; see `sipwerk serve --help` for the names there are"},
		{"- a", "sipwerk.yaml line 1: a value stands where names are expected; write `name: value`"},
		{"tls: yes", "sipwerk.yaml line 1: tls: a value stands where names are expected; write `name: value`"},
		{"domain: {a: b}", "sipwerk.yaml line 1: domain: a mapping is no value here; write a plain value or a list of them"},
		{"domain: a.example\ntls.key: a\ntls:\n  key: b", "sipwerk.yaml line 4: tls.key: given before in line 2; keep one of them"},
		{"domain: a b", `sipwerk.yaml line 1: domain: "a b" is no domain; write a host name or an address such as example.org`},
		{"listen: []", "sipwerk.yaml line 1: listen: no listener is named; write one such as udp://:5060"},
		{"listen: sctp://:5060", `sipwerk.yaml line 1: listen: sctp://:5060: "sctp" is no transport; write one of udp, tcp, tls, ws, wss`},
		{"listen: udp://host.example:5060", `sipwerk.yaml line 1: listen: udp://host.example:5060: "host.example" is no IP address; write one of this machine's, or none for all`},
		{"listen: udp://:99999", `sipwerk.yaml line 1: listen: udp://:99999: "99999" is no port; write a number from 0 to 65535`},
		{"listen: 5060", `sipwerk.yaml line 1: listen: "5060" is no listener; write one such as udp://192.0.2.1:5060`},
		{"listen: udp://:5060?x=y", "sipwerk.yaml line 1: listen: udp://:5060?x=y: only ?advertise=host:port may follow the address; write it so"},
		{"listen: udp://:5060,udp://:5060", "sipwerk.yaml line 1: listen: udp://:5060 is named twice; keep one"},
		{"advertise: 1.2.3.4:5", `sipwerk.yaml line 1: advertise: "1.2.3.4:5" is no host; write a name or an address such as 203.0.113.7, without port`},
		{"http: 0.0.0.0:80", "sipwerk.yaml line 1: http: 0.0.0.0:80 is not on loopback, and anyone there could read the metrics; write one such as 127.0.0.1:80"},
		{"http: here", `sipwerk.yaml line 1: http: "here" is no address with a port; write one such as 127.0.0.1:8060, or off`},
		{"trust: [10.0.0.0/33]", `sipwerk.yaml line 1: trust: "10.0.0.0/33" is no address prefix; write one such as 192.0.2.0/24`},
		{"digest: [MD5, SHA-1]", `sipwerk.yaml line 1: digest: "SHA-1" is no algorithm; write one or more of MD5, SHA-256, SHA-512-256`},
		{"digest: md5, MD5", "sipwerk.yaml line 1: digest: MD5 is named twice; write one or more of MD5, SHA-256, SHA-512-256, each once"},
		{"digest: []", "sipwerk.yaml line 1: digest: no algorithm is named; write one or more of MD5, SHA-256, SHA-512-256"},
		{"drain: soon", `sipwerk.yaml line 1: drain: "soon" is no time span up to a day; write one such as 30s or 5m`},
		{"media:\n  kinds: bob", `sipwerk.yaml line 2: media.kinds: "bob" is no account with a kind; write one such as bob=sdes, with plain, opportunistic, sdes, dtls or webrtc`},
		{"media:\n  kinds: =sdes", `sipwerk.yaml line 2: media.kinds: "=sdes" names no account; write one such as bob=sdes`},
		{"media:\n  ports: 20000", `sipwerk.yaml line 2: media.ports: "20000" is no port range; write first and last port such as 20000-29999`},
		{"media:\n  ports: 20000-20001", `sipwerk.yaml line 2: media.ports: "20000-20001" holds less than the four ports of one call; write first and last port such as 20000-29999`},
		{"media:\n  advertise: 0.0.0.0", `sipwerk.yaml line 2: media.advertise: "0.0.0.0" is no IP address; write one such as 203.0.113.7`},
		{"tls:\n  certificate: a.pem", "sipwerk.yaml line 2: tls.certificate: certificate and key belong together; name both tls.certificate and tls.key"},
		{"tls:\n  certificate: /no/a.pem\n  key: /no/b.pem", "sipwerk.yaml line 2: tls.certificate: cannot read the file: /no/a.pem: no such file or directory; name PEM files that exist and may be read"},
		{"calls: {session-expires: 1m}", `sipwerk.yaml line 1: calls.session-expires: "1m" is no time span from 1m30s to 24h; write one, or 0 for none`},
		{"calls: {session-expires: 2m, min-session: 3m}", "sipwerk.yaml line 1: calls.session-expires: 2m is less than calls.min-session, 3m; write at least that, or 0 for none"},
		{"calls: {min-session: 0}", `sipwerk.yaml line 1: calls.min-session: "0" is no time span from 1m30s to 24h; write one`},
		{"calls: {ring-time: soon}", `sipwerk.yaml line 1: calls.ring-time: "soon" is no time span from 1s to 1h; write one`},
		{"registrations: {service-route: 'sip:edge.example.org'}", `sipwerk.yaml line 1: registrations.service-route: "sip:edge.example.org" is no route; write a SIP URI with ;lr such as sip:edge.example.org;lr`},
		{"registrations: {service-route: 'tel:1;lr'}", `sipwerk.yaml line 1: registrations.service-route: "tel:1;lr" is no route; write a SIP URI with ;lr such as sip:edge.example.org;lr`},
		{"turn: {listen: 'ws://:3478'}", `sipwerk.yaml line 1: turn.listen: ws://:3478: "ws" is no transport; write one of udp, tcp, tls`},
		{"turn: {listen: 'udp://192.0.2.1'}", `sipwerk.yaml line 1: turn.listen: "udp://192.0.2.1" is no listener; write one such as udp://:3478`},
		{"turn: {listen: []}", "sipwerk.yaml line 1: turn.listen: no listener is named; write one such as udp://:3478, or off"},
		{"turn: {listen: 'off, udp://:3478'}", `sipwerk.yaml line 1: turn.listen: "off" is no listener; write one such as udp://192.0.2.1:5060`},
		{"turn: {relays: 0}", `sipwerk.yaml line 1: turn.relays: "0" is no number from 1 to 10000; write one`},
		{"log.level: loud", `sipwerk.yaml line 1: log.level: "loud" is not known; write one of debug, info, warn, error`},
		{"limits: {calls: 0}", `sipwerk.yaml line 1: limits.calls: "0" is no number from 1 to 1000000; write one`},
		{"a: [", "sipwerk.yaml line 1: this is no YAML: "},
		{"\tdomain: x", "sipwerk.yaml line 1: this is no YAML: "},
		{"domain: a.example\ndomain: b.example", "sipwerk.yaml line 2: "},
	} {
		_, err := Load(Input{File: write(t, c.file)})
		var ce *Error
		if !errors.As(err, &ce) {
			t.Errorf("%q: error %v is no *Error", c.file, err)
			continue
		}
		if got := err.Error(); got != c.want && !(strings.HasSuffix(c.want, ": ") && strings.HasPrefix(got, c.want)) {
			t.Errorf("%q:\n got %s\nwant %s", c.file, got, c.want)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: more than one line: %s", c.file, err)
		}
	}
}

func TestRefusedElsewhere(t *testing.T) {
	for _, c := range []struct {
		in   Input
		want string
	}{
		{Input{File: "/no/such.yaml"}, "--config: cannot read the file: /no/such.yaml: no such file or directory; name one that exists and may be read"},
		{Input{Env: environment(map[string]string{"SIPWERK_HTTP": "x"})}, `SIPWERK_HTTP: "x" is no address with a port; write one such as 127.0.0.1:8060, or off`},
		{Input{Flags: map[string]string{"limits.calls": "many"}}, `--limits-calls: "many" is no number from 1 to 1000000; write one`},
		{Input{Flags: map[string]string{"data": ""}}, "--data: no folder is named; write one such as /var/lib/sipwerk"},
		{Input{Flags: map[string]string{"data": "/dev/null"}}, "--data: /dev/null is no folder; name another"},
	} {
		if _, err := Load(c.in); err == nil || err.Error() != c.want {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
	}
}

func TestSessionTimersOff(t *testing.T) {
	c, err := Load(Input{Flags: map[string]string{"calls.session-expires": "0", "calls.min-session": "5m"}})
	if err != nil || c.Calls.SessionExpires != 0 {
		t.Errorf("%v, %v", c, err)
	}
}

// TestExamples feeds every field its own example and reads it back.
func TestExamples(t *testing.T) {
	for _, f := range Default(environment(nil), true).Fields() {
		if f.Doc == "" || f.Example == "" {
			t.Errorf("%s: no doc or no example", f.Name)
		}
		if err := f.Value.Set(f.Example); err != nil {
			t.Errorf("%s: its example is refused: %v", f.Name, err)
		}
		if got := f.Value.String(); got != f.Example {
			t.Errorf("%s: example %q reads back as %q", f.Name, f.Example, got)
		}
	}
}

// FuzzYAML: no file makes the reader panic, and every refusal is one line.
func FuzzYAML(f *testing.F) {
	for _, s := range []string{"domain: x", "tls:\n  key: a\n", "- a", "a: &x [1]\nb: *x", "trust: [10.0.0.0/8]", "? a\n: b", "---\n---\n", "limits: {calls: 1_0}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := Default(environment(nil), true)
		if err := c.readYAML("sipwerk.yaml", []byte(s)); err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("more than one line: %q", err)
		}
	})
}
