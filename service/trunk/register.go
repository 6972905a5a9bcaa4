// The registration at work: REGISTER, its answers, and the flow kept open. RFC 3261 §10.2, §22.2; RFC 3608 §5; RFC 5626 §4.2 to §4.5.

package trunk

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// maxTries is how often one REGISTER is sent because of challenges, a stale nonce, 423 or 439.
const maxTries = 5

// registering is what the stripe of a line keeps of its registration.
type registering struct {
	state    regState
	tx       sip.TransactionID
	request  *sip.Request
	callID   string
	tag      string
	seq      uint32
	tries    int
	hop      int           // of the servers
	failures int           // in a row
	later    time.Duration // what a Retry-After wants
	expires  time.Duration // what is asked for, after 423
	granted  time.Duration
	beat     time.Duration // Flow-Timer
	plain    bool          // 439: no flows here
	status   sip.Status
	err      error

	next, end, ping sip.Timer
}

// register takes an input and does what it leads to.
func (l *line) register(in regInput) {
	r := &l.reg
	before := r.state.registered()
	next, actions := r.state.step(in)
	r.state = next
	l.change(func(s *state) {
		s.registration = next
		if before != next.registered() {
			s.since = time.Now()
		}
	})
	for _, a := range actions {
		l.doRegister(a)
	}
}

func (l *line) doRegister(a regAction) {
	r := &l.reg
	switch a {
	case regSend:
		r.tries = 0
		l.sendRegister(l.newRegister(l.expiresAsked()))
	case regResend:
		l.sendRegister(r.request)
	case regRemove:
		stop(&r.next, &r.end, &r.ping)
		r.tries = 0
		l.sendRegister(l.newRegister(0))
	case regRefresh:
		l.bound()
	case regRetry:
		r.failures++
		l.again(pause(r.failures, r.later, l.group.draw))
	case regLong:
		r.failures++
		l.again(max(refusedPause, min(r.later, longestLater)))
	case regOther:
		r.hop++
	case regTellUp:
		l.tell(Registered, 0)
	case regTellDown:
		stop(&r.end, &r.ping)
		if l.state().until.After(time.Now()) {
			l.tell(Unregistered, 0)
		}
		l.change(func(s *state) { s.until, s.flow = time.Time{}, sip.Flow{} })
	case regForgotten:
		stop(&r.next, &r.end, &r.ping)
		l.ended()
	}
}

// again sets the time of the next attempt.
func (l *line) again(d time.Duration) {
	stop(&l.reg.next)
	l.reg.next = l.after(d, func() { l.register(regDue) })
	l.tell(RegistrationFailed, d)
}

func (l *line) tell(w What, again time.Duration) {
	r := &l.reg
	l.change(func(s *state) { s.status, s.err = r.status, r.err })
	l.group.tell(Event{Domain: l.set.Domain, Trunk: l.set.Name, What: w, Status: r.status, Err: r.err, Again: again})
}

// bound arms what a binding needs: its refresh, its end, and its keep-alives.
func (l *line) bound() {
	r := &l.reg
	r.failures, r.later, r.status, r.err = 0, 0, sip.StatusOK, nil
	stop(&r.next, &r.end, &r.ping)
	r.next = l.after(refreshIn(r.granted, l.group.draw), func() { l.register(regDue) })
	r.end = l.after(r.granted, func() { l.register(regExpired) })
	l.change(func(s *state) { s.until, s.status, s.err = time.Now().Add(r.granted), r.status, nil })
	l.beat()
}

// beat keeps the flow open. RFC 5626 §4.4.
func (l *line) beat() {
	flow := l.state().flow
	if flow.IsZero() {
		return
	}
	longest, spread := flow.Silence(l.reg.beat)
	l.reg.ping = l.after(longest-l.group.draw(spread), func() {
		// A flow that is lost says so by itself.
		_ = l.group.Wire.KeepAlive(flow)
		l.beat()
	})
}

func (l *line) expiresAsked() time.Duration { return max(l.reg.expires, l.set.expires()) }

// record is our address at the provider.
func (l *line) record() sip.URI {
	return sip.URI{Scheme: "sip", User: sip.EscapeUser(l.set.Login.User), Host: l.set.domain()}
}

// newRegister makes a REGISTER without what changes from one try to the next.
func (l *line) newRegister(expires time.Duration) *sip.Request {
	r := &l.reg
	if r.callID == "" {
		r.callID, r.tag = l.group.Engine.NewID(l.stripe), l.group.Engine.NewID(l.stripe)
	}
	record := l.record()
	req := sip.NewRequest(sip.MethodRegister, sip.URI{Scheme: "sip", Host: record.Host})
	req.Set(sip.HeaderTo, sip.Address{URI: record}.String())
	req.Set(sip.HeaderFrom, sip.Address{URI: record}.WithTag(r.tag).String())
	req.Set(sip.HeaderCallID, r.callID)
	req.Set(sip.HeaderMaxForwards, "70")
	req.Set(sip.HeaderExpires, strconv.Itoa(int(expires/time.Second)))
	l.setContact(req)
	l.auth.sign(req)
	return req
}

// setContact says how we are reached: by a flow, unless a server on the way knows none (RFC 5626 §6).
func (l *line) setContact(req *sip.Request) {
	uri := sip.URI{Scheme: "sip", User: sip.EscapeUser(l.set.Login.User), Host: sip.AnyHost}
	uri.Params = uri.Params.With("line", l.contact)
	contact, supported := sip.Address{URI: uri}, "path"
	if !l.reg.plain {
		contact.Params = contact.Params.With("+sip.instance", l.instance).With("reg-id", "1")
		supported = "path, outbound"
	}
	req.Set(sip.HeaderContact, contact.String())
	req.Set(sip.HeaderSupported, supported)
}

// server is the one whose turn it is.
func (l *line) server() sip.URI {
	hops := l.set.hops()
	return hops[l.reg.hop%len(hops)]
}

// sendRegister sends the next REGISTER of the registration. RFC 3261 §10.2: one Call-ID, and the sequence goes up.
func (l *line) sendRegister(req *sip.Request) {
	r := &l.reg
	r.seq++
	r.tries++
	r.request = req
	req.Set(sip.HeaderCSeq, sip.CSeq{Number: r.seq, Method: sip.MethodRegister}.String())
	to := sip.Destination{URI: l.server()}
	if flow := l.state().flow; flow.ID != 0 && r.state.registered() {
		to = sip.Destination{Flow: flow} // RFC 5626 §4.2: a refresh goes over the flow it refreshes
	}
	tx, err := l.group.Engine.Start(l.stripe, req, to, sip.EventHandlerFunc(l.registerEvent))
	if err != nil {
		r.status, r.err = 0, err
		l.after(0, func() { l.register(regFailed) })
		return
	}
	r.tx = tx
}

func (l *line) registerEvent(ev *sip.Event) {
	r := &l.reg
	if ev.Tx != r.tx {
		return
	}
	switch {
	case ev.Kind != sip.EventResponse:
		r.tx, r.status, r.err, r.later = 0, 0, ev.Err, 0
		l.register(regFailed)
	case ev.Response.Status.Final():
		r.tx = 0
		l.registered(ev.Response, ev.Flow)
	}
}

// registered takes the final answer to a REGISTER.
func (l *line) registered(res *sip.Response, flow sip.Flow) {
	r := &l.reg
	r.status, r.err, r.later = res.Status, nil, 0
	if later, err := sip.ParseRetryAfter(res.Get(sip.HeaderRetryAfter)); err == nil {
		r.later = later.Wait
	}
	switch {
	case res.Status.Success():
		l.learn(res, flow)
		l.register(regAccepted)
	case r.tries < maxTries && l.otherForm(res):
		l.register(regAgain)
	case hopeless(res.Status):
		if r.err == nil {
			r.err = res.Status
		}
		l.register(regRefused)
	default:
		r.err = res.Status
		l.register(regFailed)
	}
}

// otherForm changes the REGISTER into what the answer asks for.
func (l *line) otherForm(res *sip.Response) bool {
	r := &l.reg
	switch res.Status {
	case sip.StatusUnauthorized, sip.StatusProxyAuthRequired:
		again, err := l.auth.answer(r.request, res)
		if err != nil {
			r.err = err
			return false
		}
		again.Remove(sip.HeaderVia)
		r.request = again
		return true
	case sip.StatusIntervalTooBrief:
		least, ok := res.Uint(sip.HeaderMinExpires)
		d := time.Duration(least) * time.Second
		if !ok || d <= l.expiresAsked() || d > 24*time.Hour {
			return false
		}
		r.expires = d // RFC 3261 §10.2.8
		r.request = l.newRegister(d)
		return true
	case sip.StatusFirstHopLacksOutbound:
		if r.plain {
			return false
		}
		r.plain = true
		r.request = l.newRegister(l.expiresAsked())
		return true
	}
	return false
}

// hopeless reports whether an answer stays the same until somebody mends something.
func hopeless(s sip.Status) bool {
	switch s {
	case sip.StatusUnauthorized, sip.StatusProxyAuthRequired, sip.StatusForbidden, sip.StatusNotFound, sip.StatusMethodNotAllowed,
		sip.StatusBadRequest, sip.StatusUnsupportedURIScheme, sip.StatusNotImplemented, sip.StatusGone:
		return true
	}
	return false
}

// learn takes what the registrar says: how long, by which flow, by which route.
func (l *line) learn(res *sip.Response, flow sip.Flow) {
	r := &l.reg
	r.granted = l.granted(res)
	r.beat = 0
	if beat, ok := res.Uint(sip.HeaderFlowTimer); ok && beat <= uint32(longestLater/time.Second) {
		r.beat = time.Duration(beat) * time.Second
	}
	var services []string
	for v := range res.Values(sip.HeaderServiceRoute) {
		if len(services) < maxServers {
			services = append(services, strings.Clone(v))
		}
	}
	l.change(func(s *state) { s.flow, s.services = flow, services })
}

// granted is how long the binding lasts: the answer may list those of other devices too, and ours is known by its Contact. RFC 3261 §10.2.4.
func (l *line) granted(res *sip.Response) time.Duration {
	granted := l.expiresAsked()
	if s, ok := res.Uint(sip.HeaderExpires); ok && s > 0 {
		granted = min(granted, time.Duration(s)*time.Second)
	}
	for a, err := range res.Addresses(sip.HeaderContact) {
		if err != nil {
			break
		}
		if v, ok := a.URI.Param("line"); ok && v == l.contact {
			if d, ok := a.Expires(); ok {
				granted = d
			}
		}
	}
	return max(granted, 2*time.Second)
}

// Why a call cannot go out by a trunk.
var (
	errUnregistered = errors.New("not registered")
	errDown         = errors.New("the provider does not answer")
	errFull         = errors.New("all lines are taken")
)
