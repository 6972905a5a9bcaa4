// Queues and call backs: what the services ask of the settings, and how calls find their way in and out.

package server

import (
	"cmp"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/server/music"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/service/registrar"
	"github.com/sipwerk/sipwerk/sip"
)

// switchboard is what knows who is in a call, and who is to have the next.
type switchboard struct {
	dial   *dialer
	lamps  *pbx.Lamps
	night  *nightLamps
	turns  *pbx.Turns
	queues *pbx.Queues
	park   *pbx.Park

	callbacks *pbx.Callbacks
}

// openQueues makes the queues, what remembers whose turn it is, and the park slots; lamps and features must be there.
func (s *Server) openQueues(ds *domains) error {
	s.turns = &pbx.Turns{}
	book := &queueBook{domains: ds, registrar: s.registrar, log: s.log, shelf: s.shelf, usual: s.usualMusic()}
	s.directory.Watch(book.take)
	s.queues = &pbx.Queues{Directory: book, Lamps: s.lamps, Turns: s.turns, Journal: filepath.Join(s.Config.Data, "agents")}
	s.lamps.Listeners = append(s.lamps.Listeners, s.turns.Changed, s.queues.Changed)
	s.addPlayers(s.queues.Players())
	s.addPlayers(map[pbx.Feature]pbx.Player{pbx.Intercom: pbx.PlayerFunc(noExtension)})
	s.openCallbacks(book)
	s.openPark(ds)
	if err := errors.Join(s.queues.Open(), s.callbacks.Open()); err != nil {
		return s.dataError(err)
	}
	return nil
}

// openCallbacks makes the call backs; lamps, queues and features must be there.
func (s *Server) openCallbacks(book *queueBook) {
	s.callbacks = &pbx.Callbacks{PBX: s.features, Lamps: s.lamps, Resolve: s.registrar.Resolve, Reachable: book.Reachable, Journal: filepath.Join(s.Config.Data, "callbacks")}
	s.lamps.Listeners = append(s.lamps.Listeners, s.callbacks.Changed)
	s.addPlayers(s.callbacks.Players())
}

// openInside leads calls to applications and back over the flow that never leaves the process.
func (s *Server) openInside() {
	s.calls.Inside = s.stack.Inside()
	s.features.Engine, s.features.Inside = s.stack, s.stack.Inside
}

// inside is the way to the router that never leaves the process; zero as long as there is none.
func (s *Server) inside() sip.Flow { return s.calls.Inside }

// addPlayers adds applications to the numbers of the features.
func (s *Server) addPlayers(players map[pbx.Feature]pbx.Player) {
	if s.features.Players == nil {
		s.features.Players = make(map[pbx.Feature]pbx.Player)
	}
	for feature, player := range players {
		s.features.Players[feature] = player
	}
}

// queueBook is the directory of the queues.
type queueBook struct {
	domains   *domains
	registrar *registrar.Registrar
	log       *slog.Logger
	shelf     *music.Shelf
	usual     *session.Music // of queues and dial plans that name none

	mu      sync.Mutex // guards holding
	holding map[string]*object.Settings
}

// take takes new settings.
func (b *queueBook) take(set *object.Settings) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.holding == nil {
		b.holding = make(map[string]*object.Settings)
	}
	b.holding[set.Domain] = set
}

// settings are those of a queue, with its music.
func (b *queueBook) settings(set *object.Settings, q *object.Queue) pbx.QueueSettings {
	settings := queueSettings(set.Domain, q)
	if settings.Music = b.shelf.Music(cmp.Or(q.Music, set.DialPlan().Music)); settings.Music == nil {
		settings.Music = b.usual
	}
	return settings
}

// Queue implements [pbx.QueueDirectory].
func (b *queueBook) Queue(name string) (pbx.QueueSettings, bool) {
	uri, err := sip.ParseURI(name)
	if err != nil {
		return pbx.QueueSettings{}, false
	}
	d := b.domains.of(uri)
	if d == nil {
		return pbx.QueueSettings{}, false
	}
	set := d.directory.Settings(d.name)
	q, ok := set.Queues[uri.UserName()]
	if !ok {
		return pbx.QueueSettings{}, false
	}
	return b.settings(set, q), true
}

// Queues implements [pbx.QueueDirectory].
func (b *queueBook) Queues() (all []pbx.QueueSettings) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, set := range b.holding {
		for _, q := range set.Queues {
			all = append(all, b.settings(set, q))
		}
	}
	return all
}

// Reachable implements [pbx.QueueDirectory]: an agent that does not want to be disturbed is not.
func (b *queueBook) Reachable(agent string) bool {
	uri, err := sip.ParseURI(agent)
	if err != nil {
		return false
	}
	d := b.domains.of(uri)
	if d == nil {
		return false
	}
	a, _ := d.directory.Settings(d.name).Account(uri.UserName())
	return !a.DND && len(b.registrar.Lookup(uri)) > 0
}

// queueSettings are the settings of a queue as the service wants them.
func queueSettings(domain string, q *object.Queue) pbx.QueueSettings {
	uri := inDomain(domain, q.Number)
	set := pbx.QueueSettings{
		Name: uri.AOR(), URI: uri, Title: q.Title, Strategy: pbx.Strategy(q.Strategy), RingTime: q.RingTime.D(), WrapUp: q.WrapUp.D(), Announce: q.Announce.D(),
		MaxWait: q.MaxWait.D(), MaxCallers: q.MaxCallers, Priority: q.Priority, ServiceLevel: q.ServiceLevel.D(), Language: q.Language,
	}
	for _, agent := range q.Agents {
		account := inDomain(domain, agent)
		set.Agents = append(set.Agents, account.AOR())
	}
	if q.Exit != "" {
		set.Exit = q.Exit[0]
	}
	if q.Otherwise != "" {
		set.Otherwise = inDomain(domain, sip.EscapeUser(q.Otherwise))
	}
	return set
}

// inDomain is the address of a number of a domain.
func inDomain(domain, number string) sip.URI {
	return sip.URI{Scheme: "sip", User: number, Host: domain}
}

// agents leads a caller whom a queue passes on to its agents; false if nobody is asked for so. No forward and no voicemail of theirs is asked: when nobody answers, the caller is
// back in the queue.
func (r *router) agents(q *b2bua.Question) (b2bua.Route, bool) {
	uri := q.Request.URI
	if r.queues == nil || q.How != b2bua.Transferred {
		return b2bua.Route{}, false
	}
	agents, ringTime, ok := r.queues.Ring(uri)
	if !ok {
		return b2bua.Route{}, false
	}
	route := b2bua.Route{RingTime: ringTime, Cause: "queue", Note: "agents of " + uri.UserName()}
	for _, account := range agents {
		route.Ring = append(route.Ring, b2bua.Party{Account: account, MaxCalls: 1})
	}
	return route, true
}

// ownCall leads a call that the server makes for an account to the telephones of that, whatever is set for calls of others; false for every other call.
func (r *router) ownCall(q *b2bua.Question) (b2bua.Route, bool) {
	if q.Flow.Transport != sip.Inside || q.Caller.Account.Host == "" {
		return b2bua.Route{}, false
	}
	account, ok := r.registrar.Resolve(q.Request.URI)
	if !ok || account.AOR() != q.Caller.Account.AOR() {
		return b2bua.Route{}, false
	}
	return b2bua.Route{Ring: []b2bua.Party{{Account: account}}, Cause: "own call"}, true
}
