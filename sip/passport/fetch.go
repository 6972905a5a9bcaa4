// Certificates from the web, kept for a while. The URL is a stranger's, so what is asked for is bounded: where, how long, how much, how often. RFC 8224 §7.

package passport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	fetchTime   = 3 * time.Second
	fetchBytes  = 64 << 10
	fetchAtOnce = 16
	maxURL      = 512
	maxKept     = 1000 // URLs
	keptLong    = 24 * time.Hour
	keptUsual   = time.Hour
	keptShort   = time.Minute // what failed, and what its server wants to keep for less
)

// errFetch says that a certificate cannot be had.
var errFetch = errors.New("passport: the certificate cannot be fetched")

// Fetcher gets certificates by HTTPS. The zero value works. Safe for use by many goroutines.
type Fetcher struct {
	// Private lets it ask servers inside the own network, at any port; otherwise only public addresses at the ports 443 and 8443 are asked, so that nobody who calls can make
	// us ask what is not theirs to see.
	Private bool
	TLS     *tls.Config // nil: the authorities of the system

	begin  sync.Once
	client *http.Client
	turn   chan struct{} // holds a token for each request under way

	mu   sync.Mutex // guards kept
	kept map[string]*kept
}

// kept is what came of a URL. The fields are set before done is closed.
type kept struct {
	done  chan struct{}
	chain []*x509.Certificate
	err   error
	until time.Time
}

func (f *Fetcher) start() {
	f.begin.Do(func() {
		dialer := &net.Dialer{Timeout: fetchTime, Control: f.allowed}
		f.client = &http.Client{
			Timeout:       fetchTime,
			Transport:     &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: f.TLS, TLSHandshakeTimeout: fetchTime, MaxIdleConns: fetchAtOnce, IdleConnTimeout: keptShort},
			CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("it is somewhere else") },
		}
		f.turn, f.kept = make(chan struct{}, fetchAtOnce), make(map[string]*kept)
	})
}

// allowed refuses connections to addresses that are nobody's business. It sees what names were resolved to.
func (f *Fetcher) allowed(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	host := a.Addr().Unmap()
	if !f.Private && (!host.IsGlobalUnicast() || host.IsPrivate() || a.Port() != 443 && a.Port() != 8443) {
		return fmt.Errorf("%s is no public address", a)
	}
	return nil
}

// Chain implements [Certificates]. An answer is kept as long as its server says, between a minute and a day; a failure for a minute.
func (f *Fetcher) Chain(ctx context.Context, where string) ([]*x509.Certificate, error) {
	f.start()
	u, err := url.Parse(where)
	if err != nil || len(where) > maxURL || u.Scheme != "https" || u.User != nil || u.Host == "" {
		return nil, fmt.Errorf("%w: no https URL", errFetch)
	}
	k, mine := f.claim(where)
	if k == nil {
		return nil, fmt.Errorf("%w: too many at once", errFetch)
	}
	if mine {
		go f.fill(k, where)
	}
	select {
	case <-k.done:
		return k.chain, k.err
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", errFetch, ctx.Err())
	}
}

// claim returns the entry of a URL; mine if the caller is the one to fill it. It is nil when too much is asked for at once.
func (f *Fetcher) claim(where string) (k *kept, mine bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if k = f.kept[where]; k != nil && (k.until.IsZero() || time.Now().Before(k.until)) {
		return k, false
	}
	select {
	case f.turn <- struct{}{}:
	default:
		return nil, false
	}
	f.makeRoomLocked()
	k = &kept{done: make(chan struct{})}
	f.kept[where] = k
	return k, true
}

// makeRoomLocked forgets what is too old, and if that is not enough whatever comes first.
func (f *Fetcher) makeRoomLocked() {
	if len(f.kept) < maxKept {
		return
	}
	now := time.Now()
	for where, k := range f.kept {
		if !k.until.IsZero() && now.After(k.until) {
			delete(f.kept, where)
		}
	}
	for where := range f.kept {
		if len(f.kept) < maxKept {
			return
		}
		delete(f.kept, where)
	}
}

// fill asks the server. It goes on when the one who asked first is gone: others may wait, and the next call will.
func (f *Fetcher) fill(k *kept, where string) {
	defer func() { <-f.turn }()
	chain, age, err := f.get(where)
	f.mu.Lock()
	defer f.mu.Unlock()
	k.chain, k.err, k.until = chain, err, time.Now().Add(age)
	close(k.done)
}

func (f *Fetcher) get(where string) (chain []*x509.Certificate, age time.Duration, err error) {
	res, err := f.client.Get(where)
	if err != nil {
		return nil, keptShort, fmt.Errorf("%w: %w", errFetch, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, keptShort, fmt.Errorf("%w: HTTP %d", errFetch, res.StatusCode)
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, fetchBytes+1))
	if err == nil && len(b) > fetchBytes {
		err = errors.New("it is too long")
	}
	if err != nil {
		return nil, keptShort, fmt.Errorf("%w: %w", errFetch, err)
	}
	if chain, err = parseChain(b); err != nil {
		return nil, keptShort, err
	}
	return chain, keepFor(res.Header), nil
}

// Close ends the connections that are kept open.
func (f *Fetcher) Close() {
	f.start()
	f.client.CloseIdleConnections()
}

// keepFor is how long an answer may be kept. RFC 9111 §5.2.2.1.
func keepFor(h http.Header) time.Duration {
	for directive := range strings.SplitSeq(h.Get("Cache-Control"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		if seconds, err := strconv.ParseUint(value, 10, 31); err == nil && strings.EqualFold(name, "max-age") {
			return min(max(time.Duration(seconds)*time.Second, keptShort), keptLong)
		}
	}
	return keptUsual
}
