package b2bua

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// stripe is the lane of every call here.
const stripe sip.Stripe = 5

var (
	serverAddress = netip.MustParseAddr("192.0.2.250")
	aliceAddress  = netip.MustParseAddr("192.0.2.1")
)

// world is an engine of which the test is the far side: what is started and answered waits for the test to look at it.
type world struct {
	sip.Engine // what a call does not ask for

	t         *testing.T
	b         *B2BUA
	table     *dialog.Table
	sim       *network.Sim
	phones    map[string][]Binding
	routes    map[string]Route
	caller    Caller
	details   []Detail
	questions []Question
	mu        sync.Mutex // the stripe
	last      sip.TransactionID
	ids       int
	handlers  map[sip.TransactionID]sip.EventHandler
	incoming  map[sip.TransactionID]*sip.Request
	started   []*sent
	acks      []*sip.Request
	responses map[sip.TransactionID][]*sip.Response
	cancelled map[sip.TransactionID]string
	later     []func()
	lost      map[uint64]bool
	held      *relay.Stream // occupies the only pair of ports
	via       string        // of what alice sends
	contacts  string        // of the next reply
	user      string        // who has proved to be whom
	bodyType  string        // of what comes; application/sdp if empty
}

// sent is a request of ours and its transaction.
type sent struct {
	*sip.Request
	tx sip.TransactionID
}

// play runs f in a bubble and looks for what is left behind.
func play(t *testing.T, f func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, via: "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx;rport", sim: &network.Sim{Seed: 1}, phones: map[string][]Binding{}, routes: map[string]Route{}, handlers: map[sip.TransactionID]sip.EventHandler{},
			incoming: map[sip.TransactionID]*sip.Request{}, responses: map[sip.TransactionID][]*sip.Response{}, cancelled: map[sip.TransactionID]string{}, lost: map[uint64]bool{}}
		r := &relay.Relay{Network: w.sim.Host(serverAddress), Ports: relay.Ports{Min: 20000, Max: 20099}}
		w.table = &dialog.Table{Allow: "INVITE, ACK, BYE, INFO", SessionExpires: -1}
		w.b = &B2BUA{Dialogs: w.table, Media: &session.Site{Relay: r}, Router: w, Locator: w, Identity: w, Observer: w}
		w.table.Next = w.b
		f(w)
		synctest.Wait()
		if n, m, o := w.b.Calls(), w.table.Len(), r.Streams(); n != 0 || m != 0 || o != 0 {
			t.Errorf("%d calls, %d dialogs and %d media streams left", n, m, o)
		}
		if err := errors.Join(r.Close(), w.sim.Close()); err != nil {
			t.Error(err)
		}
	})
}

func (w *world) Route(q *Question) Route {
	req := q.Request
	w.questions = append(w.questions, *q)
	if r, ok := w.routes[req.URI.User]; ok {
		return r
	}
	if req.URI.User == "nobody" || req.URI.Host != "example.org" {
		return Route{}
	}
	return Route{Account: req.URI}
}

func (w *world) Lookup(account sip.URI) []Binding { return w.phones[account.User] }

func (w *world) Identify(*sip.Event) Caller { return w.caller }

func (w *world) ObserveCall(d *Detail) { w.details = append(w.details, *d) }

// phone registers a device whose Contact is sip:user@192.0.2.n.
func (w *world) phone(user string, n int) {
	a := netip.MustParseAddr("192.0.2." + strconv.Itoa(n))
	target := sip.MustParseURI(fmt.Sprintf("sip:%s@%v", user, a))
	w.phones[user] = append(w.phones[user], Binding{Target: target, Remote: a})
}

// in runs f in the stripe and waits until everything has come to rest.
func (w *world) in(f func()) {
	w.run(f)
	synctest.Wait()
}

// run runs f in the stripe, and what it leaves for later.
func (w *world) run(f func()) {
	w.mu.Lock()
	f()
	for len(w.later) > 0 {
		next := w.later[0]
		w.later = w.later[1:]
		next()
	}
	w.mu.Unlock()
}

// The engine.

func (w *world) Start(s sip.Stripe, req *sip.Request, to sip.Destination, h sip.EventHandler) (sip.TransactionID, error) {
	if w.lost[to.Flow.ID] {
		return 0, sip.ErrFlowLost
	}
	w.last++
	w.handlers[w.last] = h
	w.started = append(w.started, &sent{clone(w.t, req), w.last})
	return w.last, nil
}

func (w *world) Respond(tx sip.TransactionID, res *sip.Response) error {
	parsed, err := sip.ParseResponse(res.AppendTo(nil))
	if err != nil {
		w.t.Errorf("response: %v\n%s", err, res)
	}
	w.responses[tx] = append(w.responses[tx], parsed)
	return nil
}

func (w *world) RespondOnce(tx sip.TransactionID, res *sip.Response) error { return w.Respond(tx, res) }

func (w *world) Cancel(tx sip.TransactionID, reason string) error {
	w.cancelled[tx] = reason
	return nil
}

func (w *world) Ack(_ sip.Stripe, req *sip.Request, _ sip.Destination) error {
	w.acks = append(w.acks, clone(w.t, req))
	return nil
}

func (w *world) Own(tx sip.TransactionID, h sip.EventHandler) error {
	w.handlers[tx] = h
	return nil
}

func (w *world) Do(_ sip.Stripe, f func()) {
	if w.mu.TryLock() {
		w.mu.Unlock()
		w.run(f)
		return
	}
	w.later = append(w.later, f)
}

func (w *world) After(_ sip.Stripe, d time.Duration, f func()) sip.Timer {
	return time.AfterFunc(d, func() { w.run(f) })
}

func (w *world) NewID(s sip.Stripe) string {
	w.ids++
	return string(sip.AppendID(nil, 0, s, [13]byte{byte(w.ids >> 8), byte(w.ids)}))
}

func clone(t *testing.T, req *sip.Request) *sip.Request {
	if req.Method == "" {
		t.Error("empty request")
	}
	return req.Clone()
}

// The far side.

// request brings a request to the table.
func (w *world) request(req *sip.Request) sip.TransactionID {
	w.t.Helper()
	// What the peer sends passes the wire: the parser reads it as it was printed.
	req.Prepend(sip.HeaderVia, w.via)
	parsed, err := sip.ParseRequest(req.AppendTo(nil))
	if err != nil {
		w.t.Fatalf("%v\n%s", err, req)
	}
	w.last++
	tx := w.last
	kind := sip.EventRequest
	if req.Method == sip.MethodAck {
		kind = sip.EventAck
	}
	flow := sip.Flow{Transport: sip.UDP, Local: netip.AddrPortFrom(serverAddress, 5060), Remote: netip.AddrPortFrom(aliceAddress, 5060)}
	w.incoming[tx] = parsed
	w.in(func() {
		w.table.HandleEvent(&sip.Event{Kind: kind, Stripe: stripe, Tx: tx, Request: parsed, Flow: flow, Engine: w, User: w.user})
	})
	return tx
}

// invite is alice's INVITE to a user. Lines are further headers; body may be empty.
func (w *world) invite(user, body string, lines ...string) sip.TransactionID {
	w.t.Helper()
	return w.inviteBytes(user, body, lines, "")
}

// inviteBytes is invite with raw bytes behind the headers.
func (w *world) inviteBytes(user, body string, lines []string, raw string) sip.TransactionID {
	w.t.Helper()
	w.ids++
	callID := string(sip.AppendID(nil, 0, stripe, [13]byte{1, byte(w.ids)}))
	head := append([]string{"INVITE sip:" + user + "@example.org SIP/2.0", "From: Alice <sip:alice@example.org>;tag=a1", "To: <sip:" + user + "@example.org>",
		"Call-ID: " + callID, "CSeq: 1 INVITE", "Contact: <sip:alice@192.0.2.1>"}, lines...)
	req, err := sip.ParseRequest([]byte(strings.Join(head, "\r\n") + "\r\n\r\n" + raw))
	if err != nil {
		w.t.Fatal(err)
	}
	if !req.Has(sip.HeaderMaxForwards) {
		req.Set(sip.HeaderMaxForwards, "70")
	}
	if body != "" {
		req.SetBody("application/sdp", []byte(body))
	}
	return w.request(req)
}

// take returns the requests that were started since the last call.
func (w *world) take(method sip.Method) []*sent {
	w.t.Helper()
	var got []*sent
	for _, s := range w.started {
		if s.Method != method {
			w.t.Errorf("started %s, want %s", s.Method, method)
		}
		got = append(got, s)
	}
	w.started = nil
	return got
}

// one is take for exactly one request.
func (w *world) one(method sip.Method) *sent {
	w.t.Helper()
	got := w.take(method)
	if len(got) != 1 {
		w.t.Fatalf("%d requests %s were started, want 1", len(got), method)
	}
	return got[0]
}

// reply answers a request of ours; tag names the callee's dialog.
func (w *world) reply(s *sent, status sip.Status, body string, lines ...string) {
	w.t.Helper()
	res := s.Reply(status)
	if to, err := res.To(); err == nil && to.Tag() == "" {
		res.Set(sip.HeaderTo, to.WithTag("callee"+strconv.Itoa(int(s.tx))).String())
	}
	res.Set(sip.HeaderContact, "<"+s.URI.String()+">")
	if w.contacts != "" {
		res.Set(sip.HeaderContact, w.contacts)
	}
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ": ")
		res.AddName(name, value)
	}
	if body != "" {
		res.SetBody(or(w.bodyType, "application/sdp"), []byte(body))
	}
	parsed, err := sip.ParseResponse(res.AppendTo(nil))
	if err != nil {
		w.t.Fatal(err)
	}
	w.in(func() {
		w.handlers[s.tx].HandleEvent(&sip.Event{Kind: sip.EventResponse, Stripe: stripe, Tx: s.tx, Response: parsed, Engine: w})
	})
}

// replyTo refuses a request of ours and names other contacts.
func (w *world) replyTo(s *sent, status sip.Status, contacts string) {
	w.t.Helper()
	w.contacts = contacts
	w.reply(s, status, "")
	w.contacts = ""
}

// fails ends a transaction of ours without a response.
func (w *world) fails(tx sip.TransactionID, kind sip.EventKind, err error) {
	w.in(func() {
		w.handlers[tx].HandleEvent(&sip.Event{Kind: kind, Stripe: stripe, Tx: tx, Err: err, Engine: w})
	})
}

// last returns the last response to a request of the peer.
func (w *world) answerTo(tx sip.TransactionID) *sip.Response {
	w.t.Helper()
	all := w.responses[tx]
	if len(all) == 0 {
		w.t.Fatal("no response")
	}
	return all[len(all)-1]
}

// statuses returns all responses to a request of the peer.
func (w *world) statuses(tx sip.TransactionID) string {
	var all []string
	for _, r := range w.responses[tx] {
		all = append(all, strconv.Itoa(int(r.Status)))
	}
	return strings.Join(all, " ")
}

// inside is a request of alice inside the dialog of her INVITE.
func (w *world) inside(tx sip.TransactionID, method sip.Method, seq int, body string) sip.TransactionID {
	w.t.Helper()
	req := w.insideRequest(tx, method, seq)
	if body != "" {
		req.SetBody(or(w.bodyType, "application/sdp"), []byte(body))
	}
	return w.request(req)
}

// insideRequest makes the request of inside.
func (w *world) insideRequest(tx sip.TransactionID, method sip.Method, seq int) *sip.Request {
	in, res := w.incoming[tx], w.answerTo(tx)
	req := sip.NewRequest(method, sip.MustParseURI("sip:"+serverAddress.String()))
	for _, h := range []sip.Header{sip.HeaderFrom, sip.HeaderCallID, sip.HeaderContact} {
		req.Set(h, in.Get(h))
	}
	req.Set(sip.HeaderTo, res.Get(sip.HeaderTo))
	req.Set(sip.HeaderCSeq, strconv.Itoa(seq)+" "+string(method))
	req.Set(sip.HeaderMaxForwards, "70")
	return req
}

// back is a request of the callee inside the dialog that s made.
func (w *world) back(s *sent, method sip.Method, seq int, body string) sip.TransactionID {
	w.t.Helper()
	return w.request(w.backRequest(s, method, seq, body))
}

// backRequest makes the request of back.
func (w *world) backRequest(s *sent, method sip.Method, seq int, body string) *sip.Request {
	req := sip.NewRequest(method, sip.MustParseURI("sip:"+serverAddress.String()))
	req.Set(sip.HeaderFrom, s.Get(sip.HeaderTo)+";tag=callee"+strconv.Itoa(int(s.tx)))
	req.Set(sip.HeaderTo, s.Get(sip.HeaderFrom))
	req.Set(sip.HeaderCallID, s.CallID())
	req.Set(sip.HeaderContact, "<"+s.URI.String()+">")
	req.Set(sip.HeaderCSeq, strconv.Itoa(seq)+" "+string(method))
	req.Set(sip.HeaderMaxForwards, "70")
	if body != "" {
		req.SetBody("application/sdp", []byte(body))
	}
	return req
}

// ack acknowledges the 200 to a request of alice.
func (w *world) ack(tx sip.TransactionID, body string) {
	cseq, _ := w.incoming[tx].CSeq()
	w.inside(tx, sip.MethodAck, int(cseq.Number), body)
}

// connect makes a call from alice to a device of bob, acknowledged, and returns both sides.
func (w *world) connect() (sip.TransactionID, *sent) {
	w.t.Helper()
	w.phone("bob", 2)
	tx := w.invite("bob", offer("192.0.2.1", 4000))
	s := w.one(sip.MethodInvite)
	w.reply(s, sip.StatusOK, offer("192.0.2.2", 6000))
	if got := w.answerTo(tx).Status; got != sip.StatusOK {
		w.t.Fatalf("alice got %d", got)
	}
	w.ack(tx, "")
	return tx, s
}

// hangUp ends a call from alice's side.
func (w *world) hangUp(tx sip.TransactionID, seq int) {
	w.t.Helper()
	bye := w.inside(tx, sip.MethodBye, seq, "")
	if got := w.answerTo(bye).Status; got != sip.StatusOK {
		w.t.Errorf("alice's BYE got %d", got)
	}
	w.reply(w.one(sip.MethodBye), sip.StatusOK, "")
}

// end is the detail of the last call.
func (w *world) end() Detail {
	w.t.Helper()
	if len(w.details) == 0 {
		w.t.Fatal("nothing was observed")
	}
	d := w.details[len(w.details)-1]
	if d.Phase != Ended {
		w.t.Fatalf("the last observed phase is %d", d.Phase)
	}
	return d
}

func offer(host string, port int, lines ...string) string {
	d := []string{"v=0", "o=- 1 1 IN IP4 " + host, "s=-", "c=IN IP4 " + host, "t=0 0", "m=audio " + strconv.Itoa(port) + " RTP/AVP 8 0"}
	return strings.Join(append(d, lines...), "\r\n") + "\r\n"
}

// talks tells whether what is sent from one address to a port of ours comes out at another address.
func (w *world) talks(from, to string, port uint16) bool {
	w.t.Helper()
	a, b := w.socket(from), w.socket(to)
	defer a.Close()
	defer b.Close()
	got := make(chan struct{}, 1)
	go func() {
		if _, err := b.ReadBatch([]network.Datagram{{Buf: make([]byte, 100)}}); err == nil {
			got <- struct{}{}
		}
	}()
	packet := []byte{0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}
	if _, err := a.WriteBatch([]network.Datagram{{Buf: packet, Peer: netip.AddrPortFrom(serverAddress, port)}}); err != nil {
		w.t.Fatal(err)
	}
	time.Sleep(time.Millisecond)
	synctest.Wait()
	return len(got) == 1
}

func (w *world) socket(addr string) network.PacketConn {
	w.t.Helper()
	conns, err := w.sim.Host(netip.MustParseAddrPort(addr).Addr()).ListenPacket(context.Background(), netip.MustParseAddrPort(addr), 1)
	if err != nil {
		w.t.Fatal(err)
	}
	return conns[0]
}

// occupy takes the first pair of ports.
func (w *world) occupy() {
	s, err := w.b.Media.Relay.Open(context.Background(), serverAddress)
	if err != nil {
		w.t.Fatal(err)
	}
	w.held = s
}

// close gives back what the test itself has taken.
func (w *world) close() {
	if w.held != nil {
		w.held.Close()
	}
}

// pass lets time pass. The lock tells the race detector that what the test has read lies before what timers then write.
func (w *world) pass(d time.Duration) {
	w.run(func() {})
	time.Sleep(d)
	synctest.Wait()
}
