// The product on the bench: a whole server with database, dial plan and trunks, whose network alone is simulated. What telephones may not do is played with it.

package flows

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/media/codec/opus"
	"github.com/sipwerk/sipwerk/network"
	product "github.com/sipwerk/sipwerk/server"
	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/setup"
	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// house is a server of the product on a host of the bench, with the accounts of a document whose secrets are their names.
type house struct {
	*product.Server
	bench *siptest.Bench
	host  *network.SimHost
	addr  netip.Addr
	log   *logbook
	opus  *opus.Library // nil: that of the system
}

// logbook is the log of a server.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements [io.Writer].
func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// take returns what was logged since the last time.
func (l *logbook) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return l.text.String()
}

// newHouse starts a server with a document on a host called "server", which listens on the address of that. The data folder may hold something already: before, if it is set, puts it there.
func newHouse(b *siptest.Bench, document string, before func(st *store.Store, data string)) *house {
	b.T.Helper()
	h := &house{bench: b, host: b.Host("server"), addr: b.Addr("server"), log: new(logbook)}
	h.build(document, map[string]string{"listen": fmt.Sprintf("udp://%s:5060,tcp://%[1]s:5060", h.addr)}, before)
	return h
}

// plot is where a house stands, and what it is built of.
type plot struct {
	addrs []netip.Addr      // of its host, on all of which it listens
	opus  *opus.Library     // nil: that of the system
	set   map[string]string // more of its configuration
}

// openHouse starts a server for the staff.
func openHouse(b *siptest.Bench, p plot) *house {
	b.T.Helper()
	h := &house{bench: b, host: b.HostAt("server", p.addrs...), addr: p.addrs[0], log: new(logbook), opus: p.opus}
	set := map[string]string{"listen": "udp://:5060,tcp://:5060"}
	maps.Copy(set, p.set)
	h.build(staff, set, nil)
	return h
}

// build furnishes the house and starts its server.
func (h *house) build(document string, set map[string]string, before func(st *store.Store, data string)) {
	b := h.bench
	b.T.Helper()
	b.Net.Names.AddAddr(domain, h.addr)
	flags := map[string]string{"data": filepath.Join(b.T.TempDir(), "data"), "domain": domain, "turn.listen": "off", "drain": "0s"}
	maps.Copy(flags, set)
	cfg, err := config.Load(config.Input{Flags: flags})
	if err != nil {
		b.T.Fatal(err)
	}
	cfg.HTTP = netip.AddrPortFrom(h.addr, 8060).String() // not on loopback, which a simulated host has not
	h.furnish(cfg.Data, document, before)
	h.begin(cfg)
	b.Watch(siptest.Watched{Name: "server", Host: h.host, Left: h.left, Close: func() { h.Stop(context.Background()) }})
}

// begin starts the server.
func (h *house) begin(cfg *config.Config) {
	s, err := product.Start(context.Background(), cfg, product.Options{Log: slog.New(slog.NewTextHandler(h.log, nil)), Network: h.host, Resolver: &h.bench.Net.Names, Opus: h.opus})
	if err != nil {
		h.bench.T.Fatal(err)
	}
	h.Server = s
}

// restart ends the server and starts it again on what lies in a folder.
func (h *house) restart(data string) {
	cfg := *h.Config
	cfg.Data = data
	h.Stop(context.Background())
	h.begin(&cfg)
}

// furnish puts a document into a data folder.
func (h *house) furnish(data, document string, before func(*store.Store, string)) {
	t := h.bench.T
	t.Helper()
	st, err := store.Open(context.Background(), data)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	d, err := object.ParseDocument("company.yaml", []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	desk := &setup.Setup{Store: st, Env: func(name string) (string, bool) { return strings.ToLower(name), true }}
	if _, err := desk.Apply(context.Background(), domain, d, nil); err != nil {
		t.Fatal(err)
	}
	if before != nil {
		before(st, data)
	}
}

func (h *house) left() []string {
	if n := h.Calls(); n > 0 {
		return []string{fmt.Sprintf("the server holds %d calls", n)}
	}
	return nil
}

// figure is a metric as a scraper reads it, with its label.
func (h *house) figure(name string) (line string) {
	t := h.bench.T
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return h.host.DialStream(ctx, h.addr, netip.AddrPortFrom(h.addr, 8060))
	}}, Timeout: time.Minute}
	res, err := client.Get("http://" + netip.AddrPortFrom(h.addr, 8060).String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "\n"+name+" ")
	if !ok {
		t.Fatalf("no metric %s", name)
	}
	value, _, _ := strings.Cut(rest, "\n")
	return value
}
