package b2bua_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

func extensionFlows() []siptest.Flow {
	return []siptest.Flow{
		{Name: "early-media", About: "Early media, reliable on both legs. RFC 3262 §3.", Play: on(earlyMedia)},
		{Name: "early-update", About: "Both sides change the session before the answer. RFC 3311 §5.", Play: on(earlyUpdate)},
		{Name: "early-offer", About: "The offer comes in a reliable 183, the answer in PRACK. RFC 3262 §5.", Play: on(earlyOffer)},
		{Name: "redirected", About: "A device with early media sends the call on: 199, and the next one answers. RFC 6228 §5; RFC 3261 §8.1.3.4.", Play: on(redirected)},
		{Name: "session-timer", About: "Each leg is refreshed by itself. RFC 4028 §7.4.", Play: on(sessionTimer)},
		{Name: "update", About: "An UPDATE is carried across. RFC 3311 §5.", Play: on(update)},
	}
}

// description is a session description of a phone.
func description(d *domain, c *siptest.Call, version int) dialog.Body {
	addr := d.Addr(c.Phone.Name)
	return dialog.SDP(fmt.Appendf(nil, "v=0\r\no=%s 2 %d IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0\r\na=ptime:%d\r\n", c.Phone.Name, version, addr,
		addr, 10*version))
}

func progress(d *domain, c *siptest.Call) {
	d.T.Helper()
	c.Order("progress", func() error { return c.Usage.Provisional(sip.StatusSessionProgress, description(d, c, 1)) })
}

// talk answers a call that has early media, and ends it.
func talk(d *domain, out, in *siptest.Call) {
	d.T.Helper()
	in.Answer()
	out.Await("Answered")
	in.Await("AckReceived")
	d.Wait(time.Second)
	in.HangUp(out)
}

func earlyMedia(d *domain) {
	alice, bob := d.phone("alice", "alice"), d.phone("bob", "bob")
	out := alice.Dial(d.uri("bob"))
	in := bob.Incoming()
	progress(d, in)
	out.Await("Progress 183")
	d.Wait(5 * time.Second)
	talk(d, out, in)
}

func earlyUpdate(d *domain) {
	alice, bob := d.phone("alice", "alice"), d.phone("bob", "bob")
	out := alice.Dial(d.uri("bob"))
	in := bob.Incoming()
	progress(d, in)
	out.Await("Progress 183")
	d.Wait(16 * time.Second)
	out.Order("update", func() error { return out.Usage.Update(description(d, out, 2)) })
	out.Await("Modified 200")
	in.Await("Offer")
	d.Check(strings.Contains(in.Remote(), "a=ptime:20"), "bob was offered %s", in.Remote())
	in.Order("update", func() error { return in.Usage.Update(description(d, in, 3)) })
	in.Await("Modified 200")
	out.Await("Offer")
	d.Check(strings.Contains(out.Remote(), "a=ptime:30"), "alice was offered %s", out.Remote())
	talk(d, out, in)
}

func earlyOffer(d *domain) {
	alice, bob := d.phone("alice", "alice"), d.phone("bob", "bob")
	out := alice.DialWithoutOffer(d.uri("bob"))
	in := bob.Incoming()
	progress(d, in)
	out.Await("Progress 183")
	out.Order("answer", func() error { return out.Usage.Ack(description(d, out, 2)) })
	in.Await("PrackReceived")
	d.Wait(time.Second)
	in.Answer()
	out.Await("Answered")
	in.Await("AckReceived")
	d.Wait(time.Second)
	out.HangUp(in)
}

func redirected(d *domain) {
	alice, bob, dora := d.phone("alice", "alice"), d.phone("bob", "bob"), d.phone("dora", "dora")
	out := alice.Dial(d.uri("bob"))
	in := bob.Incoming()
	progress(d, in)
	out.Await("Progress 183")
	d.Wait(5 * time.Second)
	in.Order("redirect", func() error {
		res := in.Usage.Reply(sip.StatusMovedTemporarily)
		to := d.uri("dora")
		res.Set(sip.HeaderContact, "<"+to.String()+">")
		return in.Usage.Send(res)
	})
	other := dora.Incoming()
	other.Ring()
	d.Wait(5 * time.Second)
	talk(d, out, other)
}

func sessionTimer(d *domain) {
	d.service.Silence = -1
	out, in := answered(d)
	d.Wait(16 * time.Minute)
	out.HangUp(in)
}

func update(d *domain) {
	out, in := answered(d)
	out.Order("update", func() error { return out.Usage.Update(description(d, out, 2)) })
	out.Await("Modified 200")
	in.Await("Offer")
	d.Check(strings.Contains(in.Remote(), "a=ptime:20"), "bob was offered %s", in.Remote())
	in.Order("update", func() error { return in.Usage.Update(description(d, in, 3)) })
	in.Await("Modified 200")
	d.Wait(time.Second)
	out.HangUp(in)
}
