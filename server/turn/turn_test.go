package turn

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	pion "github.com/pion/turn/v5"
)

var loopback = netip.MustParseAddr("127.0.0.1")

// newServer starts a server on loopback, whose relays reach the media ports of loopback. change, if not nil, changes its configuration.
func newServer(t *testing.T, change func(*Config)) *Server {
	t.Helper()
	c := Config{
		Listen: []string{"udp://127.0.0.1:0", "tcp://127.0.0.1:0", "tls://127.0.0.1:0"},
		Realm:  "example.org", Key: Key("a key"), Knows: func(a string) bool { return a == "alice@example.org" },
		Addresses: []netip.Addr{loopback}, Ports: Range{49152, 65535}, TLS: selfSigned(t),
		Reach:  Reach{Private: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
		Limits: Limits{Quota: 2, Connections: 10, PerSource: 5},
	}
	if change != nil {
		change(&c)
	}
	s, err := Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func selfSigned(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// client connects to the nth listener with a credential.
func client(t *testing.T, s *Server, nth int, c Credential) *pion.Client {
	t.Helper()
	var conn net.PacketConn
	var err error
	at := s.Addrs()[nth].String()
	switch nth {
	case 0:
		conn, err = net.ListenPacket("udp4", "127.0.0.1:0")
	case 1:
		var tcp net.Conn
		if tcp, err = net.Dial("tcp", at); err == nil {
			conn = pion.NewSTUNConn(tcp)
		}
	case 2:
		var secured *tls.Conn
		if secured, err = tls.Dial("tcp", at, &tls.Config{InsecureSkipVerify: true}); err == nil {
			conn = pion.NewSTUNConn(secured)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	k, err := pion.NewClient(&pion.ClientConfig{STUNServerAddr: at, TURNServerAddr: at, Username: c.Username, Password: c.Password, Realm: "example.org", Conn: conn})
	if err == nil {
		err = k.Listen()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close(); conn.Close() })
	return k
}

// eventually waits until the counts are as f wants.
func eventually(t *testing.T, s *Server, f func(Counts) bool) {
	t.Helper()
	limit := time.After(time.Minute)
	for !f(s.Counts()) {
		select {
		case <-limit:
			t.Fatalf("counts %+v", s.Counts())
		case <-time.After(time.Millisecond):
		}
	}
}

func hour() time.Time { return time.Now().Add(time.Hour) }

// echo is a peer that sends back what it gets.
func echo(t *testing.T) net.Addr {
	t.Helper()
	peer, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := peer.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = peer.WriteTo(b[:n], from)
		}
	}()
	return peer.LocalAddr()
}

// TestRelay: RFC 8656 §7, RFC 8656 §11 over all transports, and RFC 8489 §2: how a client is seen.
func TestRelay(t *testing.T) {
	peer := echo(t)
	port := peer.(*net.UDPAddr).AddrPort().Port()
	s := newServer(t, func(c *Config) { c.Reach.Media = []Range{{port, port}} })
	for nth, name := range []string{"udp", "tcp", "tls"} {
		t.Run(name, func(t *testing.T) {
			k := client(t, s, nth, s.config.Key.Issue("alice@example.org", hour()))
			if nth == 0 {
				if seen, err := k.SendBindingRequest(); err != nil || !strings.HasPrefix(seen.String(), "127.0.0.1:") {
					t.Errorf("seen as %v, %v", seen, err)
				}
			}
			relay, err := k.Allocate()
			if err != nil {
				t.Fatal(err)
			}
			defer relay.Close()
			b := make([]byte, 100)
			_ = relay.SetReadDeadline(time.Now().Add(time.Minute))
			if _, err := relay.WriteTo([]byte("hello"), peer); err != nil {
				t.Fatal(err)
			}
			n, from, err := relay.ReadFrom(b)
			if err != nil || string(b[:n]) != "hello" || from.String() != peer.String() {
				t.Errorf("got %q from %v, %v", b[:n], from, err)
			}
		})
	}
	if c := s.Counts(); c.Opened != 3 || c.Denied+c.Dropped+c.Quota != 0 {
		t.Errorf("counts %+v", c)
	}
}

// TestOwnPorts: a relay reaches no port of this machine but those of media; the web interface of the machine next to it stays closed.
func TestOwnPorts(t *testing.T) {
	peer := echo(t)
	s := newServer(t, nil)
	relay, err := client(t, s, 0, s.config.Key.Issue("alice@example.org", hour())).Allocate()
	if err != nil {
		t.Fatal(err)
	}
	defer relay.Close()
	if _, err := relay.WriteTo([]byte("hello"), peer); err != nil {
		t.Fatal(err)
	}
	if _, err := relay.WriteTo([]byte("hello"), &net.UDPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 80}); err == nil {
		t.Error("a permission for a private address")
	}
	eventually(t, s, func(c Counts) bool { return c.Dropped >= 2 })
}

// TestCredentials: what is not good gets no relay. RFC 8656 §7.2, RFC 8489 §9.2.
func TestCredentials(t *testing.T) {
	s := newServer(t, nil)
	good := s.config.Key.Issue("alice@example.org", hour())
	for name, c := range map[string]Credential{
		"other key":    Key("another").Issue("alice@example.org", hour()),
		"expired":      s.config.Key.Issue("alice@example.org", time.Now().Add(-time.Second)),
		"longer time":  {Username: "9" + good.Username, Password: good.Password},
		"unknown":      s.config.Key.Issue("mallory@example.org", hour()),
		"no time":      {Username: "alice@example.org", Password: good.Password},
		"other person": {Username: good.Username[:10] + ":bob@example.org", Password: good.Password},
	} {
		if _, err := client(t, s, 0, c).Allocate(); err == nil {
			t.Errorf("%s: a relay", name)
		}
	}
	eventually(t, s, func(c Counts) bool { return c.Denied >= 6 })
}

// TestQuota: RFC 8656 §7.2, 486.
func TestQuota(t *testing.T) {
	s := newServer(t, nil)
	c := s.config.Key.Issue("alice@example.org", hour())
	var relays []net.PacketConn
	for range 2 {
		relay, err := client(t, s, 0, c).Allocate()
		if err != nil {
			t.Fatal(err)
		}
		relays = append(relays, relay)
	}
	other := s.config.Key.Issue("alice@example.org", hour().Add(time.Minute))
	if _, err := client(t, s, 0, other).Allocate(); err == nil || s.Counts().Quota != 1 {
		t.Errorf("error %v, %+v", err, s.Counts())
	}
	_ = relays[0].Close()
	eventually(t, s, func(c Counts) bool { return c.Relays < 2 })
	if _, err := client(t, s, 0, other).Allocate(); err != nil {
		t.Errorf("error %v after one was given back", err)
	}
}

// TestReach: RFC 8656 §21.
func TestReach(t *testing.T) {
	r := Reach{
		Private: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")},
		Own: func() []netip.Addr {
			return []netip.Addr{netip.MustParseAddr("192.168.1.5"), netip.MustParseAddr("203.0.113.5"), netip.MustParseAddr("10.1.0.5")}
		},
		Media: []Range{{16384, 32767}},
	}
	for at, want := range map[string]bool{
		"198.51.100.1:9": true, "[2001:db8::1]:9": true, "10.1.2.3:80": true,
		"10.0.0.1:9": false, "172.16.0.1:9": false, "192.168.1.6:9": false, "100.64.0.1:9": false, "169.254.169.254:80": false, "[fe80::1]:9": false, "[fd00::1]:9": false,
		"127.0.0.1:20000": false, "[::1]:20000": false, "[::ffff:127.0.0.1]:20000": false, "[::ffff:10.0.0.1]:9": false, "[64:ff9b::a00:1]:9": false, "[2002:a00:1::]:9": false,
		"0.0.0.0:9": false, "[::]:9": false, "224.0.0.1:9": false, "255.255.255.255:9": false, "[ff02::1]:9": false,
		"192.168.1.5:20000": true, "192.168.1.5:5060": false, "203.0.113.5:16384": true, "203.0.113.5:22": false, "10.1.0.5:5060": false, "10.1.0.5:20000": true,
	} {
		if got := r.Peer(netip.MustParseAddrPort(at)); got != want {
			t.Errorf("%s: %v", at, got)
		}
	}
	if r.Host(netip.Addr{}) {
		t.Error("no address is reached")
	}
}

// TestStrangers: whoever shows no credentials gets few answers a second, for the source may be forged.
func TestStrangers(t *testing.T) {
	g := newGate(nil, nil)
	at := &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1}
	now := time.Unix(1000, 0)
	passed := 0
	for range 100 {
		if g.admit(at, now) {
			passed++
		}
	}
	if passed != strangers || !g.admit(at, now.Add(time.Second)) {
		t.Errorf("%d passed in a second", passed)
	}
	request := append([]byte{0, 3, 0, 8, 0x21, 0x12, 0xa4, 0x42}, make([]byte, 20)...)
	integrity := slices.Clone(request)
	integrity[21] = 8
	for name, c := range map[string]struct {
		b    []byte
		want bool
	}{
		"allocate": {request, false}, "integrity": {integrity, true}, "channel data": {[]byte{0x40, 0, 0, 1, 9}, true}, "indication": {append([]byte{0, 0x16}, request[2:]...), true},
		"cut": {request[:22], false}, "empty": {nil, true},
	} {
		if got := proves(c.b); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzProves(f *testing.F) {
	f.Add(make([]byte, 40))
	f.Fuzz(func(_ *testing.T, b []byte) { proves(b) })
}

// TestConnections: a source has so many, a failed handshake gives its place back, and closing the server closes them.
func TestConnections(t *testing.T) {
	s := newServer(t, nil)
	at := s.Addrs()[2].String()
	for range 30 { // more than a source may have, one after another
		c, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte("GET / HTTP/1.0\r\n\r\n"))
		_ = c.SetReadDeadline(time.Now().Add(time.Minute))
		for b := make([]byte, 100); err == nil; {
			_, err = c.Read(b)
		}
		if n, ok := err.(net.Error); ok && n.Timeout() {
			t.Fatal("the connection stays open")
		}
		c.Close()
	}
	var open []net.Conn
	for range 6 {
		c, err := net.Dial("tcp", s.Addrs()[1].String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		open = append(open, c)
	}
	_ = open[5].SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := open[5].Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("one connection too many: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range open {
		_ = c.SetReadDeadline(time.Now().Add(time.Minute))
		if _, err := c.Read(make([]byte, 1)); err == nil || isTimeout(err) {
			t.Errorf("after the end: %v", err)
		}
	}
}

func isTimeout(err error) bool {
	n, ok := err.(net.Error)
	return ok && n.Timeout()
}

func TestTaken(t *testing.T) {
	taken, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	url := "udp://" + taken.LocalAddr().String()
	_, err = Start(t.Context(), Config{Listen: []string{"tcp://127.0.0.1:0", url}})
	if e, ok := err.(*ListenError); !ok || e.URL != url {
		t.Errorf("error %v", err)
	}
}
