package turn

// The server: its listeners, who may have a relay, and what is counted. RFC 8656 §5.

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/logging"
	pion "github.com/pion/turn/v5"
)

// Limits are the caps of a server.
type Limits struct {
	Quota       int // relays of one account at a time
	Connections int // open stream connections
	PerSource   int // open stream connections of one address
}

// Config is what a server needs; all fields are required.
type Config struct {
	Listen    []string                  // URLs: udp, tcp or tls, then address and port
	Realm     string                    // shown to clients
	Key       Key                       // credentials are checked with
	Knows     func(account string) bool // whether "user@domain" is an account still
	Addresses []netip.Addr              // under which relays are reached, at most one of each family
	Ports     Range                     // of relays
	Reach     Reach
	TLS       *tls.Config
	Limits    Limits
}

// Counts are the figures of a server.
type Counts struct {
	Relays  int    // open now
	Opened  uint64 // relays ever
	Denied  uint64 // wrong or expired credentials
	Quota   uint64 // relays refused because the account has enough
	Dropped uint64 // datagrams not sent because their peer may not be reached
	Ignored uint64 // requests without credentials of sources that send too many
}

// Server is one running server. Its methods may be called from anywhere.
type Server struct {
	config Config
	server *pion.Server
	addrs  []net.Addr

	opened, denied, quota, dropped, ignored atomic.Uint64

	mu     sync.Mutex     // guards what follows
	relays map[string]int // account → open now
}

// ListenError says which listener cannot be opened.
type ListenError struct {
	URL string
	Err error
}

// Error implements error.
func (e *ListenError) Error() string { return fmt.Sprintf("turn: listen on %s: %v", e.URL, e.Err) }

// Unwrap returns the cause.
func (e *ListenError) Unwrap() error { return e.Err }

// Start starts a server: when it returns, all listeners are up. The error is a *[ListenError] if one of them cannot be opened; nothing is held then.
func Start(ctx context.Context, c Config) (*Server, error) {
	s := &Server{config: c, relays: make(map[string]int)}
	quiet := logging.NewDefaultLoggerFactory()
	quiet.Writer, quiet.DefaultLogLevel, quiet.ScopeLevels = io.Discard, logging.LogLevelDisabled, nil
	setup := pion.ServerConfig{
		Realm: c.Realm, LoggerFactory: quiet, AuthHandler: s.authenticate, QuotaHandler: s.admit,
		EventHandler: s.events(),
	}
	var opened []io.Closer
	for _, l := range c.Listen {
		closer, err := s.listen(ctx, l, &setup)
		if err != nil {
			for _, o := range opened {
				_ = o.Close()
			}
			return nil, &ListenError{l, err}
		}
		opened = append(opened, closer)
	}
	var err error
	if s.server, err = pion.NewServer(setup); err != nil {
		for _, o := range opened {
			_ = o.Close()
		}
		return nil, fmt.Errorf("turn: %w", err)
	}
	return s, nil
}

// listen opens one listener and adds it to the setup.
func (s *Server) listen(ctx context.Context, l string, setup *pion.ServerConfig) (io.Closer, error) {
	u, err := url.Parse(l)
	if err != nil {
		return nil, err
	}
	relay := &generator{s.config.Addresses, s.config.Ports, &s.config.Reach, &s.dropped}
	var lc net.ListenConfig
	if u.Scheme == "udp" {
		conn, err := lc.ListenPacket(ctx, "udp", u.Host)
		if err != nil {
			return nil, err
		}
		s.addrs = append(s.addrs, conn.LocalAddr())
		setup.PacketConnConfigs = append(setup.PacketConnConfigs, pion.PacketConnConfig{
			PacketConn: newGate(conn, &s.ignored), RelayAddressGenerator: relay, PermissionHandler: s.permit,
		})
		return conn, nil
	}
	tcp, err := lc.Listen(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	s.addrs = append(s.addrs, tcp.Addr())
	streams := newListener(tcp, s.config.Limits)
	if u.Scheme == "tls" {
		streams.tls = s.config.TLS
	}
	go streams.run()
	setup.ListenerConfigs = append(setup.ListenerConfigs, pion.ListenerConfig{Listener: streams, RelayAddressGenerator: relay, PermissionHandler: s.permit})
	return streams, nil
}

// Addrs returns the addresses listened on, in the order of the configuration.
func (s *Server) Addrs() []net.Addr { return s.addrs }

// Counts returns the figures so far.
func (s *Server) Counts() Counts {
	return Counts{
		Relays: s.server.AllocationCount(), Opened: s.opened.Load(), Denied: s.denied.Load(), Quota: s.quota.Load(),
		Dropped: s.dropped.Load(), Ignored: s.ignored.Load(),
	}
}

// Close ends all relays and listeners.
func (s *Server) Close() error {
	if err := s.server.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("turn: %w", err)
	}
	return nil
}

// authenticate returns the key that a client must have. A credential that has ended ends its relay at the next refresh.
func (s *Server) authenticate(r *pion.RequestAttributes) (userID string, key []byte, ok bool) {
	who, ok := account(r.Username, time.Now())
	if !ok || !s.config.Knows(who) {
		s.denied.Add(1)
		return "", nil, false
	}
	return who, pion.GenerateAuthKey(r.Username, r.Realm, s.config.Key.password(r.Username)), true
}

// permit tells whether a client may have a peer at all.
func (s *Server) permit(_ net.Addr, peer net.IP) bool {
	a, ok := netip.AddrFromSlice(peer)
	if ok && s.config.Reach.Host(a) {
		return true
	}
	s.dropped.Add(1)
	return false
}

// admit tells whether an account may have one more relay.
func (s *Server) admit(who, _ string, _ net.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.relays[who] < s.config.Limits.Quota {
		return true
	}
	s.quota.Add(1)
	return false
}

// count notes that an account has one relay more, or less.
func (s *Server) count(who string, change int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.relays[who] += change; s.relays[who] <= 0 {
		delete(s.relays, who)
	}
}

// events are what the library tells of, as far as it is counted here.
func (s *Server) events() pion.EventHandler {
	return pion.EventHandler{
		// A proof was good or not; who is not known at all comes to none.
		OnAuth: func(_, _ net.Addr, _, username, _ string, _ string, good bool) {
			if !good && username != "" {
				s.denied.Add(1)
			}
		},
		OnAllocationCreated: func(_, _ net.Addr, _, who, _ string, _ net.Addr, _ int) {
			s.opened.Add(1)
			s.count(who, 1)
		},
		OnAllocationDeleted: func(_, _ net.Addr, _, who, _ string) { s.count(who, -1) },
	}
}
