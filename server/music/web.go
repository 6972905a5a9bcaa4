package music

// The way to a stream. Who owns the server of a configured URL must not choose what else we ask by its redirects.

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"syscall"
)

// maxRedirects is how often a server may send us elsewhere.
const maxRedirects = 5

// shared is the address space of carriers, where clouds have services of theirs.
var shared = netip.MustParsePrefix("100.64.0.0/10")

// inside tells whether an address is none of the public network.
func inside(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return !a.IsGlobalUnicast() || a.IsPrivate() || shared.Contains(a)
}

// newClient returns a client by whose redirects nobody gets inside who is not there. What it dials goes by dial; nil: a dialer of the network.
func newClient(dial func(ctx context.Context, network, address string) (net.Conn, error)) *http.Client {
	if dial == nil {
		dial = (&net.Dialer{Timeout: patience, ControlContext: allowed}).DialContext
	}
	return &http.Client{CheckRedirect: onward, Transport: &web{&http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err == nil {
				arrived(ctx, conn.RemoteAddr())
			}
			return conn, err
		},
		TLSHandshakeTimeout: patience, ResponseHeaderTimeout: patience, MaxResponseHeaderBytes: 64 << 10, DisableCompression: true, MaxConnsPerHost: maxStreams,
		DisableKeepAlives: true, // a connection is only for the request for which it was allowed
	}}}
}

// onward is a [http.Client.CheckRedirect].
func onward(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	if req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return errors.New("a redirect to neither http nor https")
	}
	return nil
}

// hop is one request of those to which a URL leads, in its context.
type hop struct {
	home    *atomic.Bool // the server of the URL itself is inside
	onward  bool         // a redirect led here
	proxied bool         // it is the proxy that is dialled
}

type (
	homeKey struct{}
	hopKey  struct{}
)

// home is the context of a URL and all that it leads to.
func home(ctx context.Context) context.Context {
	return context.WithValue(ctx, homeKey{}, new(atomic.Bool))
}

// enter reports why an address may not be asked.
func (h *hop) enter(a netip.Addr) error {
	if h.onward && inside(a) && (h.home == nil || !h.home.Load()) {
		return fmt.Errorf("a redirect from outside to %s, which is not public", a)
	}
	return nil
}

// web is a transport that knows what led to a request.
type web struct{ *http.Transport }

// RoundTrip implements [http.RoundTripper].
func (w *web) RoundTrip(req *http.Request) (*http.Response, error) {
	h := &hop{onward: req.Response != nil}
	h.home, _ = req.Context().Value(homeKey{}).(*atomic.Bool)
	proxy, err := w.Proxy(req)
	if h.proxied = err == nil && proxy != nil; h.proxied {
		// Names are looked up by the proxy: what they stand for is its business.
		if a, err := netip.ParseAddr(req.URL.Hostname()); err == nil {
			if err := h.enter(a); err != nil {
				return nil, err
			}
		}
	}
	return w.Transport.RoundTrip(req.WithContext(context.WithValue(req.Context(), hopKey{}, h)))
}

// allowed is a [net.Dialer.ControlContext]: it sees what names were resolved to.
func allowed(ctx context.Context, _, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if h, _ := ctx.Value(hopKey{}).(*hop); h != nil && !h.proxied {
		return h.enter(a.Addr())
	}
	return nil
}

// arrived notes where the server of the URL itself is: the address that answered, not all that its name stands for, which may be anything.
func arrived(ctx context.Context, remote net.Addr) {
	h, _ := ctx.Value(hopKey{}).(*hop)
	if h == nil || h.home == nil || h.onward || h.proxied {
		return
	}
	if a, err := netip.ParseAddrPort(remote.String()); err == nil && inside(a.Addr()) {
		h.home.Store(true)
	}
}
