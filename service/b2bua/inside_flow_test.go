package b2bua_test

import (
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

func insideFlows() []siptest.Flow {
	return []siptest.Flow{
		{Name: "inside-no-answer", About: "Bob does not answer, and an application inside does. RFC 4458 §2; RFC 5359 §2.9.", Play: on(insideNoAnswer)},
		{Name: "inside-transfer", About: "Bob transfers Alice to an application. RFC 5589 §6.2.", Play: on(insideTransfer)},
		{Name: "inside-menu", About: "An application sends its caller on: Bob is busy, and the caller stays; Carol answers. RFC 5589 §6.", Play: on(insideMenu)},
		{Name: "inside-click-to-dial", About: "An application calls Alice and connects her to Bob. RFC 5359 §2.18.", Play: on(insideClick)},
	}
}

// robot is an application: it answers, and sends on.
type robot struct {
	d     *domain
	usage *dialog.Usage
	asked *sip.Request // the INVITE
	up    bool
	told  []string // of its REFER
}

// robot makes a name that leads to an application inside.
func (d *domain) robot(name string) *robot {
	r := &robot{d: d}
	d.routes[name] = func(q *b2bua.Question) b2bua.Route {
		return b2bua.Route{Application: sip.EventHandlerFunc(func(ev *sip.Event) {
			if u, err := d.service.Dialogs.Incoming(ev, r); err == nil {
				r.usage, r.asked = u, u.Invitation()
				d.Check(r.usage.Answer(r.sdp()) == nil, "%s cannot answer", name)
			}
		})}
	}
	d.service.Identity = insiders{}
	return r
}

// insiders believes who calls, and inside what the service asserts.
type insiders struct{}

func (insiders) Identify(ev *sip.Event) b2bua.Caller {
	if ev.Flow.Transport == sip.Inside {
		return b2bua.Caller{Trusted: true}
	}
	from, _ := ev.Request.From()
	return b2bua.Caller{Account: sip.URI{Scheme: "sip", User: strings.Clone(from.URI.User), Host: "example.org"}}
}

// inside is a party that is called by the flow inside.
func (d *domain) inside(name string) b2bua.Party {
	return b2bua.Party{Bindings: []b2bua.Binding{{Target: d.uri(name), To: sip.Destination{Flow: d.service.Inside}}}}
}

func (r *robot) sdp() dialog.Body {
	return dialog.SDP([]byte("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9000 RTP/AVP 8 0\r\n"))
}

// HandleUsage implements [dialog.Owner].
func (r *robot) HandleUsage(u *dialog.Usage, ev dialog.Event) {
	r.usage = u
	switch ev := ev.(type) {
	case dialog.AckReceived, dialog.Answered:
		r.up = true
	case dialog.Offer:
		_ = u.Accept(r.sdp())
	case *dialog.Request:
		if ev.Request.Method == sip.MethodNotify {
			line, _, _ := strings.Cut(string(ev.Request.Body()), "\r\n")
			r.told = append(r.told, line)
			_ = u.Respond(ev, u.ReplyTo(ev.Request, sip.StatusOK))
		}
	case dialog.Ended:
		r.up = false
	}
}

// refer sends the caller on.
func (r *robot) refer(name string) {
	r.usage.Do(func() {
		req := r.usage.NewRequest(sip.MethodRefer)
		req.Set(sip.HeaderReferTo, "<"+r.d.uri(name).String()+">")
		_ = r.usage.SendRequest(req, func(*sip.Response, error) {})
	})
}

func insideNoAnswer(d *domain) {
	alice, bob := d.phone("alice", "alice"), d.phone("bob", "bob")
	box := d.robot("voicemail")
	d.routes["bob"] = func(*b2bua.Question) b2bua.Route {
		return b2bua.Route{Account: d.uri("bob"), RingTime: 20 * time.Second, Then: func(o b2bua.Outcome) b2bua.Route {
			return b2bua.Route{Ring: []b2bua.Party{d.inside("voicemail")}, Diverted: &b2bua.Diverted{From: d.uri("bob"), To: d.uri("voicemail"), Why: b2bua.NoReply}}
		}}
	}
	out := alice.Dial(d.uri("bob"))
	in := bob.Incoming()
	in.Ring()
	in.Await("Cancelled")
	out.Await("Answered")
	d.Wait(2 * time.Second)
	uri := box.asked.URI
	cause, _ := uri.Param("cause")
	target, _ := uri.Param("target")
	d.Check(box.up && cause == "408" && target == d.uri("bob").String(), "the application is asked for %s", uri)
	d.Check(box.asked.Get(sip.HeaderPAssertedIdentity) == "<sip:alice@example.org>" && box.asked.Has(sip.HeaderDiversion), "the application is told\n%s", box.asked)
	out.Bye()
	out.Await("Ended BYE sent")
	d.Wait(time.Second)
	d.Check(!box.up, "the application is still there")
}

func insideTransfer(d *domain) {
	out, in := answered(d)
	echo := d.robot("echo")
	in.Refer(d.uri("echo"))
	in.Await("Ended BYE received")
	out.Await("Offer")
	d.Wait(2 * time.Second)
	d.Check(echo.up, "the application has no call")
	out.Bye()
	out.Await("Ended BYE sent")
}

func insideMenu(d *domain) {
	alice, bob, carol := d.phone("alice", "alice"), d.phone("bob", "bob"), d.phone("carol", "carol")
	menu := d.robot("menu")
	d.routes["menu-number"] = func(*b2bua.Question) b2bua.Route { return b2bua.Route{Ring: []b2bua.Party{d.inside("menu")}} }
	out := alice.Dial(d.uri("menu-number"))
	out.Await("Answered")
	d.Wait(2 * time.Second)
	menu.refer("bob")
	bob.Incoming().Reject(sip.StatusBusyHere)
	d.Wait(2 * time.Second)
	d.Check(menu.up && len(menu.told) > 0 && menu.told[len(menu.told)-1] == "SIP/2.0 486 Busy Here", "the application was told %q", menu.told)
	menu.refer("carol")
	in := carol.Incoming()
	d.Wait(time.Second)
	in.Answer()
	out.Await("Offer")
	d.Wait(40 * time.Second) // long enough for what is lost
	d.Check(!menu.up, "the application is still there")
	out.HangUp(in)
}

func insideClick(d *domain) {
	alice, bob := d.phone("alice", "alice"), d.phone("bob", "bob")
	click := d.robot("click")
	const stripe = 7
	d.stack.Do(stripe, func() {
		req := sip.NewRequest(sip.MethodInvite, d.uri("alice"))
		req.Set(sip.HeaderFrom, "<"+d.uri("alice").String()+">")
		req.SetBody("application/sdp", click.sdp().Bytes)
		usage, err := d.service.Dialogs.Invite(dialog.Outgoing{Engine: d.stack, Stripe: stripe, Request: req, To: sip.Destination{Flow: d.stack.Inside()}}, click)
		d.Check(err == nil, "the application cannot call: %v", err)
		click.usage = usage
	})
	out := alice.Incoming()
	d.Wait(time.Second)
	out.Answer()
	out.Await("AckReceived")
	d.Wait(time.Second)
	click.refer("bob")
	in := bob.Incoming()
	in.Ring()
	d.Wait(time.Second)
	in.Answer()
	out.Await("Offer")
	d.Wait(40 * time.Second) // long enough for what is lost
	d.Check(!click.up, "the application is still there")
	out.HangUp(in)
}
