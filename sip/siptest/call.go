// A call of a phone, as the test sees it: events to wait for and orders to give.

package siptest

import (
	"fmt"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// Call is one call of a [Phone]. Its orders run in the stripe of the call and return when it has taken them. It belongs to the goroutine of the test.
type Call struct {
	Usage *dialog.Usage
	Phone *Phone

	next    int        // the first event that Await has not seen
	version int        // of our session description
	refusal sip.Status // of what the peer offers

	mu     sync.Mutex // guards all below
	events []string
	wake   chan struct{}
	remote string // what the peer described last

	asserted string // who it has said last to be
	which    sip.Replaces
}

// await is how long [Call.Await] waits: longer than every timer of a call.
const await = 3 * 32 * time.Second

func newCall(p *Phone) *Call { return &Call{Phone: p, wake: make(chan struct{}, 1)} }

// HandleUsage implements [dialog.Owner]: it notes the event, and accepts what the peer offers.
func (c *Call) HandleUsage(u *dialog.Usage, ev dialog.Event) {
	c.mu.Lock()
	c.hearLocked(ev)
	c.mu.Unlock()
	c.note(Describe(ev))
	switch ev := ev.(type) {
	case dialog.Offer:
		// The order cannot fail: the offer is pending.
		refusal := c.refusal
		if refusal == 0 && len(ev.Request.Body()) > 0 && !c.Phone.Takes(string(ev.Request.Body())) {
			refusal = sip.StatusNotAcceptableHere
		}
		if refusal != 0 {
			_ = u.Refuse(refusal)
			return
		}
		_ = u.Accept(c.answerTo(ev.Request.Body()))
	case *dialog.Request:
		switch {
		case ev.Request.Method == sip.MethodNotify, ev.Request.Method == sip.MethodMessage:
			_ = u.Respond(ev, u.ReplyTo(ev.Request, sip.StatusOK))
		case ev.Request.Method == sip.MethodRefer && c.Phone.Refers:
			_ = u.Respond(ev, u.ReplyTo(ev.Request, sip.StatusAccepted))
		}
	case dialog.Answered:
		if len(u.Invitation().Body()) == 0 {
			_ = u.Ack(c.answerTo(ev.Response.Body()))
		}
	}
}

// note makes an event known.
func (c *Call) note(what string) {
	c.mu.Lock()
	c.events = append(c.events, what)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// hearLocked notes what the peer says about its session.
func (c *Call) hearLocked(ev dialog.Event) {
	var body []byte
	switch ev := ev.(type) {
	case dialog.Progress:
		if d := ev.Dialog; d != nil {
			c.which = sip.Replaces{CallID: d.CallID, ToTag: d.RemoteTag, FromTag: d.LocalTag}
		}
	case dialog.Answered:
		body = ev.Response.Body()
	case dialog.AckReceived:
		body = ev.Request.Body()
	case dialog.Offer:
		body = ev.Request.Body()
		if who := ev.Request.Get(sip.HeaderPAssertedIdentity); who != "" {
			c.asserted = who
		}
	case dialog.Modified:
		if ev.Response != nil && ev.Status.Success() {
			body = ev.Response.Body()
		}
	}
	if len(body) > 0 {
		c.remote = string(body)
	}
}

// Describe gives an event in a few words: "Progress 180", "Ended BYE received".
func Describe(ev dialog.Event) string {
	switch ev := ev.(type) {
	case dialog.Progress:
		return fmt.Sprintf("Progress %d", ev.Response.Status)
	case dialog.Answered:
		return fmt.Sprintf("Answered %d", ev.Response.Status)
	case dialog.Rejected:
		return fmt.Sprintf("Rejected %d", ev.Status)
	case dialog.Modified:
		return fmt.Sprintf("Modified %d", ev.Status)
	case dialog.Ended:
		return "Ended " + ev.Cause.String()
	case *dialog.Request:
		if fragment, ok := strings.CutPrefix(string(ev.Request.Body()), "SIP/2.0 "); ok {
			return "Notified " + strings.TrimSpace(fragment)
		}
		if to, err := ev.Request.ReferTo(); err == nil {
			return "Request REFER to " + to.URI.String()
		}
		return "Request " + string(ev.Request.Method)
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", ev), "dialog.")
}

// Await waits for the next event that begins with one of the words and returns it, when all that happens at its instant has happened; events before it
// are passed over. The test fails and stops if it does not come within three times 64*T1.
func (c *Call) Await(words ...string) string {
	c.Phone.bench.T.Helper()
	deadline := time.NewTimer(await)
	defer deadline.Stop()
	for {
		if ev, ok := c.find(words); ok {
			synctest.Wait()
			return ev
		}
		select {
		case <-c.wake:
		case <-deadline.C:
			c.Phone.bench.T.Fatalf("%s waits for %s; its call had %s", c.Phone.Name, strings.Join(words, " or "), strings.Join(c.Events(), ", "))
		}
	}
}

func (c *Call) find(words []string) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for ; c.next < len(c.events); c.next++ {
		for _, w := range words {
			if strings.HasPrefix(c.events[c.next], w) {
				c.next++
				return c.events[c.next-1], true
			}
		}
	}
	return "", false
}

// Events returns all events so far, in the words of [Describe].
func (c *Call) Events() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.events...)
}

// Asserted returns who the peer has said last to be, in a change of the session. RFC 3325 §9.1.
func (c *Call) Asserted() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asserted
}

// Remote returns the session description that the peer sent last.
func (c *Call) Remote() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.remote
}

// Replaces names the dialog of the call as its peer sees it, for an INVITE that is to take its place; of one that is not answered, the last that has said 1xx.
func (c *Call) Replaces() (r sip.Replaces) {
	c.Order("name the dialog", func() error {
		if d := c.Usage.Dialog(); d != nil {
			r = sip.Replaces{CallID: d.CallID, ToTag: d.RemoteTag, FromTag: d.LocalTag}
			return nil
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		r = c.which
		return nil
	})
	return r
}

// Do runs an order in the stripe of the call and returns its error.
func (c *Call) Do(order func() error) error {
	done := make(chan error, 1)
	c.Usage.Do(func() { done <- order() })
	return <-done
}

// Order is [Call.Do] of what must succeed: the test fails, without stopping, if it does not.
func (c *Call) Order(what string, order func() error) {
	c.Phone.bench.T.Helper()
	if err := c.Do(order); err != nil {
		c.Phone.bench.T.Errorf("%s: %s: %v", c.Phone.Name, what, err)
	}
}

// Ring sends 180.
func (c *Call) Ring() {
	c.Phone.bench.T.Helper()
	c.Order("ring", func() error { return c.Usage.Provisional(sip.StatusRinging, dialog.Body{}) })
}

// Answer sends 200 with a session description.
func (c *Call) Answer() {
	c.Phone.bench.T.Helper()
	c.Order("answer", func() error { return c.Usage.Answer(c.answerTo(c.Usage.Invitation().Body())) })
}

// Reject refuses the call.
func (c *Call) Reject(status sip.Status) {
	c.Phone.bench.T.Helper()
	c.Order("reject", func() error { return c.Usage.Reject(status) })
}

// Redirect answers the call with another address.
func (c *Call) Redirect(to sip.URI) {
	c.Phone.bench.T.Helper()
	c.Order("redirect", func() error {
		res := c.Usage.Reply(sip.StatusMovedTemporarily)
		res.Set(sip.HeaderContact, "<"+to.String()+">")
		return c.Usage.Send(res)
	})
}

// Refuse has the call refuse from now on what its peer offers.
func (c *Call) Refuse(status sip.Status) {
	c.Phone.bench.T.Helper()
	c.Order("refuse", func() error {
		c.refusal = status
		return nil
	})
}

// Cancel gives up a call that is not answered.
func (c *Call) Cancel() {
	c.Phone.bench.T.Helper()
	c.Order("cancel", func() error { return c.Usage.Cancel("") })
}

// Bye ends the call whatever its state.
func (c *Call) Bye() {
	c.Phone.bench.T.Helper()
	c.Order("bye", func() error { return c.Usage.Bye("") })
}

// Talk lets the other side, whose call it is too, ring, answer a second later, and goes on for a second when both have seen that.
func (c *Call) Talk(in *Call) {
	b := c.Phone.bench
	b.T.Helper()
	in.Ring()
	b.Wait(time.Second)
	in.Answer()
	c.Await("Answered")
	in.Await("AckReceived")
	b.Wait(time.Second)
}

// HangUp ends a call that is up, and waits until the other side has seen it.
func (c *Call) HangUp(other *Call) {
	c.Phone.bench.T.Helper()
	c.Bye()
	other.Await("Ended BYE received")
	c.Await("Ended BYE sent")
}

// Press dials a digit by INFO, for which no sound is needed.
func (c *Call) Press(digits string) {
	c.Phone.bench.T.Helper()
	for _, d := range digits {
		c.Order("press", func() error {
			req := c.Usage.NewRequest(sip.MethodInfo)
			if req == nil {
				return dialog.ErrState
			}
			req.SetBody("application/dtmf-relay", fmt.Appendf(nil, "Signal=%c\r\nDuration=100\r\n", d))
			return c.Usage.SendRequest(req, func(*sip.Response, error) {})
		})
		c.Phone.bench.Wait(100 * time.Millisecond)
	}
}

// Hold asks the peer to be silent, Resume to speak again.
func (c *Call) Hold() {
	c.Phone.bench.T.Helper()
	c.Order("hold", func() error { return c.Usage.Modify(c.describe("sendonly")) })
}

// Resume ends Hold.
func (c *Call) Resume() {
	c.Phone.bench.T.Helper()
	c.Order("resume", func() error { return c.Usage.Modify(c.describe("sendrecv")) })
}

// answerTo answers an offer: recvonly to sendonly, sendrecv otherwise.
func (c *Call) answerTo(offer []byte) dialog.Body {
	if Direction(string(offer)) == "sendonly" {
		return c.describe("recvonly")
	}
	return c.describe("sendrecv")
}

// describe makes our next session description. It is called in the stripe of the call, or before there is one.
func (c *Call) describe(direction string) dialog.Body {
	c.version++
	addr := c.Phone.bench.Addr(c.Phone.Name)
	codec := c.Phone.codec()
	format, _, _ := strings.Cut(codec, " ")
	return dialog.SDP(fmt.Appendf(nil, "v=0\r\no=%s 1 %d IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio 49170 RTP/AVP %s\r\na=rtpmap:%s\r\na=%s\r\n",
		c.Phone.Name, c.version, addr, addr, format, codec, direction))
}

// Direction returns the direction attribute of a session description, sendrecv if it has none. RFC 4566 §6.
func Direction(sdp string) string {
	for _, d := range [...]string{"sendonly", "recvonly", "inactive"} {
		if strings.Contains(sdp, "a="+d) {
			return d
		}
	}
	return "sendrecv"
}
