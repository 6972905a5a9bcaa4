// How the branches of a request are raced: the response context of RFC 3261 §16.2, and what comes back. RFC 3261 §16.6 to §16.10.

package proxy

import (
	"hash/maphash"
	"slices"

	"github.com/sipwerk/sipwerk/sip"
)

// elsewhere is the Reason that lets a telephone list no missed call. RFC 3326 §3.1.
const elsewhere = `SIP;cause=200;text="Call completed elsewhere"`

// fork is one request and its branches. Its stripe owns it. It lives from the request to the final response, and is used again for another one in the same stripe:
// events of transactions that it has forgotten find no branch of theirs.
type fork struct {
	proxy  *Proxy
	engine sip.Engine
	server sip.TransactionID
	stripe sip.Stripe

	invite    bool
	records   bool // the dialog that may come of it stays on our way
	tied      bool // the caller is reached by its flow alone
	inside    bool // the request belongs to a dialog
	edge      bool // it goes over the flow of a registration
	cancelled bool // by the caller
	expired   bool // Timer C has fired
	tells     bool // the caller wants to know which early dialogs end (RFC 6228)

	branches []branch
	pending  int      // branches without a final response
	queue    []Target // to be tried when those have ended; they own their memory
	breadth  uint32   // Max-Breadth to share
	mark     uint32
	idle     uint16 // turns of Timer C since the last 1xx
	request  []byte // as it goes out, less what differs from branch to branch
	token    []byte // in the Record-Route for the caller's side
	best     outcome

	next, prev *fork
}

// branch is one target under way, as plain data.
type branch struct {
	tx      sip.TransactionID
	goal    uint64 // where it leads
	key     uint64 // of its target
	breadth uint32
	heard   bool // a 1xx has come
	done    bool
	tags    []string // of the early dialogs that the caller knows of
	spares  []Target
}

// maxKept is how much memory of a message a fork keeps for the next one.
const maxKept = 4 << 10

func hash(seed maphash.Seed, b []byte) uint64 { return maphash.Bytes(seed, b) }

// take returns a fork for a request.
func (p *Proxy) take(ev *sip.Event, v verdict) *fork {
	l := &p.lanes[ev.Stripe]
	f := l.free
	if f == nil {
		f = &fork{proxy: p, stripe: ev.Stripe}
	} else {
		l.free, f.next = f.next, nil
	}
	f.engine, f.server, f.breadth, f.mark = ev.Engine, ev.Tx, v.breadth, v.mark
	f.invite, f.edge = ev.Request.Method == sip.MethodInvite, l.edge
	f.inside = !f.edge && ev.Request.ToTag() != ""
	l.counts.pending.Add(1)
	return f
}

// release forgets everything about a request.
func (f *fork) release() {
	p := f.proxy
	l := &p.lanes[f.stripe]
	if f.invite {
		l.inviting.remove(f)
	}
	clear(f.branches)
	clear(f.queue)
	if cap(f.request) > maxKept {
		f.request = nil
	}
	*f = fork{proxy: p, stripe: f.stripe, branches: f.branches[:0], queue: f.queue[:0], request: f.request[:0], token: f.token[:0], next: l.free}
	l.free = f
	l.counts.pending.Add(-1)
}

// fork sends a request to the targets in the room of its lane.
func (p *Proxy) fork(ev *sip.Event, v verdict) {
	l, req := &p.lanes[ev.Stripe], ev.Request
	f := p.take(ev, v)
	if ev.Engine.Own(ev.Tx, f) != nil {
		f.release()
		return
	}
	if f.invite {
		// RFC 6228 §6: what must be reliable is no proxy's to say.
		f.tells = req.HasToken(sip.HeaderSupported, "199") && !req.HasToken(sip.HeaderRequire, "100rel")
		l.inviting.add(f)
		l.reply.ReplyTo(req, sip.StatusTrying)
		// An error means that the transaction is gone; what follows finds that out.
		_ = ev.Engine.Respond(ev.Tx, &l.reply)
	}
	ts := l.found.Targets
	only := len(ts) == 1
	if f.records = records(req.Method) && req.ToTag() == ""; f.records {
		f.recordCaller(ev)
	}
	f.request = req.AppendTo(f.request[:0])
	if only {
		f.launch(req, &ts[0], f.breadth)
	} else {
		n := group(ts, int(f.breadth))
		f.queue = owned(f.queue, ts[n:])
		f.launchAll(req, ts[:n])
	}
	if f.pending == 0 {
		f.proceed()
	}
}

// launchAll starts a branch for each target that is no spare, and shares the breadth among them. RFC 5393 §5.3.3.
func (f *fork) launchAll(req *sip.Request, ts []Target) {
	work := &f.proxy.lanes[f.stripe].request
	left, n := f.breadth-f.spent(), uint32(leads(ts))
	for i := range ts {
		if ts[i].Spare {
			continue
		}
		share := max(left/n, 1)
		left, n = left-min(share, left), n-1
		work.Borrow(req)
		end := i + 1
		for end < len(ts) && ts[end].Spare {
			end++
		}
		if f.launch(work, &ts[i], share) && end > i+1 {
			b := &f.branches[len(f.branches)-1]
			b.spares = owned(nil, ts[i+1:end])
		} else if end > i+1 {
			f.queue = owned(f.queue, ts[i+1:end])
			f.queue[len(f.queue)-(end-i-1)].Spare = false
		}
	}
}

// spent is how much breadth the branches under way have.
func (f *fork) spent() (n uint32) {
	for i := range f.branches {
		if !f.branches[i].done {
			n += f.branches[i].breadth
		}
	}
	return n
}

// launch sends req to a target; req is changed by that. What cannot be sent counts as refused.
func (f *fork) launch(req *sip.Request, t *Target, breadth uint32) bool {
	b := branch{breadth: breadth, key: t.Key}
	if f.invite {
		b.goal = f.proxy.goal(&t.URI)
	}
	if f.records {
		f.recordCallee(req, t)
	}
	spread(req, breadth)
	to := f.proxy.aim(req, t)
	to.Mark = f.mark
	var err error
	b.tx, err = f.engine.Start(f.stripe, req, to, f)
	if err != nil && f.inside && detour(&to, req) {
		b.tx, err = f.engine.Start(f.stripe, req, to, f)
	}
	if err != nil {
		status := failed(err)
		f.flowFailed(b.key, status)
		f.consider(status, nil)
		return false
	}
	f.branches = append(f.branches, b)
	f.pending++
	return true
}

// HandleEvent implements [sip.EventHandler].
func (f *fork) HandleEvent(ev *sip.Event) {
	if ev.Tx == f.server {
		f.caller(ev)
		return
	}
	for i := range f.branches {
		if b := &f.branches[i]; b.tx == ev.Tx && !b.done {
			f.callee(b, ev)
			return
		}
	}
}

// caller takes what becomes of the request itself.
func (f *fork) caller(ev *sip.Event) {
	switch ev.Kind {
	case sip.EventCancel:
		f.cancelled = true
		f.giveUp(ev.Request.Get(sip.HeaderReason))
		if f.pending == 0 {
			f.proceed()
		}
	case sip.EventTimeout:
		// Nobody waits any more: the client has given up (RFC 4320 §4.2), or the stack stops.
		f.giveUp("")
		f.release()
	}
}

// callee takes what becomes of a branch.
func (f *fork) callee(b *branch, ev *sip.Event) {
	switch ev.Kind {
	case sip.EventResponse:
		f.response(b, ev.Response)
	case sip.EventTimeout:
		f.refused(b, sip.StatusRequestTimeout, nil)
	case sip.EventFailure:
		f.refused(b, failed(ev.Err), nil)
	}
}

// response takes a response to a branch. RFC 3261 §16.7 steps 2 to 5.
func (f *fork) response(b *branch, res *sip.Response) {
	switch status := res.Status; {
	case status == sip.StatusTrying:
		b.heard = true
	case status.Provisional():
		f.provisional(b, res)
	case status.Success():
		f.success(b, res)
	default:
		f.refused(b, status, res)
	}
}

// provisional forwards a 1xx at once.
func (f *fork) provisional(b *branch, res *sip.Response) {
	b.heard = true
	f.idle = 0 // RFC 3261 §16.7 step 2
	if f.tells {
		f.noteEarly(b, res)
	}
	f.respond(res)
}

// success forwards a 2xx at once and ends the race. More of them, for the copies of this one and for forks behind the other branches, are forwarded without us.
// RFC 3261 §16.7 steps 5 and 10; RFC 6026 §7.3.
func (f *fork) success(won *branch, res *sip.Response) {
	f.respond(res)
	if f.invite {
		to := late(f.server)
		for i := range f.branches {
			b := &f.branches[i]
			if b != won && b.done {
				continue
			}
			// An error means that it has ended by itself.
			_ = f.engine.Own(b.tx, to)
			if b != won {
				_ = f.engine.Cancel(b.tx, elsewhere)
			}
		}
	}
	f.release()
}

// late owns the branches of an INVITE that has been answered: it is the name of its server transaction, which takes every other 2xx. RFC 6026 §7.3: one that comes when
// that transaction is over goes nowhere.
type late sip.TransactionID

// HandleEvent implements [sip.EventHandler].
func (l late) HandleEvent(ev *sip.Event) {
	if ev.Kind == sip.EventResponse && ev.Response.Status.Success() {
		// The caller's transaction ends 64*T1 after the first 2xx: what comes later is stray.
		_ = ev.Engine.Respond(sip.TransactionID(l), ev.Response)
	}
}

// respond sends a response to the caller. If its transaction is gone, nobody waits for it.
func (f *fork) respond(res *sip.Response) { _ = f.engine.Respond(f.server, res) }

// refused ends a branch. RFC 3261 §16.7 steps 4 to 6.
func (f *fork) refused(b *branch, status sip.Status, res *sip.Response) {
	b.done = true
	f.pending--
	f.flowFailed(b.key, status)
	switch {
	case status >= 600:
		f.giveUp("")
	case f.cancelled:
	case f.trySpare(b, status, res):
		return
	case res != nil && f.redirect(res):
		f.tellEarly(b, status)
		f.proceed()
		return
	}
	if f.pending > 0 && !f.cancelled && !f.expired && status < 600 && f.best.status < 600 {
		f.tellEarly(b, status)
	}
	f.consider(status, res)
	f.proceed()
}

// again returns the request once more, to be sent to other targets.
func (f *fork) again() (*sip.Request, bool) {
	req := new(sip.Request)
	return req, req.Parse(slices.Clone(f.request)) == nil
}

// proceed goes on when a branch has ended: with the next group of targets, or with the final response.
func (f *fork) proceed() {
	for f.pending == 0 {
		if len(f.queue) == 0 {
			f.finish()
			return
		}
		n := group(f.queue, int(f.breadth))
		ts := f.queue[:n:n]
		f.queue = f.queue[n:]
		if req, ok := f.again(); ok {
			f.launchAll(req, ts)
		}
	}
}

// giveUp cancels every branch and starts no other.
func (f *fork) giveUp(reason string) {
	f.queue = f.queue[:0]
	for i := range f.branches {
		if b := &f.branches[i]; !b.done {
			b.spares = nil
			// An error means that it is no INVITE, or has ended by itself.
			_ = f.engine.Cancel(b.tx, reason)
		}
	}
}
