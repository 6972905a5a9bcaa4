// Registration and health in virtual time: what goes over the wire, and what becomes of it. RFC 3261 §10.2, §11.1, §22.2; RFC 3608; RFC 5626 §4.

package trunk

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// flows are played well and badly.
func flows() []siptest.Flow {
	return []siptest.Flow{
		{Name: "register", About: "A trunk registers: challenged once, then refreshed with the same credentials, and taken back at the end. RFC 3261 §10.2, §22.2.", Play: func(b *siptest.Bench) {
			play(b, func(w *world) {
				p := w.provider("provider")
				s := settings(p)
				s.Expires = time.Minute
				w.group.Set("example.org", []Settings{s})
				w.Wait(time.Minute)
				w.Check(p.known() == 1 && w.group.Status("")[0].Usable, "%+v, %d bindings", w.group.Status(""), p.known())
			})
		}},
		{Name: "brief", About: "The registrar wants longer registrations: 423 with Min-Expires. RFC 3261 §10.2.8.", Play: func(b *siptest.Bench) {
			play(b, func(w *world) {
				p := w.provider("provider")
				p.least = 1200
				w.group.Set("example.org", []Settings{settings(p)})
				w.Wait(20 * time.Second)
				w.Check(p.known() == 1 && time.Until(w.group.Status("")[0].Until) > 10*time.Minute, "%+v", w.group.Status(""))
			})
		}},
	}
}

func TestFlows(t *testing.T) { siptest.RunFlows(t, flows()) }

func TestFlowsBadly(t *testing.T) { siptest.RunFlowsBadly(t, flows()) }

// A provider that comes back is asked again after growing pauses, and calls find the trunk usable when it has accepted.
func TestOutage(t *testing.T) {
	run(t, func(w *world) {
		p := w.provider("provider")
		p.refuse, p.later = sip.StatusServiceUnavailable, ""
		w.group.Set("example.org", []Settings{settings(p)})
		w.Wait(time.Second)
		w.expect("provider registration failed 503")
		w.Wait(time.Minute)
		tries := p.count(sip.MethodRegister)
		w.Check(tries >= 4 && tries <= 7, "%d attempts in a minute", tries)
		ways, passed := w.group.Ways("example.org", Call{Number: "+331456"})
		w.Check(len(ways) == 0 && len(passed) == 1 && passed[0].Err == errUnregistered, "ways %v, passed %v", ways, passed)
		p.set(func() { p.refuse = 0 })
		w.told()
		w.Wait(5 * time.Minute)
		w.expect("provider registered 200")
		ways, _ = w.group.Ways("example.org", Call{Number: "+331456"})
		w.Check(len(ways) == 1, "no way")
	})
}

// RFC 3261 §20.33: who says when to come again is not asked before.
func TestRetryAfter(t *testing.T) {
	run(t, func(w *world) {
		p := w.provider("provider")
		p.refuse, p.later = sip.StatusServiceUnavailable, "120"
		w.group.Set("example.org", []Settings{settings(p)})
		w.Wait(119 * time.Second)
		w.Check(p.count(sip.MethodRegister) == 1, "asked %d times", p.count(sip.MethodRegister))
		p.set(func() { p.refuse = 0 })
		w.Wait(15 * time.Second)
		w.Check(p.known() == 1, "not registered")
	})
}

// RFC 3261 §10.2: a binding that cannot be refreshed stands until its end, and calls go by it meanwhile.
func TestRefreshFails(t *testing.T) {
	run(t, func(w *world) {
		p := w.provider("provider")
		w.group.Set("example.org", []Settings{settings(p)})
		w.Wait(time.Second)
		w.expect("provider registered 200")
		p.set(func() { p.refuse = sip.StatusServerInternalError })
		w.Wait(9*time.Minute + 50*time.Second)
		w.Check(w.group.Status("")[0].Usable, "given up before its end: %+v", w.group.Status(""))
		w.told()
		w.Wait(30 * time.Second)
		w.Check(!w.group.Status("")[0].Usable, "usable after its end")
		p.set(func() { p.refuse = 0 })
		w.Wait(6 * time.Minute)
		w.Check(w.group.Status("")[0].Usable, "not registered again: %+v", w.group.Status(""))
	})
}

// Credentials go to the provider's host and realm alone; a password that is wrong is not tried again and again. RFC 3261 §22.1.
func TestCredentials(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Settings)
		tries  int
		works  bool
	}{
		"any realm that the registrar names": {func(*Settings) {}, 2, true},
		"the realm given":                    {func(s *Settings) { s.Login.Realm = "provider.test" }, 2, true},
		"another realm":                      {func(s *Settings) { s.Login.Realm = "elsewhere" }, 1, false},
		"a wrong password":                   {func(s *Settings) { s.Login.Password = "wrong" }, 2, false},
		"no password":                        {func(s *Settings) { s.Login.Password = "" }, 1, false},
		"another name":                       {func(s *Settings) { s.Login.User, s.Login.Name = "0301", "u1" }, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(w *world) {
				p := w.provider("provider")
				s := settings(p)
				c.change(&s)
				w.group.Set("example.org", []Settings{s})
				w.Wait(5 * time.Minute)
				st := w.group.Status("")[0]
				w.Check(st.Registered == c.works && p.count(sip.MethodRegister) == c.tries, "%+v after %d attempts", st, p.count(sip.MethodRegister))
				w.Check(c.works || st.Problem != "", "no word about why")
			})
		})
	}
}

// An INVITE is challenged at the provider and by somebody behind it. RFC 3261 §22.3: only the first gets an answer.
func TestAuthorize(t *testing.T) {
	run(t, func(w *world) {
		p := w.provider("provider")
		w.group.Set("example.org", []Settings{settings(p)})
		w.Wait(time.Second)
		ways, _ := w.group.Ways("example.org", Call{Number: "+331456", Caller: Caller{Number: "+4930123", Proven: true}})
		if len(ways) != 1 {
			t.Fatal("no way")
		}
		challenge := func(req *sip.Request, realm string) *sip.Response {
			req.Set(sip.HeaderFrom, ways[0].From.String())
			req.Set(sip.HeaderTo, ways[0].To.String())
			req.Set(sip.HeaderCallID, "1")
			req.Set(sip.HeaderCSeq, "1 "+string(req.Method))
			res := req.Reply(sip.StatusProxyAuthRequired)
			res.Set(sip.HeaderProxyAuthenticate, `Digest realm="`+realm+`", nonce="1", qop="auth", algorithm=MD5`)
			return res
		}
		for _, c := range []struct {
			host, realm string
			want        bool
		}{
			{"provider.test", "provider.test", true},
			{w.Addr("provider").String(), "provider.test", true}, // inside the call, by the route that it has set
			{"provider.test", "callee.example", false},
			{"callee.example", "provider.test", false},
			{"192.0.2.99", "provider.test", false},
		} {
			req := sip.NewRequest(sip.MethodInvite, sip.URI{Scheme: "sip", User: "+331456", Host: c.host})
			if _, ok := ways[0].Auth.Authorize(req, challenge(req, c.realm)); ok != c.want {
				t.Errorf("%s, realm %s: answered %v", c.host, c.realm, ok)
			}
		}
	})
}

// RFC 5626 §4.2, §4.5: over a stream a refresh goes by its flow, and a flow that is lost is made anew at once. RFC 3608 §5: calls go by the route that the registrar gives.
func TestStream(t *testing.T) {
	run(t, func(w *world) {
		p := w.provider("provider")
		p.more[sip.HeaderServiceRoute] = "<sip:edge.provider.test;lr>"
		p.more[sip.HeaderFlowTimer] = "40"
		s := settings(p)
		s.Servers[0].Params = ";transport=tcp"
		w.group.Set("example.org", []Settings{s})
		w.Wait(2 * time.Second)
		way := func() Hop {
			ways, _ := w.group.Ways("example.org", Call{Number: "+331456"})
			if len(ways) != 1 {
				t.Fatal("no way")
			}
			return ways[0].Hops[0]
		}
		first := way()
		w.Check(first.To.Flow.Transport == sip.TCP && slices.Equal(first.Path, []string{"<sip:edge.provider.test;lr>"}), "%+v", first)
		w.Wait(15 * time.Minute)
		w.Check(way().To.Flow == first.To.Flow, "refreshed over another flow")
		w.Check(p.stack.Transport().Stats.KeepAlives.Load() > 20, "%d keep-alives in a quarter of an hour", p.stack.Transport().Stats.KeepAlives.Load())
		w.told()
		w.stack.Transport().CloseFlow(first.To.Flow)
		w.Wait(2 * time.Second)
		w.expect("provider unregistered 200, provider registered 200")
		w.Check(way().To.Flow.ID != first.To.Flow.ID && p.known() == 1, "%+v", way())
	})
}

// A name that stands for two servers, one of which is off (RFC 3263 §4.3), and a second server of the settings.
func TestServers(t *testing.T) {
	run(t, func(w *world) {
		dead, good := w.Host("dead"), w.provider("provider")
		dead.Crash()
		w.Net.Names.AddSRV("_sip._udp.voice.test", network.SRV{Priority: 1, Port: 5060, Target: "dead.test"}, network.SRV{Priority: 2, Port: 5060, Target: "provider.test"})
		s := settings(good)
		s.Servers[0].Host = "voice.test"
		other := settings(good)
		other.Name = "other"
		other.Servers = []sip.URI{{Scheme: "sip", Host: "dead.test", Params: ";transport=udp"}, other.Servers[0]}
		w.group.Set("example.org", []Settings{s, other})
		w.Wait(2 * time.Minute)
		for _, st := range w.group.Status("") {
			w.Check(st.Registered, "%+v", st)
		}
	})
}

// OPTIONS: two questions without an answer, and no call goes out; one answer, and they go again.
func TestHealth(t *testing.T) {
	run(t, func(w *world) {
		p := w.provider("provider")
		s := settings(p)
		s.Register, s.Interval = false, time.Minute
		w.group.Set("example.org", []Settings{s})
		w.Wait(time.Second)
		w.expect("provider reachable 200")
		p.host.Crash()
		w.Wait(2 * time.Minute)
		w.expect("provider unreachable")
		_, passed := w.group.Ways("example.org", Call{Number: "+331456"})
		w.Check(len(passed) == 1 && passed[0].Err == errDown, "%v", passed)
	})
	run(t, func(w *world) {
		p := w.provider("provider")
		s := settings(p)
		s.Register, s.Interval = false, time.Minute
		w.group.Set("example.org", []Settings{s})
		w.Wait(time.Second)
		p.set(func() { p.refuse = sip.StatusServiceUnavailable })
		ways, _ := w.group.Ways("example.org", Call{Number: "+331456"})
		w.Check(ways[0].Begin(), "no line")
		ways[0].End(sip.StatusServiceUnavailable) // a call that has met silence makes it be asked at once
		w.Wait(time.Second)
		w.expect("provider reachable 200, provider unreachable 503")
		p.set(func() { p.refuse = 0 })
		w.Wait(12 * time.Second)
		w.expect("provider reachable 200")
		w.Check(w.group.Status("")[0].Counts == Counts{Out: 1, Failed: 1}, "%+v", w.group.Status(""))
	})
}

// No more calls than allowed, both ways together, but for an emergency.
func TestMaxCalls(t *testing.T) {
	run(t, func(w *world) {
		p := w.provider("provider")
		s := settings(p)
		s.MaxCalls = 1
		w.group.Set("example.org", []Settings{s})
		w.Wait(time.Second)
		ways, _ := w.group.Ways("example.org", Call{Number: "+331456"})
		w.Check(ways[0].Begin(), "the first call finds no line")
		w.Check(!ways[0].Begin(), "the second finds one")
		_, passed := w.group.Ways("example.org", Call{Number: "+331456"})
		w.Check(len(passed) == 1 && passed[0].Err == errFull, "%v", passed)
		urgent, _ := w.group.Ways("example.org", Call{Number: "112", Urgent: true})
		w.Check(len(urgent) == 1 && urgent[0].Begin(), "an emergency finds no line")
		urgent[0].End(sip.StatusOK)
		s.Priority = 3 // the settings change while the call is up
		w.group.Set("example.org", []Settings{s})
		w.Wait(time.Second)
		w.Check(!ways[0].Begin(), "a change has forgotten the call")
		ways[0].End(sip.StatusOK)
		ways, _ = w.group.Ways("example.org", Call{Number: "+331456"})
		w.Check(len(ways) == 1 && w.group.Status("")[0].Calls == 0, "%+v", w.group.Status(""))
	})
}

// Changes take effect at once: one that is taken away is taken back at the provider, one that moves is taken back there and begins elsewhere.
func TestChanges(t *testing.T) {
	run(t, func(w *world) {
		one, two := w.provider("one"), w.provider("two")
		a, b := settings(one), settings(two)
		w.group.Set("example.org", []Settings{a})
		w.Wait(time.Second)
		w.expect("one registered 200")
		w.group.Set("example.org", []Settings{a, b})
		w.Wait(time.Second)
		w.expect("two registered 200")
		w.Check(one.count(sip.MethodRegister) == 2, "one that is not changed was asked again")
		moved := b
		moved.Name = "one"
		w.group.Set("example.org", []Settings{moved, b})
		w.Wait(2 * time.Second)
		w.Check(one.known() == 0 && two.known() == 2, "%d and %d bindings", one.known(), two.known())
		b.Disabled = true
		w.group.Set("example.org", []Settings{moved, b})
		w.Wait(time.Second)
		w.Check(two.known() == 1 && len(w.group.Status("")) == 1, "%d bindings, %+v", two.known(), w.group.Status(""))
		w.group.Set("other.example", nil)
		w.Wait(time.Second)
		w.Check(two.known() == 1, "another domain has no say")
	})
}

// Which trunk a request came from is never told by From. RFC 3261 §26.2.
func TestRecognise(t *testing.T) {
	run(t, func(w *world) {
		p := w.provider("provider")
		a, b := settings(p), settings(p)
		b.Name, b.Register = "peer", false
		b.Numbering.Own = []Range{{"+4940100", "+4940199"}}
		w.group.Set("example.org", []Settings{a, b})
		w.Wait(time.Second)
		var contact string
		p.set(func() {
			for uri := range p.bindings {
				contact = uri
			}
		})
		from := func(host string, port uint16) sip.Flow {
			return sip.Flow{Transport: sip.UDP, Remote: netip.AddrPortFrom(w.Addr(host), port), Local: netip.AddrPortFrom(w.Addr("pbx"), 5060)}
		}
		w.Host("stranger")
		for _, c := range []struct {
			about, uri, to string
			flow           sip.Flow
			trunk, called  string
			own            bool
		}{
			{"by the Contact that the registrar has", contact, "sip:+4930111@provider.test", from("stranger", 5060), "provider", "+4930111", true},
			{"by its address and the number", "sip:030111@pbx.test", "sip:x@y", from("provider", 5060), "provider", "+4930111", true},
			{"by the number of the other", "sip:+4940123@pbx.test", "sip:x@y", from("provider", 5060), "peer", "+4940123", true},
			{"a number of nobody's", "sip:+49555@pbx.test", "sip:x@y", from("provider", 5060), "", "+49555", false},
			{"from another port", "sip:+4930111@pbx.test", "sip:x@y", from("provider", 5066), "-", "", false},
			{"from a stranger", "sip:+4930111@pbx.test", "sip:x@y", from("stranger", 5060), "-", "", false},
			{"a Contact that is guessed", "sip:u1@pbx.test;line=00000000000000000000000000000000", "sip:x@y", from("stranger", 5060), "-", "", false},
		} {
			uri, err := sip.ParseURI(c.uri)
			if err != nil {
				t.Fatal(err)
			}
			req := sip.NewRequest(sip.MethodInvite, uri)
			req.Set(sip.HeaderFrom, "<sip:+4930111@provider.test>;tag=1")
			req.Set(sip.HeaderTo, "<"+c.to+">")
			got, ok := w.group.Recognise(req, c.flow)
			if ok == (c.trunk == "-") || ok && (c.trunk != "" && got.Trunk != c.trunk || got.Called != c.called || got.Own != c.own) {
				t.Errorf("%s: %+v, %v", c.about, got, ok)
			}
		}
	})
}

// What comes in goes on inside with numbers of E.164 at our domain, and without what would make a telephone answer by itself.
func TestAdmit(t *testing.T) {
	run(t, func(w *world) {
		p := w.provider("provider")
		w.group.Set("example.org", []Settings{settings(p)})
		w.Wait(time.Second)
		req := sip.NewRequest(sip.MethodInvite, sip.MustParseURI("sip:030111@pbx.test"))
		req.Set(sip.HeaderFrom, `"Bob" <sip:040123@provider.test>;tag=1`)
		req.Set(sip.HeaderTo, "<sip:030111@pbx.test>")
		req.Set(sip.HeaderPAssertedIdentity, "<sip:040199@provider.test>")
		req.Set(sip.HeaderAnswerMode, "Auto")
		req.Set(sip.HeaderAlertInfo, "<http://x/>;info=auto-answer")
		req.Set(sip.HeaderReplaces, "1;to-tag=2;from-tag=3")
		a, ok := w.group.Recognise(req, sip.Flow{Transport: sip.UDP, Remote: netip.AddrPortFrom(w.Addr("provider"), 5060)})
		if !ok {
			t.Fatal("it is nobody's")
		}
		in := a.Admit(req, "TN-Validation-Passed")
		w.Check(in.URI.UserName() == "+4930111" && in.URI.Host == "example.org", "for %s", in.URI.String())
		w.Check(!in.Has(sip.HeaderAnswerMode) && !in.Has(sip.HeaderAlertInfo) && !in.Has(sip.HeaderReplaces), "%s", in)
		w.Check(in.Get(sip.HeaderPAssertedIdentity) == "<sip:+4940199;verstat=TN-Validation-Passed@example.org;user=phone>", "asserted %s", in.Get(sip.HeaderPAssertedIdentity))
		who := a.Caller(req)
		w.Check(who.String() == `"Bob" <sip:+4940123@example.org;user=phone>`, "from %s", who)
		again, ok := w.group.Admitted(in)
		w.Check(ok && again.Trunk == "provider" && again.Called == "+4930111", "inside it is %+v", again)
		req.Set(sip.HeaderPrivacy, "id")
		w.Check(a.Caller(req).URI.Host == "anonymous.invalid", "who hides is %s", a.Caller(req))
	})
}
