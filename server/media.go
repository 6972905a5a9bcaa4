// What the settings say of media, as the rooms of media take it.

package server

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/turn"
)

// music is what who waits hears; nil for none.
func music(setting string) (session.Music, error) {
	switch setting {
	case config.MusicNone:
		return nil, nil
	case config.MusicTune, "":
		return session.Tune, nil
	}
	m, err := session.File(setting)
	if err != nil {
		return nil, fmt.Errorf("media.music: %w", err)
	}
	return m, nil
}

// probeShared says in one sentence if another program has the port that browsers are to share: they are heard all the same, on ports of their own.
func (s *Server) probeShared(ctx context.Context, n network.Network) {
	port := s.Config.Media.Shared
	if port == 0 {
		return
	}
	conns, err := n.ListenPacket(ctx, netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(port)), 1)
	if err != nil {
		s.log.Warn("media.shared-port is off, and browsers get ports of media.ports: " + listenProblem(fmt.Sprintf("udp port %d", port), err))
		s.relay.Shared = 0
		return
	}
	for _, conn := range conns {
		_ = conn.Close()
	}
}

// mediaPorts are the ports of this machine that carry media.
func (s *Server) mediaPorts() []turn.Range {
	ports := []turn.Range{turn.Range(s.Config.Media.Ports), turn.Range(s.Config.Turn.Ports)}
	if p := uint16(s.Config.Media.Shared); p != 0 {
		ports = append(ports, turn.Range{First: p, Last: p})
	}
	return ports
}

// kinds reads "account=kind"; the configuration has checked them.
func kinds(settings []string) map[string]session.Kind {
	all := make(map[string]session.Kind, len(settings))
	for _, pair := range settings {
		account, word, _ := strings.Cut(pair, "=")
		if k, err := session.ParseKind(word); err == nil {
			all[account] = k
		}
	}
	return all
}
