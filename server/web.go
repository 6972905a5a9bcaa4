// HTTP: on loopback whether the server is well and what it counts, and in the data folder the orders of commands.

package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/control"
)

// web is the HTTP side of a server; without a listener it is off.
type web struct {
	server   *http.Server
	listener net.Listener
}

// health is the answer of /health.
type health struct {
	Status   string `json:"status"` // ok, stopping
	Domain   string `json:"domain"`
	Calls    int    `json:"calls"`
	Accounts int    `json:"users"`
	Bindings int    `json:"bindings"`
	Uptime   int    `json:"uptime_seconds"`
}

// listenWeb opens the port; nothing is answered before serve.
func listenWeb(ctx context.Context, s *Server, n network.Network) (*web, error) {
	addr := s.Config.HTTP
	if addr == "" || addr == "off" {
		return new(web), nil
	}
	ln, err := listenTCP(ctx, n, addr)
	if err != nil {
		problem := fmt.Sprintf("cannot listen on %s: %v; name another address, or off", addr, errors.Unwrap(err))
		if errors.Is(err, syscall.EADDRINUSE) {
			problem = addr + ": another program uses this port; stop it, name another port, or off"
		}
		return nil, &config.Error{Where: s.Config.Origin("http"), Field: "http", Problem: problem}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", s.health)
	mux.Handle("GET /metrics", promhttp.HandlerFor(newRegistry(s), promhttp.HandlerOpts{}))
	return &web{listener: ln, server: &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}}, nil
}

// listenTCP listens where a host with a port says.
func listenTCP(ctx context.Context, n network.Network, addr string) (net.Listener, error) {
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, err
	}
	return n.ListenStream(ctx, netip.AddrPortFrom(a.AddrPort().Addr().Unmap(), a.AddrPort().Port()))
}

// serve answers until close.
func (w *web) serve(running *sync.WaitGroup) {
	if w.server != nil {
		running.Go(func() { _ = w.server.Serve(w.listener) }) // it ends with http.ErrServerClosed
	}
}

// openControl opens the socket of the data folder. A server without it serves all the same, and commands say that they cannot reach it.
func (s *Server) openControl() {
	if err := s.control.Listen(s.Config.Data); err != nil {
		s.log.Warn("commands cannot reach this server", "err", err)
		return
	}
	s.control.Serve(&s.running)
}

// Control is a command's end of the way to a running server.
type Control struct{ *control.Client }

// DialControl finds the server that runs on the data folder; the error wraps [control.ErrNoServer] if there is none.
func DialControl(data string) (*Control, error) {
	c, err := control.Dial(data)
	return &Control{c}, err
}

// replies answers an order with all that there is, one after another.
func replies[T any](all func(*http.Request) []T) func(context.Context, *http.Request, func(any) error) error {
	return func(_ context.Context, r *http.Request, reply func(any) error) error {
		for _, one := range all(r) {
			if err := reply(one); err != nil {
				return err
			}
		}
		return nil
	}
}

// Reports asks the running server for all that it tells at a path ("/queues" of [QueueReport], "/rooms" of [RoomReport]); it is never nil but for an error.
func Reports[T any](ctx context.Context, c *Control, path string) ([]T, error) {
	all := []T{}
	err := c.Do(ctx, http.MethodGet, path, nil, func(line json.RawMessage) error {
		var one T
		if err := json.Unmarshal(line, &one); err != nil {
			return err
		}
		all = append(all, one)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// addr is the address listened on; invalid if HTTP is off.
func (w *web) addr() netip.AddrPort {
	if w.listener == nil {
		return netip.AddrPort{}
	}
	return w.listener.Addr().(*net.TCPAddr).AddrPort()
}

// close ends listener and connections; a scrape under way gets a moment.
func (w *web) close() {
	if w.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if w.server.Shutdown(ctx) != nil {
		w.server.Close()
	}
	w.listener.Close() // also if it never served
}

// health says 200 while new calls are taken, 503 from the first signal on.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	h := health{Status: "ok", Domain: s.Domain.Name, Calls: s.Calls(), Accounts: s.directory.Len(), Bindings: s.registrar.Counts().Bindings,
		Uptime: int(time.Since(s.started).Seconds())}
	w.Header().Set("Content-Type", "application/json")
	if s.stopping.Load() {
		h.Status = "stopping"
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	// The one who asked may be gone; there is nobody else to tell.
	_ = json.NewEncoder(w).Encode(h)
}
