package proxy_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"strings"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/service/proxy"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
	"github.com/sipwerk/sipwerk/sip/stack"
	"github.com/sipwerk/sipwerk/sip/transaction"
)

var _ = flag.Bool("update", false, "write the golden ladders")

// domain is the one that the proxy of most tests serves.
const domain = "example.org"

// house is a proxy on a host of the bench, with the people of its domain.
type house struct {
	proxy  *proxy.Proxy
	stack  *stack.Stack
	bench  *siptest.Bench
	host   *network.SimHost
	domain string
	homes  map[string][]proxy.Target
	trust  bool // everybody is
}

// build puts a proxy for a domain, to which that name resolves, on a host called name.
func build(b *siptest.Bench, name, domain string, set ...func(*house)) *house {
	h := &house{bench: b, host: b.Host(name), domain: domain, homes: map[string][]proxy.Target{}}
	b.Net.Names.AddAddr(domain, b.Addr(name))
	random := b.Random(name)
	h.proxy = &proxy.Proxy{Locator: h, Key: []byte("a key for the tokens of a test..")}
	h.proxy.Next = sip.EventHandlerFunc(func(ev *sip.Event) {
		ev.Trusted = h.trust
		h.proxy.Forward(ev)
	})
	h.stack = &stack.Stack{Handler: h.proxy, Network: h.host, Resolver: &b.Net.Names, Random: random, Readers: 1, Log: slog.New(slog.DiscardHandler)}
	for _, f := range set {
		f(h)
	}
	h.proxy.Addresses = h.stack.Transport()
	if err := h.stack.Listen(context.Background(), fmt.Sprintf("udp://%s:5060", b.Addr(name)), fmt.Sprintf("tcp://%s:5060", b.Addr(name))); err != nil {
		b.T.Fatal(err)
	}
	b.Watch(siptest.Watched{Name: name, Host: h.host, Left: h.left, Close: func() {
		if err := h.stack.Close(); err != nil {
			b.T.Error(err)
		}
	}})
	return h
}

func (h *house) left() []string {
	var out []string
	if left := h.stack.Audit(); left != (transaction.Audit{}) {
		out = append(out, fmt.Sprintf("the proxy holds %+v", left))
	}
	if n := h.proxy.Counts().Pending; n > 0 {
		out = append(out, fmt.Sprintf("the proxy holds %d requests", n))
	}
	if n := h.stack.Stats().Panics; n > 0 {
		out = append(out, fmt.Sprintf("the proxy panicked %d times", n))
	}
	return out
}

// Serves implements [proxy.Locator].
func (h *house) Serves(uri sip.URI) bool { return uri.Host == h.domain }

// Locate implements [proxy.Locator].
func (h *house) Locate(f *proxy.Found, uri sip.URI) sip.Status {
	ts, ok := h.homes[uri.UserName()]
	if !ok {
		return sip.StatusNotFound
	}
	f.Targets = append(f.Targets, ts...)
	if len(ts) == 0 {
		return sip.StatusTemporarilyUnavailable
	}
	return 0
}

// home says that user is reached at targets: "uri" or "uri q".
func (h *house) home(user string, targets ...string) {
	ts := []proxy.Target{}
	for _, text := range targets {
		uri, q, _ := strings.Cut(text, " ")
		t := proxy.Target{URI: sip.MustParseURI(uri), Q: 1000}
		if q != "" {
			if _, err := fmt.Sscan(q, &t.Q); err != nil {
				h.bench.T.Fatal(err)
			}
		}
		ts = append(ts, t)
	}
	h.homes[user] = ts
}

// at is the URI of the phone or peer called name, with more behind it.
func at(b *siptest.Bench, name, more string) string { return b.URI(name).String() + more }

// aor is the address-of-record of a user.
func aor(user string) sip.URI { return sip.URI{Scheme: "sip", User: user, Host: domain} }
