// The lamps of the night switch: lit as long as the hours are closed, by the clock or by hand, so that a key on *48 and the code of the hours shows how things stand and changes it.

package server

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/server/dial"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/setup"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
)

// nightLamps keeps the lamps of the night switch.
type nightLamps struct {
	domains  *domains
	settings func(domain string) *object.Settings
	open     func(domain, hours string) bool // now
	show     func(name string, l *b2bua.LegState)

	mu    sync.Mutex                 // guards what follows
	names map[string]bool            // of the domains
	lit   map[string]*b2bua.LegState // by the name of the lamp
	n     int                        // how often one was lit
}

// openNight makes the lamps and lets them follow the objects; they follow the clock by [nightLamps.follow].
func (s *Server) openNight(ds *domains) {
	s.night = &nightLamps{domains: ds, settings: s.directory.Settings, open: s.dial.open, show: s.lamps.Show, names: make(map[string]bool), lit: make(map[string]*b2bua.LegState)}
	s.lamps.Onlookers.(*onlookers).night = s.night
	s.directory.Watch(func(set *object.Settings) { s.night.look(set.Domain) }) // behind the dialer, which makes the plan
}

// follow looks at the clock once a minute: hours begin and end with one.
func (n *nightLamps) follow(ctx context.Context) {
	for {
		now := time.Now()
		select {
		case <-time.After(now.Truncate(time.Minute).Add(time.Minute).Sub(now)):
		case <-ctx.Done():
			return
		}
		n.lookAll()
	}
}

func (n *nightLamps) lookAll() {
	n.mu.Lock()
	all := slices.Collect(maps.Keys(n.names))
	n.mu.Unlock()
	for _, domain := range all {
		n.look(domain)
	}
}

// look shows how the hours of a domain stand now. Whoever looks last has the newest settings, for nobody looks meanwhile.
func (n *nightLamps) look(domain string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.names[domain] = true
	set := n.settings(domain)
	closed := make(map[string]sip.URI)
	for _, h := range set.Hours {
		if h.Code != "" && !n.open(set.Domain, h.Name) {
			uri := sip.URI{Scheme: "sip", User: dial.NightCode + h.Code, Host: set.Domain}
			closed[uri.AOR()] = uri
		}
	}
	for name, l := range n.lit {
		if _, still := closed[name]; still || l.Account.Host != set.Domain {
			continue
		}
		l.Phase = b2bua.LegOver
		n.show(name, l)
		delete(n.lit, name)
	}
	for name, uri := range closed {
		if n.lit[name] != nil {
			continue
		}
		n.n++
		l := &b2bua.LegState{ID: setup.NightFeature + strconv.Itoa(n.n), Phase: b2bua.LegConfirmed, Account: uri, Asked: uri, Remote: sip.Address{URI: uri}}
		n.lit[name] = l
		n.show(name, l)
	}
}

// lamp returns the name of the lamp of a code; false if it is that of no hours.
func (n *nightLamps) lamp(asked sip.URI) (name string, ok bool) {
	d := n.domains.of(asked)
	o, code := dial.ReadNight(asked.UserName())
	if d == nil || !code || o.Tell || o.State != "" || dial.HoursOf(d.directory.Settings(d.name), o.Code) == nil {
		return "", false
	}
	uri := d.uri(dial.NightCode + o.Code)
	return uri.AOR(), true
}

// switchHours is the night switch as telephones have it.
func (s *Server) switchHours() *dial.Night {
	return &dial.Night{
		Settings: s.directory.Settings,
		Open:     s.dial.open,
		Times:    s.dial.openByTimes,
		Change: func(ctx context.Context, domain, hours string, f func(*object.Hours) error) error {
			_, err := s.Store.Edit(ctx, domain, func(set *object.Settings) error {
				h := set.Hours[hours]
				if h == nil {
					return dial.ErrNoHours
				}
				mine := *h
				err := f(&mine)
				set.Put(&mine)
				return err
			})
			if err != nil {
				return err
			}
			return s.Refresh(ctx)
		},
	}
}
