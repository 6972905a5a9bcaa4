// What the settings say of media, as the rooms of media take it.

package server

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/sipwerk/sipwerk/media/codec/opus"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/music"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/turn"
)

// openSounds opens what is recorded and played, says what the machine lacks, and returns how the services speak.
func (s *Server) openSounds(ctx context.Context, opt *Options) (session.Voice, error) {
	library, noOpus := opt.opus()
	for _, sentence := range missing(noOpus, ipv6(ctx, opt.net())) {
		s.log.Warn("something is missing", "err", sentence)
	}
	s.tapes = &tapes{library: library, log: s.log}
	return sound(library), s.openShelf(library)
}

// openShelf opens the music of those who wait. The music of the configuration must be there; any other is the tune where it is not.
func (s *Server) openShelf(library *opus.Library) error {
	s.shelf = &music.Shelf{Folder: music.Folder(s.Config.Data), Opus: library, Log: s.log}
	if err := s.shelf.Check(s.Config.Media.Music); err != nil {
		return fmt.Errorf("media.music: %w", err)
	}
	if s.control != nil {
		s.control.Handle("GET /music", replies(func(*http.Request) []music.Report { return s.shelf.Reports() }))
	}
	return nil
}

// usualMusic is what who waits hears where nothing else is said.
func (s *Server) usualMusic() *session.Music {
	return s.shelf.Music(cmp.Or(s.Config.Media.Music, music.Tune))
}

// MusicOf returns the settings of music in a domain with what each is for, such as "queue 700".
func MusicOf(set *object.Settings) map[string][]string {
	uses := make(map[string][]string)
	use := func(setting, what string) {
		if setting != "" && setting != music.Tune && setting != music.None {
			uses[setting] = append(uses[setting], what)
		}
	}
	plan := set.DialPlan()
	use(plan.Music, "dialplan music")
	use(plan.ParkMusic, "dialplan park-music")
	for _, number := range slices.Sorted(maps.Keys(set.Queues)) {
		use(set.Queues[number].Music, "queue "+number)
	}
	for _, name := range slices.Sorted(maps.Keys(set.Trunks)) {
		use(set.Trunks[name].Music, "trunk "+name)
	}
	return uses
}

// probeShared says in one sentence if another program has the port that browsers are to share: they are heard all the same, on ports of their own.
func (s *Server) probeShared(ctx context.Context, n network.Network) {
	port := s.Config.Media.Shared
	if port == 0 {
		return
	}
	conns, err := n.ListenPacket(ctx, netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(port)), 1)
	if err != nil {
		s.log.Warn("media.shared-port is off, and browsers get ports of media.ports", "err", listenProblem(fmt.Sprintf("udp port %d", port), err))
		s.relay.Shared = 0
		return
	}
	for _, conn := range conns {
		_ = conn.Close()
	}
}

// probeKernel lets the kernel carry the packets of calls that have settled, and says in one sentence if it cannot: they are carried all the same.
func (s *Server) probeKernel() {
	if s.Config.Media.Kernel == config.KernelOff {
		return
	}
	report := func(err error) {
		if err == nil {
			s.log.Info("media.kernel: the kernel carries plain calls that have settled")
			return
		}
		s.log.Info("media.kernel is off, and the packets of calls go the ordinary way", "err", err)
	}
	report(s.relay.Express(report))
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
