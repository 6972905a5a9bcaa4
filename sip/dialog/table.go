// Which usage does a request or ACK inside a dialog belong to? RFC 3261 §12.2.2.

package dialog

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Table finds the usage of each request and ACK inside a dialog. It is an event handler that stands in front of all others, makes the usages and
// holds what they share. The zero Table with Next set is ready; the fields must not be changed once it is used.
type Table struct {
	// Next gets the requests outside a dialog, and those inside one of another kind: SUBSCRIBE, NOTIFY, PUBLISH, REGISTER that no usage knows.
	Next sip.EventHandler
	// Extensions are the option tags that the owners have beyond those of the usages (100rel, timer, 199), for Supported and Require.
	Extensions []string
	// Packages are the packages of INFO that the owners take, for Recv-Info (RFC 6086 §4.2).
	Packages []string
	// SessionExpires is how long a session may last without a refresh (RFC 4028); 0 means half an hour, negative that no session timers are asked for and kept.
	// MinSE is the shortest interval that is accepted; 0 means 90 s, less is not possible.
	SessionExpires, MinSE time.Duration
	// Allow is the list of methods that we say we take; "" means those that a usage takes by itself.
	Allow string
	// Limit is how many usages there may be; 0 means 100,000. What comes beyond is refused with 503.
	Limit int
	// T1 and T2 are the timers of RFC 3261 §17.1.1.1; 0 means 500 ms and 4 s.
	T1, T2 time.Duration
	// Elsewhere is asked about a request inside a call, other than ACK, BYE, CANCEL, PRACK and NOTIFY, that comes from an address to which our own requests do not go and from which the peer was not
	// heard; it reports whether the request may pass, and has answered it otherwise. Who passes is the peer: our requests may go there from then on. It is called in the stripe of the usage and must
	// not block. nil: all pass.
	Elsewhere func(u *Usage, ev *sip.Event) bool
	// Random gives the jitter of RFC 3261 §14.1; nil means math/rand. It is called from many goroutines.
	Random func() uint64

	promised struct {
		once                  sync.Once
		all, plain, confirmed string // what is supported: in an INVITE, in one without reliable 1xx, in a call that is up
	}

	spare messages

	lanes [sip.Stripes]map[string]*Usage // by local tag; each is the matter of its stripe
	count atomic.Int64

	mu    sync.Mutex
	flows map[uint64]map[*Usage]uint64 // guarded by mu; usages by the connection they depend on, numbered as they came to it
	turn  uint64                       // guarded by mu; the last of these numbers
}

// defaultLimit is the Limit of a Table that does not say.
const defaultLimit = 100_000

// Len returns how many usages there are.
func (t *Table) Len() int { return int(t.count.Load()) }

// HandleEvent gives requests and ACKs to their usage, answers those whose dialog nobody knows with 481, and passes the rest on.
func (t *Table) HandleEvent(ev *sip.Event) {
	switch ev.Kind {
	case sip.EventAck:
		if u := t.lanes[ev.Stripe][ev.Request.ToTag()]; u != nil {
			u.reach(ev)
		}
	case sip.EventRequest:
		t.request(ev)
	case sip.EventFlowLost:
		t.flowLost(ev)
	default:
		t.next(ev)
	}
}

func (t *Table) request(ev *sip.Event) {
	tag := ev.Request.ToTag()
	if tag == "" {
		t.next(ev)
		return
	}
	if u := t.lanes[ev.Stripe][tag]; u != nil {
		u.reach(ev)
		return
	}
	switch ev.Request.Method {
	case sip.MethodSubscribe, sip.MethodNotify, sip.MethodPublish, sip.MethodRegister:
		t.next(ev)
	default:
		t.refuse(ev, sip.StatusCallDoesNotExist)
	}
}

func (t *Table) next(ev *sip.Event) {
	if t.Next != nil {
		t.Next.HandleEvent(ev)
		return
	}
	if ev.Kind == sip.EventRequest {
		t.refuse(ev, sip.StatusNotFound)
	}
}

// refuse answers without keeping anything: the sender may be anybody.
func (t *Table) refuse(ev *sip.Event, status sip.Status) {
	ev.Engine.RespondOnce(ev.Tx, ev.Request.Reply(status))
}

// add enters a usage under its local tag.
func (t *Table) add(u *Usage) error {
	limit := int64(t.Limit)
	if limit == 0 {
		limit = defaultLimit
	}
	if t.count.Add(1) > limit {
		t.count.Add(-1)
		return ErrFull
	}
	if t.lanes[u.stripe][u.tag] != nil {
		t.count.Add(-1)
		return ErrState
	}
	t.enter(u)
	return nil
}

// enter and leave do that in the lane of u.
func (t *Table) enter(u *Usage) {
	if away, tag := u.lane() != u.stripe, u.tag; away {
		u.engine.Do(u.lane(), func() { t.put(u, tag) })
		return
	}
	t.put(u, u.tag)
}

func (t *Table) put(u *Usage, tag string) {
	lane := &t.lanes[u.lane()]
	if *lane == nil {
		*lane = make(map[string]*Usage)
	}
	(*lane)[tag] = u
}

func (t *Table) leave(u *Usage) {
	if away, tag := u.lane() != u.stripe, u.tag; away {
		u.engine.Do(u.lane(), func() { delete(t.lanes[u.lane()], tag) })
		return
	}
	delete(t.lanes[u.stripe], u.tag)
}

// rename enters a usage under another local tag.
func (t *Table) rename(u *Usage, tag string) {
	t.leave(u)
	u.tag = tag
	t.enter(u)
}

// remove forgets a usage.
func (t *Table) remove(u *Usage) {
	if u.removed {
		return
	}
	u.removed = true
	t.leave(u)
	t.count.Add(-1)
	if u.dialog != nil {
		t.unwatch(u.dialog.Flow(), u)
	}
}

// watch notes that u depends on a connection.
func (t *Table) watch(flow sip.Flow, u *Usage) {
	if flow.ID == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.flows == nil {
		t.flows = make(map[uint64]map[*Usage]uint64)
	}
	if t.flows[flow.ID] == nil {
		t.flows[flow.ID] = make(map[*Usage]uint64)
	}
	t.turn++
	t.flows[flow.ID][u] = t.turn
}

// unwatch undoes watch.
func (t *Table) unwatch(flow sip.Flow, u *Usage) {
	if flow.ID == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.flows[flow.ID], u)
	if len(t.flows[flow.ID]) == 0 {
		delete(t.flows, flow.ID)
	}
}

// flowLost tells the usages of a connection, each in its stripe.
func (t *Table) flowLost(ev *sip.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	flow := ev.Flow
	at := t.flows[flow.ID]
	for _, u := range slices.SortedFunc(maps.Keys(at), func(a, b *Usage) int { return cmp.Compare(at[a], at[b]) }) {
		u.Do(func() { u.flowLost(flow) })
	}
}

// earlyEnds is the option tag of 199.
const earlyEnds = "199"

// promise writes into a message what we support. RFC 3262 §4, RFC 4028 §7.1 and RFC 6228 §4 ask for it.
func promise(m *sip.Message, tags string) {
	if tags == "" {
		m.Remove(sip.HeaderSupported)
		return
	}
	m.Set(sip.HeaderSupported, tags)
}

// take says which packages of INFO we take, beside those that the owner has named. RFC 6086 §4.2.1.
func (t *Table) take(m *sip.Message) {
	for _, p := range t.Packages {
		if !m.HasToken(sip.HeaderRecvInfo, p) {
			m.Add(sip.HeaderRecvInfo, p)
		}
	}
}

// supported is what messages that begin a call, or answer outside one, promise; plain leaves reliable provisional responses out, confirmed what a call that is up has no use for.
func (t *Table) supported() (all, plain, confirmed string) {
	p := &t.promised
	p.once.Do(func() {
		inside := t.inside()
		p.all, p.plain, p.confirmed = strings.Join(t.extensions(), ", "), strings.Join(append([]string{earlyEnds}, inside...), ", "), strings.Join(inside, ", ")
	})
	return p.all, p.plain, p.confirmed
}

// extensions returns all option tags.
func (t *Table) extensions() []string { return append([]string{reliable100, earlyEnds}, t.inside()...) }

// inside returns those that matter in a call that is up.
func (t *Table) inside() []string {
	var tags []string
	if t.SessionExpires >= 0 {
		tags = append(tags, timerTag)
	}
	return append(tags, t.Extensions...)
}

// has reports whether an option tag is one of ours.
func (t *Table) has(tag string) bool {
	return slices.ContainsFunc(t.extensions(), func(e string) bool { return strings.EqualFold(e, tag) })
}

func (t *Table) allow() string {
	if t.Allow != "" {
		return t.Allow
	}
	return "INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, OPTIONS"
}

func (t *Table) t1() time.Duration {
	if t.T1 > 0 {
		return t.T1
	}
	return 500 * time.Millisecond
}

func (t *Table) t2() time.Duration {
	if t.T2 > 0 {
		return t.T2
	}
	return 4 * time.Second
}

func (t *Table) random() uint64 {
	if t.Random != nil {
		return t.Random()
	}
	return rand.Uint64()
}
