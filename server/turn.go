// STUN and TURN: where they are offered, what relays may reach, and how an account gets a credential.

package server

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/turn"
)

// listenTurn starts the TURN server; nil if it is off. Nobody has asked for the default ports, so it is no error if another program has them.
func (s *Server) listenTurn(ctx context.Context) (*turn.Server, error) {
	cfg := s.Config.Turn
	if cfg.Off() {
		return nil, nil
	}
	key, err := turnKey(s.Config)
	if err != nil {
		return nil, s.dataError(err)
	}
	t, err := turn.Start(ctx, turn.Config{
		Listen: turnListen(s.Config), Realm: s.Domain.Name, Key: key, Knows: s.knowsAccount,
		Addresses: s.relayAddresses(), Ports: turn.Range(cfg.Ports),
		Reach: turn.Reach{
			Private: cfg.Private, Own: s.hosts.addresses,
			Media: s.mediaPorts(),
		},
		TLS:    s.certificates.config(),
		Limits: turn.Limits{Quota: cfg.Relays, Connections: s.Config.Limits.Connections, PerSource: s.Config.Limits.PerSource},
	})
	var taken *turn.ListenError
	switch {
	case err == nil:
		return t, nil
	case !errors.As(err, &taken):
		return nil, err
	case s.Config.Origin("turn.listen") == "":
		s.log.Warn("STUN and TURN are off", "err", listenProblem(taken.URL, taken.Err))
		return nil, nil
	}
	return nil, s.listenError("turn.listen", taken.URL, taken.Err)
}

// turnKey reads or makes the key of TURN credentials.
func turnKey(cfg *config.Config) (turn.Key, error) {
	key, err := loadKey(filepath.Join(cfg.Data, "turn.key"))
	return turn.Key(key), err
}

// turnListen returns the listeners; the default ones are on the address of the SIP listeners if these are all on one.
func turnListen(cfg *config.Config) []string {
	if cfg.Origin("turn.listen") != "" {
		return cfg.Turn.Listen
	}
	var hosts []string
	for _, l := range cfg.Listen {
		if u, err := url.Parse(l); err == nil && !slices.Contains(hosts, u.Hostname()) {
			hosts = append(hosts, u.Hostname())
		}
	}
	if len(hosts) != 1 || hosts[0] == "" {
		return cfg.Turn.Listen
	}
	var moved []string
	for _, l := range cfg.Turn.Listen {
		if u, err := url.Parse(l); err == nil {
			moved = append(moved, u.Scheme+"://"+net.JoinHostPort(hosts[0], u.Port()))
		}
	}
	return moved
}

// knowsAccount reports whether "user@domain" is an account.
func (s *Server) knowsAccount(name string) bool {
	user, domain, _ := strings.Cut(name, "@")
	account, ok := s.directory.Account(domain, user)
	return ok && account == user
}

// relayAddresses are those under which relays are reached: what is advertised, otherwise the machine's own.
func (s *Server) relayAddresses() []netip.Addr {
	list := append(s.mediaAddresses(), ownAddress(s.Config.Listen))
	list = append(list, s.hosts.local()...)
	var chosen []netip.Addr
	for _, four := range []bool{true, false} {
		fits := func(a netip.Addr) bool { return a.Is4() == four && !a.IsLinkLocalUnicast() && !a.IsUnspecified() }
		if i := slices.IndexFunc(list, fits); i >= 0 {
			chosen = append(chosen, list[i].WithZone(""))
		}
	}
	return chosen
}

// addresses are all those of this machine, and those that it is known by elsewhere.
func (h *hosts) addresses() []netip.Addr {
	list := h.local()
	for _, n := range h.names {
		if a, err := netip.ParseAddr(n); err == nil {
			list = append(list[:len(list):len(list)], a.Unmap())
		}
	}
	return list
}

// TurnCredential is what a client needs to use TURN; the names in JSON are those that browsers expect of an ICE server.
type TurnCredential struct {
	URLs []string `json:"urls"`
	turn.Credential
}

// IssueTurn returns a credential for an account of a domain that is good for a while. It works while a server runs in the same data folder, and without one.
func IssueTurn(cfg *config.Config, user, domain string, lifetime time.Duration) (TurnCredential, error) {
	key, err := turnKey(cfg)
	if err != nil {
		return TurnCredential{}, err
	}
	return TurnCredential{turnURLs(cfg), key.Issue(user+"@"+domain, time.Now().Add(lifetime))}, nil
}

// turnURLs are the addresses of the server as RFC 7065 §3.1 writes them.
func turnURLs(cfg *config.Config) []string {
	host := cfg.Advertise
	if host == "" {
		host = ownAddress(cfg.Listen).String()
	}
	urls := []string{}
	for _, l := range turnListen(cfg) {
		u, err := url.Parse(l)
		if err != nil || cfg.Turn.Off() {
			continue
		}
		at := host
		if a, err := netip.ParseAddr(u.Hostname()); err == nil && !a.IsUnspecified() && cfg.Advertise == "" {
			at = a.String()
		}
		at = net.JoinHostPort(strings.Trim(at, "[]"), u.Port())
		switch u.Scheme {
		case "tls":
			urls = append(urls, "turns:"+at+"?transport=tcp")
		default:
			urls = append(urls, "turn:"+at+"?transport="+u.Scheme)
		}
	}
	return urls
}
