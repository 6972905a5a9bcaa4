package music

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// served is the connection to a server on no network, from the address that a name stands for.
type served struct {
	net.Conn
	remote netip.AddrPort
}

func (c served) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

// dialTo resolves by names, asks allowed as the dialer of the network does, and has each connection answered by h.
func dialTo(names map[string]string, h http.Handler) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		if to, ok := names[host]; ok {
			host = to
		}
		remote := netip.AddrPortFrom(netip.MustParseAddr(host), 80)
		if err := allowed(ctx, network, remote.String(), nil); err != nil {
			return nil, err
		}
		ours, theirs := net.Pipe()
		go func() { _ = (&http.Server{Handler: h}).Serve(&once{conn: theirs}) }() // it ends behind the one connection
		return served{ours, remote}, nil
	}
}

// once is a listener of one connection.
type once struct{ conn net.Conn }

func (o *once) Accept() (net.Conn, error) {
	c := o.conn
	if o.conn = nil; c == nil {
		return nil, errors.New("no more")
	}
	return c, nil
}
func (o *once) Close() error   { return nil }
func (o *once) Addr() net.Addr { return &net.TCPAddr{} }

// TestRedirects: a server may send us elsewhere a few times, but inside only if it is there itself. The log says what was wrong.
func TestRedirects(t *testing.T) {
	names := map[string]string{"radio.example.net": "198.51.100.7", "other.example.net": "2001:db8::7", "trap.example.net": "10.0.0.7", "radio.lan": "192.168.1.7"}
	for _, c := range []struct {
		from, to, wrong string
		times           int // how often the last one sends on
	}{
		{from: "radio.example.net", to: "http://other.example.net/x"},
		{from: "radio.example.net", to: "/", times: maxRedirects - 1},
		{from: "radio.lan", to: "http://radio.lan/x"},
		{from: "radio.lan", to: "http://127.0.0.1/x"},
		{from: "[::1]", to: "http://192.168.1.9/x"},
		{from: "radio.example.net", to: "/", times: maxRedirects, wrong: "more than 5 redirects"},
		{from: "radio.example.net", to: "ftp://other.example.net/x", wrong: "neither http nor https"},
		{from: "radio.example.net", to: "http://trap.example.net/x", wrong: "10.0.0.7, which is not public"},
		{from: "radio.example.net", to: "http://127.0.0.1/x", wrong: "not public"},
		{from: "radio.example.net", to: "http://169.254.169.254/x", wrong: "not public"},
		{from: "radio.example.net", to: "http://100.100.100.200/x", wrong: "not public"},
		{from: "radio.example.net", to: "http://[::ffff:127.0.0.1]/x", wrong: "not public"},
		{from: "radio.example.net", to: "http://[fe80::1]/x", wrong: "not public"},
		{from: "radio.example.net", to: "http://[fd00::1]/x", wrong: "not public"},
		{from: "radio.example.net", to: "http://0.0.0.0/x", wrong: "not public"},
	} {
		t.Run(fmt.Sprintf("%s %s %d", c.from, c.to, c.times), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				s, log := shelfOf(t, nil)
				s.Client, s.own = nil, newClient(dialTo(names, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if asked++; asked <= 1+c.times {
						http.Redirect(w, r, c.to, http.StatusFound)
						return
					}
					_, _ = w.Write(endless()) // until the listener leaves
				})))
				s.own.Transport.(*web).Proxy = func(*http.Request) (*url.URL, error) { return nil, nil } // whatever the environment says
				source := open(t, s, "http://"+c.from+"/", 8000)
				level, _ := hear(t, source, 8000, 500*time.Millisecond)
				s.Close()
				switch {
				case c.wrong == "" && (level < 1000 || log.Len() > 0):
					t.Errorf("heard at %.0f, %s", level, log)
				case c.wrong != "" && (level > 500 || asked != 1+c.times || !strings.Contains(log.String(), c.wrong)):
					t.Errorf("heard at %.0f, %d requests, %s", level, asked, log)
				}
			})
		})
	}
}

// TestDialer: the dialer of the network itself refuses, and lets in who is there.
func TestDialer(t *testing.T) {
	var asked atomic.Int32
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1); r.URL.Path == "/on" {
			http.Redirect(w, r, "/", http.StatusFound)
			return
		}
		_, _ = w.Write(wave(t, 1))
	}))
	defer web.Close()
	s, _ := shelfOf(t, nil)
	s.Client = nil
	defer s.Close()
	if heard, err := s.Probe(t.Context(), web.URL+"/on"); err != nil || asked.Load() != 2 {
		t.Errorf("%+v %v, %d requests", heard, err, asked.Load())
	}
	dialer := &net.Dialer{ControlContext: allowed}
	ctx := context.WithValue(t.Context(), hopKey{}, &hop{onward: true})
	if conn, err := dialer.DialContext(ctx, "tcp", web.Listener.Addr().String()); err == nil || !strings.Contains(err.Error(), "not public") {
		t.Errorf("%v %v", conn, err)
	}
}

// TestProxy: a proxy inside is no stream inside.
func TestProxy(t *testing.T) {
	h := &hop{home: new(atomic.Bool), proxied: true}
	ctx := context.WithValue(t.Context(), hopKey{}, h)
	if err := allowed(ctx, "tcp", "10.0.0.1:3128", nil); err != nil {
		t.Error(err)
	}
	arrived(ctx, &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 3128})
	if h.home.Load() {
		t.Error("the proxy counts as the server")
	}
}
