// The registration of a party: one REGISTER at a time. RFC 3261 §10.2.

package storm

import (
	"strconv"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// granted is for how long a party registers.
const granted = 100 * time.Second

// registration is what a party wants of the registrar, and what it has. Its orders come from the test's goroutine, the rest happens in its stripe.
type registration struct {
	party  *party
	callID string
	stripe sip.Stripe
	seq    uint32

	mu     sync.Mutex // guards all below
	wanted bool
	dirty  bool // wanted was said since the last REGISTER was sent
	busy   bool
	known  bool // bound is what the server acknowledged last
	bound  bool
	last   bool // no refresh follows
	status sip.Status

	failures int // since the last success
}

func newRegistration(p *party) *registration {
	r := &registration{party: p, stripe: sip.StripeOf(p.name)}
	r.callID = p.stack.NewID(r.stripe)
	return r
}

// want says whether the party is to be bound.
func (r *registration) want(bound bool) {
	r.mu.Lock()
	r.wanted, r.dirty = bound, true
	r.mu.Unlock()
	r.party.stack.Do(r.stripe, r.next)
}

// next sends the next REGISTER, if one is due and none is under way.
func (r *registration) next() {
	r.mu.Lock()
	if r.busy || !r.dirty {
		r.mu.Unlock()
		return
	}
	r.busy, r.dirty, r.known = true, false, false
	wanted := r.wanted
	r.mu.Unlock()
	p := r.party
	req := p.message(sip.MethodRegister, sip.URI{Scheme: "sip", Host: domain}, r.callID)
	self := aor(p.user)
	r.seq += 4 // a challenge or three lie between
	req.Set(sip.HeaderCSeq, sip.CSeq{Number: r.seq, Method: sip.MethodRegister}.String())
	req.Set(sip.HeaderTo, "<"+self.String()+">")
	req.Set(sip.HeaderContact, p.contact())
	expires := 0
	if wanted {
		expires = int(granted / time.Second)
	}
	req.Set(sip.HeaderExpires, strconv.Itoa(expires))
	p.ask(req, func(_ *question, res *sip.Response) { r.answered(wanted, res) })
}

// answered takes the outcome: after a success the next refresh is due, after anything else another try, as long as there is a storm.
func (r *registration) answered(wanted bool, res *sip.Response) {
	r.mu.Lock()
	r.busy = false
	r.status = 0
	if res != nil {
		r.status = res.Status
	}
	r.known = r.status == sip.StatusOK
	if r.known {
		r.bound = wanted
	}
	// A connection that the server has forgotten in a crash fails at its first use, also when all is calm.
	r.failures++
	if r.known {
		r.failures = 0
	}
	again := !r.dirty && (!r.known && r.failures < 4 || !r.last && wanted)
	known := r.known
	r.mu.Unlock()
	p := r.party
	if !again {
		r.next()
		return
	}
	wait := p.moment(granted/4, granted/2)
	if !known {
		wait = p.moment(time.Second, 6*time.Second)
	}
	p.stack.After(r.stripe, wait, func() {
		r.mu.Lock()
		r.dirty = r.dirty || !r.last || !r.known
		r.mu.Unlock()
		r.next()
	})
}

// settle is the last order: the party is bound or not, and no refresh follows.
func (r *registration) settle(bound bool) {
	r.mu.Lock()
	r.last = true
	r.mu.Unlock()
	r.want(bound)
}
