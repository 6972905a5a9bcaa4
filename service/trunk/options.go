// Health at work: OPTIONS from time to time, and at once when a call has met silence. RFC 3261 §11.1.

package trunk

import (
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

const (
	soon     = 10 * time.Second // to the next question, after one without an answer
	patience = 8 * time.Second  // for an answer
)

// probing is what the stripe of a line keeps of its questions.
type probing struct {
	state    healthState
	tx       sip.TransactionID
	hop      int
	heard    time.Duration // how long the last answer took
	next     sip.Timer
	patience sip.Timer
}

// interval is the time between questions; negative: none are asked.
func (s *Settings) interval() time.Duration { return or(s.Interval, defaultInterval) }

// ask takes an input and does what it leads to.
func (l *line) ask(in healthInput) {
	h := &l.health
	if l.set.interval() < 0 || l.ended != nil {
		return
	}
	before := h.state
	next, actions := h.state.step(in)
	h.state = next
	l.change(func(s *state) {
		s.health = next
		if (before == healthDown) != (next == healthDown) {
			s.since = time.Now()
		}
	})
	for _, a := range actions {
		l.doHealth(a)
	}
}

func (l *line) doHealth(a healthAction) {
	switch a {
	case healthAsk:
		l.sendOptions()
	case healthSoon:
		l.health.hop++
		l.askIn(soon)
	case healthLater:
		l.askIn(l.set.interval() - l.group.draw(l.set.interval()/10))
	case healthTellUp:
		l.group.tell(Event{Domain: l.set.Domain, Trunk: l.set.Name, What: Reachable, Status: l.state().status})
	case healthTellDown:
		l.group.tell(Event{Domain: l.set.Domain, Trunk: l.set.Name, What: Unreachable, Status: l.state().status, Err: l.state().err, Again: soon})
	}
}

func (l *line) askIn(d time.Duration) {
	stop(&l.health.next)
	l.health.next = l.after(d, func() { l.ask(healthDue) })
}

// sendOptions asks one of the servers, unless a question is under way.
func (l *line) sendOptions() {
	h := &l.health
	if h.tx != 0 {
		return
	}
	req, to := l.options()
	asked := time.Now()
	tx, err := l.group.Engine.Start(l.stripe, req, to, sip.EventHandlerFunc(func(ev *sip.Event) { l.optionsEvent(ev, asked) }))
	if err != nil {
		l.after(0, func() { l.answered(0, err) })
		return
	}
	h.tx = tx
	h.patience = l.after(patience, func() { l.answered(0, sip.ErrTimeout) })
}

// options makes a question and says where it goes.
func (l *line) options() (*sip.Request, sip.Destination) {
	hops := l.set.hops()
	to := sip.Destination{URI: hops[l.health.hop%len(hops)]}
	s := l.state()
	if s.registration.registered() && !s.flow.IsZero() {
		to = sip.Destination{Flow: s.flow}
	}
	req := sip.NewRequest(sip.MethodOptions, sip.URI{Scheme: "sip", Host: l.set.domain()})
	from := sip.URI{Scheme: "sip", User: sip.EscapeUser(or(l.set.Login.User, "ping")), Host: l.set.domain()}
	req.Set(sip.HeaderFrom, sip.Address{URI: from}.WithTag(l.group.Engine.NewID(l.stripe)).String())
	req.Set(sip.HeaderTo, "<"+req.URI.String()+">")
	req.Set(sip.HeaderCallID, l.group.Engine.NewID(l.stripe))
	req.Set(sip.HeaderCSeq, sip.CSeq{Number: 1, Method: sip.MethodOptions}.String())
	req.Set(sip.HeaderMaxForwards, "70")
	req.Set(sip.HeaderAccept, "application/sdp")
	return req, to
}

func (l *line) optionsEvent(ev *sip.Event, asked time.Time) {
	switch {
	case ev.Tx != l.health.tx:
	case ev.Kind != sip.EventResponse:
		l.answered(0, ev.Err)
	case ev.Response.Status.Final():
		l.health.heard = time.Since(asked)
		l.answered(ev.Response.Status, nil)
	}
}

// answered takes what came of a question. Whoever says anything is alive, be it that he does not know OPTIONS or wants a password; 408 and 503 say that nobody is.
func (l *line) answered(status sip.Status, err error) {
	stop(&l.health.patience)
	l.health.tx = 0
	alive := err == nil && status != sip.StatusServiceUnavailable && status != sip.StatusRequestTimeout
	if !l.set.Register || !alive {
		l.change(func(s *state) { s.status, s.err = status, err })
	}
	if alive {
		l.ask(healthAlive)
	} else {
		l.ask(healthDead)
	}
}
