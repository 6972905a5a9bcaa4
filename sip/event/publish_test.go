// PUBLISH: what is kept, for how long, and who may change it. RFC 3903 §4.1, §6.

package event

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// TestPublishTable: RFC 3903 §4.1, table 1, and §6.
func TestPublishTable(t *testing.T) {
	for _, test := range []struct {
		matched, body, ends, known bool
		want                       publishAction
		refused                    sip.Status
	}{
		{body: true, want: publishKeep},
		{body: true, ends: true, want: publishKeep},
		{matched: true, known: true, want: publishExtend},
		{matched: true, body: true, known: true, want: publishKeep},
		{matched: true, ends: true, known: true, want: publishForget},
		{matched: true, body: true, ends: true, known: true, want: publishForget},
		{matched: true, want: publishRefuse, refused: 412},
		{matched: true, body: true, want: publishRefuse, refused: 412},
		{matched: true, ends: true, want: publishRefuse, refused: 412},
		{want: publishRefuse, refused: 400},
		{ends: true, want: publishRefuse, refused: 400},
	} {
		if a, status := kindOf(test.matched, test.body, test.ends).step(test.known); a != test.want || status != test.refused {
			t.Errorf("%+v: %d, %d", test, a, status)
		}
	}
}

// editor publishes as a raw peer.
type editor struct {
	*siptest.Peer
	w    *world
	cseq int
}

// publish says PUBLISH and returns the entity tag of the answer, which must begin with want.
func (e *editor) publish(want string, lines ...string) string {
	e.w.T.Helper()
	e.cseq++
	head, body := strings.Join(lines, "\r\n"), ""
	if head, after, ok := strings.Cut(head, "\r\n>"); ok {
		return e.say(want, head+"\r\n", after)
	}
	return e.say(want, head+"\r\n", body)
}

func (e *editor) say(want, head, body string) string {
	e.w.T.Helper()
	e.Send("focus", "PUBLISH sip:counter@{focus} SIP/2.0\r\nVia: SIP/2.0/UDP {mallory};branch={branch}\r\nMax-Forwards: 70\r\nFrom: <sip:m@{mallory}>;tag=1\r\n"+
		"To: <sip:counter@{focus}>\r\nCall-ID: p\r\nCSeq: "+sip.CSeq{Number: uint32(e.cseq), Method: "PUBLISH"}.String()+"\r\n"+head+"\r\n"+body)
	return e.Expect(want).Response.Get(sip.HeaderSIPETag)
}

// publishing runs f with a compositor in place of the notifier.
func publishing(t *testing.T, f func(w *world, c *Compositor, e *editor, changed *atomic.Int32)) {
	run(t, func(w *world) {
		changed := new(atomic.Int32)
		p := &Published{Name: "counter", Types: []string{"text/plain"}, Find: w.counter.Find, Changed: func(_, _ string) { changed.Add(1) }}
		c := &Compositor{Packages: []*Published{p}}
		w.publish = c
		f(w, c, &editor{Peer: w.Peer("mallory"), w: w}, changed)
	})
}

func TestPublish(t *testing.T) {
	publishing(t, func(w *world, c *Compositor, e *editor, changed *atomic.Int32) {
		text := "Content-Type: text/plain"
		read := func() string {
			words := ""
			for _, p := range c.Published("counter", "counter") {
				words += string(p.Body) + " "
			}
			return words
		}
		first := e.publish("SIP/2.0 200", "Event: counter", text, "Expires: 600", ">open")
		second := e.publish("SIP/2.0 200", "Event: counter", text, ">busy")
		if first == "" || first == second || read() != "open busy " {
			t.Errorf("tags %q %q, published %q", first, second, read())
		}
		third := e.publish("SIP/2.0 200", "Event: counter", "SIP-If-Match: "+first, text, "Expires: 600", ">closed")
		e.publish("SIP/2.0 412", "Event: counter", "SIP-If-Match: "+first)
		if read() != "closed busy " {
			t.Errorf("published %q", read())
		}
		w.Wait(5 * time.Minute)
		fourth := e.publish("SIP/2.0 200", "Event: counter", "SIP-If-Match: "+third, "Expires: 600")
		e.publish("SIP/2.0 200", "Event: counter", "SIP-If-Match: "+second, "Expires: 0")
		w.Wait(9 * time.Minute)
		if read() != "closed " {
			t.Errorf("published %q", read())
		}
		n := changed.Load()
		w.Wait(time.Minute + sweepTime)
		if read() != "" || c.Len() != 0 || changed.Load() != n+1 {
			t.Errorf("after its time: %q, %d, told %d times", read(), c.Len(), changed.Load()-n)
		}
		e.publish("SIP/2.0 412", "Event: counter", "SIP-If-Match: "+fourth)
	})
}

func TestPublishRefused(t *testing.T) {
	publishing(t, func(w *world, c *Compositor, e *editor, _ *atomic.Int32) {
		text := "Content-Type: text/plain"
		e.publish("SIP/2.0 489", "Event: presence", text, ">x")
		e.publish("SIP/2.0 489", text, ">x")
		e.publish("SIP/2.0 415", "Event: counter", "Content-Type: image/png", ">x")
		e.publish("SIP/2.0 423", "Event: counter", "Expires: 10", text, ">x")
		e.publish("SIP/2.0 400", "Event: counter")
		e.publish("SIP/2.0 420", "Event: counter", "Require: eventlist", text, ">x")
		c.MaxBody, c.PerAccount = 10, 1
		e.publish("SIP/2.0 413", "Event: counter", text, ">eleven more")
		account := "alice"
		c.Account = func(*sip.Event) string { return account }
		tag := e.publish("SIP/2.0 200", "Event: counter", "Expires: 60", text, ">x")
		e.publish("SIP/2.0 503", "Event: counter", text, ">y")
		account = "mallory"
		e.publish("SIP/2.0 412", "Event: counter", "SIP-If-Match: "+tag, text, ">mine") // somebody else's
		c.Limit = 1
		e.publish("SIP/2.0 503", "Event: counter", text, ">y")
		if n := c.Len(); n != 1 {
			t.Errorf("%d publications", n)
		}
	})
}
