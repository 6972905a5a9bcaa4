// Would a server start? Everything is tried and given back at once.

package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/store"
)

// Check reports what would keep a server with this configuration from starting. It leaves nothing behind that a server would mind.
func Check(ctx context.Context, cfg *config.Config) error {
	if err := checkFiles(ctx, cfg); err != nil {
		return err
	}
	s := &Server{Config: cfg}
	for _, l := range cfg.Listen {
		if err := tryListener(ctx, l); err != nil {
			return s.listenError("listen", l, err)
		}
	}
	if cfg.Origin("turn.listen") != "" && !cfg.Turn.Off() {
		for _, l := range cfg.Turn.Listen {
			if err := tryListener(ctx, l); err != nil {
				return s.listenError("turn.listen", l, err)
			}
		}
	}
	w, err := listenWeb(ctx, s, network.OS{})
	if err != nil {
		return err
	}
	w.close()
	return nil
}

// checkFiles is [Check] without the listeners.
func checkFiles(_ context.Context, cfg *config.Config) error {
	if err := (&Server{Config: cfg}).checkData(); err != nil {
		return err
	}
	if cfg.TLS.Certificate != "" {
		if _, err := tls.LoadX509KeyPair(cfg.TLS.Certificate, cfg.TLS.Key); err != nil {
			return certificateError(err)
		}
	}
	return nil
}

// checkData tries whether the data folder can be used, or made.
func (s *Server) checkData() error {
	st, err := os.Stat(s.Config.Data)
	switch {
	case err == nil && !st.IsDir():
		return s.dataError(fmt.Errorf("%s is no folder", s.Config.Data))
	case err == nil:
		return s.checkLock()
	case !errors.Is(err, fs.ErrNotExist):
		return s.dataError(err)
	}
	for dir := filepath.Dir(s.Config.Data); ; dir = filepath.Dir(dir) {
		if st, err := os.Stat(dir); err == nil {
			if !st.IsDir() {
				return s.dataError(fmt.Errorf("%s is no folder", dir))
			}
			return nil
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// checkLock takes the lock of a data folder that has one, and gives it back.
func (s *Server) checkLock() error {
	lock, err := store.LockFolder(s.Config.Data)
	if err != nil {
		return s.dataError(err)
	}
	lock.Release()
	return nil
}

// Free reports whether all of these listener URLs could be opened now.
func Free(ctx context.Context, listen ...string) bool {
	for _, l := range listen {
		if tryListener(ctx, l) != nil {
			return false
		}
	}
	return true
}

// tryListener opens and closes a socket where a listener would be.
func tryListener(ctx context.Context, listen string) error {
	u, err := url.Parse(listen)
	if err != nil {
		return err
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"tls": "5061", "ws": "80", "wss": "443"}[u.Scheme]
	}
	if port == "" {
		port = "5060"
	}
	addr := net.JoinHostPort(u.Hostname(), port)
	var lc net.ListenConfig
	if strings.EqualFold(u.Scheme, "udp") {
		c, err := lc.ListenPacket(ctx, "udp", addr)
		if err == nil {
			c.Close()
		}
		return err
	}
	c, err := lc.Listen(ctx, "tcp", addr)
	if err == nil {
		c.Close()
	}
	return err
}
