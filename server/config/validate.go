// What must hold for a configuration to be used. Each error names the field and the cure.

package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Validate checks c as a whole and returns the first thing that is wrong as an [*Error]. It touches no socket.
func (c *Config) Validate() error {
	for _, check := range []struct {
		field string
		f     func() error
	}{
		{"data", c.checkData},
		{"domain", c.checkDomain},
		{"listen", c.checkListen},
		{"advertise", c.checkAdvertise},
		{"media.kinds", c.checkKinds},
		{"http", c.checkHTTP},
		{"tls.certificate", c.checkTLS},
		{"calls.session-expires", c.checkSessions},
		{"turn.listen", c.checkTurnListen},
		{"registrations.service-route", c.checkServiceRoute},
	} {
		if err := check.f(); err != nil {
			return &Error{Where: c.origin[check.field], Field: check.field, Problem: err.Error()}
		}
	}
	return nil
}

func (c *Config) checkData() error {
	if c.Data == "" {
		return fmt.Errorf("no folder is named; write one such as /var/lib/sipwerk")
	}
	if st, err := os.Stat(c.Data); err == nil && !st.IsDir() {
		return fmt.Errorf("%s is no folder; name another", c.Data)
	}
	return nil
}

func (c *Config) checkDomain() error {
	if c.Domain == "" || IsHost(c.Domain) {
		return nil
	}
	return fmt.Errorf("%q is no domain; write a host name or an address such as example.org", c.Domain)
}

func (c *Config) checkListen() error {
	if len(c.Listen) == 0 {
		return fmt.Errorf("no listener is named; write one such as udp://:5060")
	}
	seen := make(map[string]bool)
	for _, l := range c.Listen {
		if err := checkListener(l, "udp", "tcp", "tls", "ws", "wss"); err != nil {
			return err
		}
		if seen[l] && !strings.HasSuffix(l, ":0") {
			return fmt.Errorf("%s is named twice; keep one", l)
		}
		seen[l] = true
	}
	return nil
}

// checkListener checks one listener URL with one of these transports.
func checkListener(l string, transports ...string) error {
	u, err := url.Parse(l)
	if err != nil || u.Host == "" || u.User != nil || (u.Path != "" && u.Path != "/") {
		return fmt.Errorf("%q is no listener; write one such as udp://192.0.2.1:5060", l)
	}
	if !slices.Contains(transports, u.Scheme) {
		return fmt.Errorf("%s: %q is no transport; write one of %s", l, u.Scheme, strings.Join(transports, ", "))
	}
	if host := u.Hostname(); host != "" {
		if _, err := netip.ParseAddr(host); err != nil {
			return fmt.Errorf("%s: %q is no IP address; write one of this machine's, or none for all", l, host)
		}
	}
	if p, err := strconv.ParseUint(u.Port(), 10, 16); u.Port() != "" && (err != nil || p > 65535) {
		return fmt.Errorf("%s: %q is no port; write a number from 0 to 65535", l, u.Port())
	}
	for key, v := range u.Query() {
		if key != "advertise" || len(v) != 1 || !isHostPort(v[0]) {
			return fmt.Errorf("%s: only ?advertise=host:port may follow the address; write it so", l)
		}
	}
	return nil
}

func (c *Config) checkKinds() error {
	for _, pair := range c.Media.Kinds {
		account, kind, _ := strings.Cut(pair, "=")
		switch kind {
		case "plain", "opportunistic", "sdes", "dtls", "webrtc":
		default:
			return fmt.Errorf("%q is no account with a kind; write one such as bob=sdes, with plain, opportunistic, sdes, dtls or webrtc", pair)
		}
		if account == "" {
			return fmt.Errorf("%q names no account; write one such as bob=sdes", pair)
		}
	}
	return nil
}

func (c *Config) checkAdvertise() error {
	if c.Advertise == "" || IsHost(c.Advertise) {
		return nil
	}
	return fmt.Errorf("%q is no host; write a name or an address such as 203.0.113.7, without port", c.Advertise)
}

func (c *Config) checkHTTP() error {
	if c.HTTP == "" || c.HTTP == "off" {
		return nil
	}
	host, port, err := splitHostPort(c.HTTP)
	if err != nil || port == "" {
		return fmt.Errorf("%q is no address with a port; write one such as 127.0.0.1:8060, or off", c.HTTP)
	}
	if host == "localhost" {
		return nil
	}
	if addr, err := netip.ParseAddr(host); err != nil || !addr.IsLoopback() {
		return fmt.Errorf("%s is not on loopback, and anyone there could read the metrics; write one such as 127.0.0.1:%s", c.HTTP, port)
	}
	return nil
}

func (c *Config) checkTLS() error {
	switch cert, key := c.TLS.Certificate, c.TLS.Key; {
	case cert == "" && key == "":
		return nil
	case cert == "" || key == "":
		return fmt.Errorf("certificate and key belong together; name both tls.certificate and tls.key")
	}
	for _, file := range []string{c.TLS.Certificate, c.TLS.Key} {
		f, err := os.Open(file)
		if err != nil {
			return fmt.Errorf("cannot read the file: %w; name PEM files that exist and may be read", cause(err))
		}
		f.Close()
	}
	return nil
}

// shortestSession is the least time of RFC 4028 §4.
const shortestSession = 90 * time.Second

func (c *Config) checkSessions() error {
	if s := c.Calls.SessionExpires; s > 0 && s < c.Calls.MinSE {
		return fmt.Errorf("%s is less than calls.min-session, %s; write at least that, or 0 for none", written(s), written(c.Calls.MinSE))
	}
	return nil
}

func (c *Config) checkTurnListen() error {
	if c.Turn.Off() {
		return nil
	}
	if len(c.Turn.Listen) == 0 {
		return fmt.Errorf("no listener is named; write one such as udp://:3478, or off")
	}
	for _, l := range c.Turn.Listen {
		if err := checkListener(l, "udp", "tcp", "tls"); err != nil {
			return err
		}
		if u, err := url.Parse(l); err != nil || u.Port() == "" || u.RawQuery != "" {
			return fmt.Errorf("%q is no listener; write one such as udp://:3478", l)
		}
	}
	return nil
}

func (c *Config) checkServiceRoute() error {
	for _, route := range c.Registrations.ServiceRoute {
		uri, err := sip.ParseURI(route)
		if err != nil || !uri.IsSIP() || uri.Host == "" || !uri.Loose() {
			return fmt.Errorf("%q is no route; write a SIP URI with ;lr such as sip:edge.example.org;lr", route)
		}
	}
	return nil
}

// IsHost reports whether s is a host name, an IPv4 address or an IPv6 address with or without brackets.
func IsHost(s string) bool {
	if _, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return true
	}
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if !isLabel(label) {
			return false
		}
	}
	return true
}

func isLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// isHostPort reports whether s is a host with an optional port.
func isHostPort(s string) bool {
	host, port, err := splitHostPort(s)
	if err != nil {
		return IsHost(s)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0 && IsHost(host)
}

// splitHostPort takes "host:port" apart; a port is digits only.
func splitHostPort(s string) (host, port string, err error) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || strings.Contains(s[:i], ":") && !strings.HasPrefix(s, "[") {
		return "", "", fmt.Errorf("%q has no port", s)
	}
	host, port = strings.Trim(s[:i], "[]"), s[i+1:]
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", "", fmt.Errorf("%q has no port", s)
	}
	return host, port, nil
}
