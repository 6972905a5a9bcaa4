package proxy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/service/proxy"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// message is a request of alice, with more header fields.
func message(method, uri string, more ...string) string {
	return fmt.Sprintf("%s %s SIP/2.0\nVia: SIP/2.0/UDP {alice};branch={branch}\nMax-Forwards: 70\nFrom: <sip:alice@example.org>;tag=a\nTo: <sip:bob@example.org>\n"+
		"Call-ID: c@alice\nCSeq: 1 %[1]s\nContact: <sip:alice@{alice}>\n%[3]s", method, uri, strings.Join(more, "\n"))
}

// raw runs a test between peers called alice and bob, and a proxy between them.
func raw(t *testing.T, f func(b *siptest.Bench, h *house, alice, bob *siptest.Peer)) {
	t.Helper()
	siptest.Run(t, func(b *siptest.Bench) {
		alice := b.Peer("alice")
		h := build(b, "proxy", domain)
		bob := b.Peer("bob")
		h.home("bob", at(b, "bob", ""))
		f(b, h, alice, bob)
	})
}

// RFC 3261 §16.3: what is refused before it is forwarded. RFC 5393 §5.3.3: Max-Breadth.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		uri, more string
		status    sip.Status
	}{
		{"sip:bob@example.org", "Max-Forwards: 0", sip.StatusTooManyHops},
		{"sip:bob@example.org", "Proxy-Require: magic, wonder", sip.StatusBadExtension},
		{"sip:bob@example.org", "Max-Breadth: 0", sip.StatusMaxBreadthExceeded},
		{"sip:bob@elsewhere.test", "Subject: a", sip.StatusForbidden},
		{"tel:+4930123", "Subject: a", sip.StatusUnsupportedURIScheme},
		{"sip:bob@example.org", "Route: <sip:elsewhere.test;lr>", sip.StatusForbidden},
		{"sip:bob@elsewhere.test", "Route: <sip:example.org;lr>", sip.StatusForbidden},
		{"sip:bob@elsewhere.test", "Route: <sip:AAAAAAAAAAA@{proxy};lr>", sip.StatusForbidden},
		{"sips:bob@example.org", "Subject: a", sip.StatusTemporarilyUnavailable}, // RFC 5630 §5.3: there is no secure contact
	} {
		raw(t, func(b *siptest.Bench, _ *house, alice, bob *siptest.Peer) {
			text := message("MESSAGE", c.uri, c.more)
			if strings.HasPrefix(c.more, "Max-Forwards") {
				text = strings.Replace(text, "Max-Forwards: 70\n", "", 1)
			}
			alice.Send("proxy", text)
			res := alice.Expect("SIP/2.0").Response
			if res.Status != c.status {
				t.Errorf("%s, %s: %d, want %d", c.uri, c.more, res.Status, c.status)
			}
			if c.status == sip.StatusBadExtension && res.Get(sip.HeaderUnsupported) != "magic, wonder" {
				t.Errorf("got\n%s", res)
			}
			bob.Silence(time.Second)
		})
	}
}

// Who is nobody is somebody else's, if that wants it. RFC 3261 §16.5.
func TestUnknown(t *testing.T) {
	raw(t, func(_ *siptest.Bench, h *house, alice, bob *siptest.Peer) {
		h.proxy.Unknown = func(ev *sip.Event) bool {
			takes := ev.Request.URI.UserName() == "echo"
			if takes {
				_ = ev.Engine.RespondOnce(ev.Tx, ev.Request.Reply(sip.StatusBusyHere))
			}
			return takes
		}
		for user, want := range map[string]string{"echo": "SIP/2.0 486", "nobody": "SIP/2.0 404"} {
			alice.Send("proxy", message("MESSAGE", "sip:"+user+"@example.org"))
			alice.Expect(want)
		}
		bob.Silence(time.Second)
	})
}

// RFC 3261 §16.6: what is changed in a request, and what is not; §16.7 step 3 for its response.
func TestForwarded(t *testing.T) {
	raw(t, func(b *siptest.Bench, _ *house, alice, bob *siptest.Peer) {
		alice.Send("proxy", message("MESSAGE", "sip:bob@example.org", "Route: <sip:example.org;lr>", "X-Odd: yes", "Content-Type: text/plain", "", "hello"))
		got := bob.Expect("MESSAGE sip:bob@192.0.2.3 SIP/2.0")
		req := got.Request
		if req.Get(sip.HeaderMaxForwards) != "69" || req.Has(sip.HeaderRoute) || req.Has(sip.HeaderRecordRoute) || req.GetName("X-Odd") != "yes" || string(req.Body()) != "hello" ||
			req.Get(sip.HeaderMaxBreadth) != "60" || req.Has(sip.HeaderUserAgent) {
			t.Errorf("got\n%s", req)
		}
		bob.Reply(got, sip.StatusAccepted, "b", "X-Even: no")
		res := alice.Expect("SIP/2.0 202").Response
		if via, err := res.Via(); err != nil || via.Host != "192.0.2.1" || strings.Count(res.String(), "Via:") != 1 || res.GetName("X-Even") != "no" {
			t.Errorf("got\n%s", res)
		}
	})
}

// RFC 3325 §5, §7; RFC 3261 §22.3: what ends at the border.
func TestBorder(t *testing.T) {
	for _, c := range []struct {
		name       string
		trusted    bool
		user, more string
		want, gone []string
	}{
		{"stranger", false, "", "P-Asserted-Identity: <sip:boss@example.org>\nDiversion: <sip:x@example.org>\nAlert-Info: <http://x>\nP-Preferred-Identity: <sip:y@example.org>\nSubject: s",
			[]string{"Subject: s"}, []string{"P-Asserted-Identity", "Diversion", "Alert-Info", "P-Preferred-Identity"}},
		{"trusted", true, "", "P-Asserted-Identity: <sip:boss@example.org>\nDiversion: <sip:x@example.org>\nP-Preferred-Identity: <sip:y@example.org>",
			[]string{"P-Asserted-Identity: <sip:boss@example.org>", "Diversion"}, []string{"P-Preferred-Identity"}},
		{"private", true, "", "P-Asserted-Identity: <sip:boss@example.org>\nPrivacy: id", []string{"Privacy: id"}, []string{"P-Asserted-Identity"}},
		{"proven", false, "alice", "P-Asserted-Identity: <sip:boss@example.org>", []string{"P-Asserted-Identity: Alice <sip:alice@example.org>"}, []string{"boss"}},
		{"proven and private", false, "alice", "Privacy: user;id", nil, []string{"P-Asserted-Identity"}},
		{"credentials", false, "alice", "Proxy-Authorization: Digest username=\"a\", realm=\"example.org\", nonce=\"n\", uri=\"sip:x\", response=\"00\"\n" +
			"Proxy-Authorization: Digest username=\"a\", realm=\"next.test\", nonce=\"n\", uri=\"sip:x\", response=\"00\"", []string{"next.test"}, []string{"realm=\"example.org\""}},
	} {
		raw(t, func(b *siptest.Bench, h *house, alice, bob *siptest.Peer) {
			h.proxy.Identity, h.proxy.Realms = named{}, func(realm string) bool { return realm == domain }
			h.proxy.Next = sip.EventHandlerFunc(func(ev *sip.Event) {
				ev.User, ev.Trusted = c.user, c.trusted
				h.proxy.Forward(ev)
			})
			alice.Send("proxy", message("MESSAGE", "sip:bob@example.org", c.more))
			got := bob.Expect("MESSAGE")
			for _, w := range c.want {
				if !strings.Contains(got.Text, w) {
					t.Errorf("%s: no %q in\n%s", c.name, w, got.Text)
				}
			}
			for _, g := range c.gone {
				if strings.Contains(got.Text, g) {
					t.Errorf("%s: %q in\n%s", c.name, g, got.Text)
				}
			}
			bob.Reply(got, sip.StatusOK, "b")
			alice.Expect("SIP/2.0 200")
		})
	}
}

// named knows alice.
type named struct{}

func (named) Identify(ev *sip.Event) sip.Address {
	return sip.Address{Display: "Alice", URI: sip.URI{Scheme: "sip", User: ev.User, Host: domain}}
}

// RFC 5658 §3: one Record-Route where both sides are the same, two where they are not. RFC 3261 §16.4: a strict router on the way.
func TestInside(t *testing.T) {
	raw(t, func(b *siptest.Bench, _ *house, alice, bob *siptest.Peer) {
		alice.Send("proxy", message("INVITE", "sip:bob@example.org"))
		alice.Expect("SIP/2.0 100")
		got := bob.Expect("INVITE")
		route := got.Request.Get(sip.HeaderRecordRoute)
		if strings.Count(got.Text, "Record-Route") != 1 || !strings.Contains(route, "@192.0.2.2:5060;lr>") {
			t.Fatalf("got\n%s", got.Text)
		}
		bob.Reply(got, sip.StatusOK, "b", "Contact: <sip:bob@{bob}>", "Record-Route: "+route)
		alice.Expect("SIP/2.0 200")
		inside := func(method, uri, call, route string) string {
			return strings.NewReplacer("To: <sip:bob@example.org>", "To: <sip:bob@example.org>;tag=b", "c@alice", call).Replace(message(method, uri, "Route: "+route))
		}
		alice.Send("proxy", inside("ACK", "sip:bob@{bob}", "c@alice", route))
		if ack := bob.Expect("ACK sip:bob@192.0.2.3:5060 ").Request; ack.Has(sip.HeaderRoute) || ack.Get(sip.HeaderMaxForwards) != "69" {
			t.Errorf("got\n%s", ack)
		}
		// A strict router has put our route into the Request-URI.
		alice.Send("proxy", inside("BYE", strings.Trim(route, "<>"), "c@alice", "<sip:bob@{bob}>"))
		bye := bob.Expect("BYE sip:bob@192.0.2.3:5060 ")
		if bye.Request.Has(sip.HeaderRoute) {
			t.Errorf("got\n%s", bye.Text)
		}
		bob.Reply(bye, sip.StatusOK, "b")
		alice.Expect("SIP/2.0 200")
		// The token is for this Call-ID alone.
		alice.Send("proxy", inside("BYE", "sip:bob@{bob}", "other@alice", route))
		alice.Expect("SIP/2.0 403")
		// The next hop is a strict router.
		alice.Send("proxy", strings.Replace(inside("INFO", "sip:far@away.test", "c@alice", route+", <sip:{bob}>"), "CSeq: 1", "CSeq: 2", 1))
		info := bob.Expect("INFO sip:192.0.2.3:5060 ")
		if info.Request.Get(sip.HeaderRoute) != "<sip:far@away.test>" {
			t.Errorf("got\n%s", info.Text)
		}
		bob.Reply(info, sip.StatusOK, "b")
		alice.Expect("SIP/2.0 200")
	})
}

// RFC 3261 §16.4: an maddr that names us is taken off.
func TestMaddr(t *testing.T) {
	raw(t, func(b *siptest.Bench, _ *house, alice, bob *siptest.Peer) {
		alice.Send("proxy", message("MESSAGE", "sip:bob@example.org:5060;maddr=192.0.2.2;transport=udp"))
		got := bob.Expect("MESSAGE sip:bob@192.0.2.3 ")
		bob.Reply(got, sip.StatusOK, "b")
		alice.Expect("SIP/2.0 200")
	})
}

// RFC 3327 §5.4: a Path becomes the Route.
func TestPath(t *testing.T) {
	raw(t, func(b *siptest.Bench, h *house, alice, bob *siptest.Peer) {
		h.homes["bob"] = []proxy.Target{{URI: sip.MustParseURI("sip:bob@10.0.0.7"), Path: []string{"<sip:token@" + b.Addr("bob").String() + ";lr;ob>", "<sip:inner.test;lr>"}}}
		alice.Send("proxy", message("MESSAGE", "sip:bob@example.org"))
		got := bob.Expect("MESSAGE sip:bob@10.0.0.7 ")
		var routes []string
		for r := range got.Request.Values(sip.HeaderRoute) {
			routes = append(routes, r)
		}
		if len(routes) != 2 || !strings.HasPrefix(routes[0], "<sip:token@") || routes[1] != "<sip:inner.test;lr>" {
			t.Errorf("got\n%s", got.Text)
		}
		bob.Reply(got, sip.StatusOK, "b")
		alice.Expect("SIP/2.0 200")
	})
}

// RFC 5393 §4.2.1: a request that comes back as it was is a loop, one that has changed is a spiral.
func TestLoop(t *testing.T) {
	raw(t, func(b *siptest.Bench, h *house, alice, bob *siptest.Peer) {
		h.home("carol", at(b, "bob", ""))
		alice.Send("proxy", message("MESSAGE", "sip:bob@example.org"))
		got := bob.Expect("MESSAGE")
		vias := strings.Join(strings.Split(got.Text, "\r\n")[1:3], "\n")
		for _, c := range []struct {
			uri, more string
			want      string
		}{{"sip:bob@example.org", "Route: <sip:example.org;lr>", "SIP/2.0 482"}, {"sip:carol@example.org", "", "MESSAGE"}} {
			back := message("MESSAGE", c.uri, c.more)
			back = strings.Replace(back, "Via: SIP/2.0/UDP {alice};branch={branch}", "Via: SIP/2.0/UDP {bob};branch={branch}\n"+vias, 1)
			bob.Send("proxy", strings.Replace(back, "{alice}", "192.0.2.1:5060", 1))
			if on := bob.Expect(c.want); on.Request != nil {
				bob.Reply(on, sip.StatusOK, "c")
				bob.Expect("SIP/2.0 200")
			}
		}
		if n := h.proxy.Counts().Loops; n != 1 {
			t.Errorf("%d loops", n)
		}
		bob.Reply(got, sip.StatusOK, "b")
		alice.Expect("SIP/2.0 200")
	})
}

// RFC 5393 §5.3.3: parallel branches share the breadth, and wait for their turn if there is not enough.
func TestBreadth(t *testing.T) {
	raw(t, func(b *siptest.Bench, h *house, alice, bob *siptest.Peer) {
		h.home("bob", at(b, "bob", ";n=1"), at(b, "bob", ";n=2"), at(b, "bob", ";n=3"))
		alice.Send("proxy", message("MESSAGE", "sip:bob@example.org", "Max-Breadth: 5"))
		sum := uint32(0)
		var all []siptest.Received
		for range 3 {
			got := bob.Expect("MESSAGE")
			n, _ := got.Request.Uint(sip.HeaderMaxBreadth)
			sum += n
			all = append(all, got)
		}
		if sum != 5 {
			t.Errorf("%d instead of 5", sum)
		}
		for _, got := range all {
			bob.Reply(got, sip.StatusNotFound, "b")
		}
		alice.Expect("SIP/2.0 404")
		alice.Send("proxy", strings.Replace(message("MESSAGE", "sip:bob@example.org", "Max-Breadth: 1"), "c@alice", "d@alice", 1))
		for n := range 3 {
			got := bob.Expect(fmt.Sprintf("MESSAGE sip:bob@192.0.2.3;n=%d ", n+1))
			bob.Silence(100 * time.Millisecond)
			bob.Reply(got, sip.StatusNotFound, "b")
		}
		alice.Expect("SIP/2.0 404")
	})
}

// RFC 3261 §16.7 steps 6 and 7: challenges are gathered, 503 becomes 500, credentials come before what a person says.
func TestBestResponse(t *testing.T) {
	for _, c := range []struct {
		name string
		say  []string
		want string
		more []string
	}{
		{"challenges", []string{"401 WWW-Authenticate: Digest realm=\"one\", nonce=\"1\"", "407 Proxy-Authenticate: Digest realm=\"two\", nonce=\"2\"", "486 X: y"},
			"SIP/2.0 401", []string{"realm=\"one\"", "realm=\"two\""}},
		{"overload", []string{"503 Retry-After: 9"}, "SIP/2.0 500", nil},
		{"overloads", []string{"503 Retry-After: 9", "503 Retry-After: 8"}, "SIP/2.0 500", nil},
		{"one refuses", []string{"503 Retry-After: 9", "404 X: y", "486 X: y"}, "SIP/2.0 486", nil},
		{"everywhere", []string{"302 Contact: <sip:x@elsewhere.test>", "600 X: y"}, "SIP/2.0 600", nil},
		{"redirected", []string{"486 X: y", "302 Contact: <sip:x@elsewhere.test>"}, "SIP/2.0 302", []string{"Contact: <sip:x@elsewhere.test>"}},
	} {
		raw(t, func(b *siptest.Bench, h *house, alice, bob *siptest.Peer) {
			var homes []string
			for i := range c.say {
				homes = append(homes, at(b, "bob", fmt.Sprintf(";n=%d", i)))
			}
			h.home("bob", homes...)
			alice.Send("proxy", message("MESSAGE", "sip:bob@example.org"))
			var got []siptest.Received
			for range c.say {
				got = append(got, bob.Expect("MESSAGE"))
			}
			for i, say := range c.say {
				status := sip.Status(int(say[0]-'0')*100 + int(say[1]-'0')*10 + int(say[2]-'0'))
				bob.Reply(got[i], status, "b", say[4:])
			}
			res := alice.Expect("SIP/2.0")
			if !strings.HasPrefix(res.Text, c.want) || strings.Contains(res.Text, "Retry-After") {
				t.Errorf("%s: got\n%s", c.name, res.Text)
			}
			for _, w := range c.more {
				if !strings.Contains(res.Text, w) {
					t.Errorf("%s: no %q in\n%s", c.name, w, res.Text)
				}
			}
		})
	}
}

// RFC 3326 §2: the Reason of the caller's CANCEL is handed on. RFC 6026 §7.3: a response that belongs to nothing goes nowhere.
func TestCancelReason(t *testing.T) {
	raw(t, func(b *siptest.Bench, _ *house, alice, bob *siptest.Peer) {
		text := strings.Replace(message("INVITE", "sip:bob@example.org"), "{branch}", "z9hG4bKfixed", 1)
		alice.Send("proxy", text)
		alice.Expect("SIP/2.0 100")
		got := bob.Expect("INVITE")
		bob.Reply(got, sip.StatusRinging, "b")
		alice.Expect("SIP/2.0 180")
		alice.Send("proxy", strings.ReplaceAll(text, "INVITE", "CANCEL")+"Reason: SIP;cause=200;text=\"Elsewhere\"")
		alice.Expect("SIP/2.0 200")
		stop := bob.Expect("CANCEL")
		if stop.Request.Get(sip.HeaderReason) != `SIP;cause=200;text="Elsewhere"` {
			t.Errorf("got\n%s", stop.Text)
		}
		bob.Reply(stop, sip.StatusOK, "b")
		bob.Reply(got, sip.StatusRequestTerminated, "b")
		bob.Expect("ACK")
		alice.Expect("SIP/2.0 487")
		alice.Send("proxy", strings.Replace(strings.ReplaceAll(text, "INVITE", "ACK"), "To: <sip:bob@example.org>", "To: <sip:bob@example.org>;tag=b", 1))
		b.Wait(40 * time.Second)
		bob.Reply(got, sip.StatusOK, "late")
		alice.Silence(time.Second)
	})
}

// RFC 6228 §6: the caller learns that one of several early dialogs is over.
func TestEarlyDialogTerminated(t *testing.T) {
	raw(t, func(b *siptest.Bench, h *house, alice, bob *siptest.Peer) {
		h.home("bob", at(b, "bob", ";n=1"), at(b, "bob", ";n=2"))
		alice.Send("proxy", message("INVITE", "sip:bob@example.org", "Supported: 199"))
		alice.Expect("SIP/2.0 100")
		one, two := bob.Expect("INVITE"), bob.Expect("INVITE")
		bob.Reply(one, sip.StatusRinging, "one")
		alice.Expect("SIP/2.0 180")
		bob.Reply(two, sip.StatusRinging, "two")
		alice.Expect("SIP/2.0 180")
		bob.Reply(one, sip.StatusBusyHere, "one")
		bob.Expect("ACK")
		res := alice.Expect("SIP/2.0 199").Response
		if res.ToTag() != "one" || res.Get(sip.HeaderReason) != "SIP;cause=486" {
			t.Errorf("got\n%s", res)
		}
		bob.Reply(two, sip.StatusDecline, "two")
		bob.Expect("ACK")
		alice.Expect("SIP/2.0 603")
		alice.Send("proxy", message("ACK", "sip:bob@example.org"))
		b.Wait(40 * time.Second)
	})
}

// RFC 3261 §16.5: a 3xx is followed to people of ours, once, and passed on where it leads elsewhere.
func TestRedirect(t *testing.T) {
	raw(t, func(b *siptest.Bench, h *house, alice, bob *siptest.Peer) {
		h.home("carol", at(b, "bob", ";carol"))
		alice.Send("proxy", message("INVITE", "sip:bob@example.org"))
		alice.Expect("SIP/2.0 100")
		got := bob.Expect("INVITE sip:bob@192.0.2.3 ")
		bob.Reply(got, sip.StatusMovedTemporarily, "b", "Contact: <sip:carol@example.org>, <sip:bob@example.org>")
		bob.Expect("ACK")
		again := bob.Expect("INVITE sip:bob@192.0.2.3;carol ")
		bob.Reply(again, sip.StatusMovedTemporarily, "c", "Contact: <sip:bob@example.org>, <sip:x@elsewhere.test>")
		bob.Expect("ACK")
		res := alice.Expect("SIP/2.0 302").Response
		if res.Get(sip.HeaderContact) != "<sip:x@elsewhere.test>" {
			t.Errorf("got\n%s", res)
		}
		bob.Silence(time.Second)
	})
}

// A 2xx of a fork downstream that comes behind the first one goes to the caller as well. RFC 6026 §7.3.
func TestLateSuccess(t *testing.T) {
	raw(t, func(b *siptest.Bench, h *house, alice, bob *siptest.Peer) {
		alice.Send("proxy", message("INVITE", "sip:bob@example.org"))
		alice.Expect("SIP/2.0 100")
		got := bob.Expect("INVITE")
		bob.Reply(got, sip.StatusOK, "one", "Contact: <sip:one@{bob}>")
		alice.Expect("SIP/2.0 200")
		if n := h.proxy.Counts().Pending; n != 0 {
			t.Errorf("%d requests pending", n)
		}
		b.Wait(10 * time.Second)
		bob.Reply(got, sip.StatusOK, "two", "Contact: <sip:two@{bob}>")
		if res := alice.Expect("SIP/2.0 200").Response; res.ToTag() != "two" {
			t.Errorf("got\n%s", res)
		}
	})
}

// A token without a dialog opens nothing.
func TestTokenAlone(t *testing.T) {
	raw(t, func(b *siptest.Bench, _ *house, alice, bob *siptest.Peer) {
		alice.Send("proxy", message("INVITE", "sip:bob@example.org"))
		alice.Expect("SIP/2.0 100")
		got := bob.Expect("INVITE")
		bob.Reply(got, sip.StatusOK, "b", "Contact: <sip:bob@{bob}>")
		alice.Expect("SIP/2.0 200")
		route := "Route: " + got.Request.Get(sip.HeaderRecordRoute)
		alice.Send("proxy", strings.Replace(message("INVITE", "sip:0900@gateway.test", route), "CSeq: 1", "CSeq: 2", 1))
		alice.Expect("SIP/2.0 403")
		bob.Silence(time.Second)
	})
}

// RFC 3327 §5.2, RFC 5626 §5.1 to §5.3: a telephone registers elsewhere through us, and is called over its flow.
func TestEdge(t *testing.T) {
	raw(t, func(b *siptest.Bench, h *house, alice, bob *siptest.Peer) {
		h.proxy.Relay, h.trust = true, true
		b.Net.Names.AddAddr("home.test", b.Addr("bob"))
		natted := strings.NewReplacer("{alice};branch", "10.0.0.1:5060;rport;branch", "sip:alice@{alice}", "sip:alice@10.0.0.1;ob")
		alice.Send("proxy", natted.Replace(message("REGISTER", "sip:home.test", "Supported: path, outbound")))
		got := bob.Expect("REGISTER")
		path := got.Request.Get(sip.HeaderPath)
		if !strings.HasSuffix(path, "@192.0.2.2:5060;lr;ob>") {
			t.Fatalf("got\n%s", got.Text)
		}
		bob.Reply(got, sip.StatusOK, "b")
		alice.Expect("SIP/2.0 200")
		h.proxy.Relay = false // a call needs no leave
		in := strings.NewReplacer("{alice};branch", "{bob};branch", "c@alice", "d@bob", "Max-Forwards", "Route: "+path+"\nMax-Forwards")
		bob.Send("proxy", in.Replace(message("INVITE", "sip:alice@10.0.0.1;ob")))
		bob.Expect("SIP/2.0 100")
		call := alice.Expect("INVITE sip:alice@10.0.0.1;ob ")
		if call.Request.Has(sip.HeaderRoute) || strings.Count(call.Text, "Record-Route") != 2 {
			t.Errorf("got\n%s", call.Text)
		}
		alice.Reply(call, sip.StatusBusyHere, "a")
		alice.Expect("ACK")
		bob.Expect("SIP/2.0 486")
		// The telephone itself gains nothing by its token.
		alice.Send("proxy", natted.Replace(message("MESSAGE", "sip:bob@gateway.test", "Route: "+path)))
		alice.Expect("SIP/2.0 403")
	})
}

// RFC 5393 §3: two people of two domains who forward to each other, twice each. The request dies out where it comes back unchanged; a spiral goes on.
func TestForkingLoop(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice := b.Peer("alice")
		open := func(h *house) { h.proxy.Relay, h.trust = true, true }
		one, two := build(b, "one", domain, open), build(b, "two", "example.com", open)
		carol := b.Peer("carol")
		one.home("bob", "sip:bob@example.com", "sip:dave@example.com")
		one.home("dave", "sip:bob@example.com", "sip:dave@example.com")
		two.home("bob", "sip:bob@example.org", "sip:dave@example.org")
		two.home("dave", "sip:bob@example.org", "sip:dave@example.org", "sip:spiral@example.org 1")
		one.home("spiral", at(b, "carol", ""))
		b.Faults(siptest.Faults{})
		alice.Send("one", strings.ReplaceAll(message("INVITE", "sip:bob@example.org"), "{proxy}", "{one}"))
		alice.Expect("SIP/2.0 100")
		got := carol.Expect("INVITE")
		carol.Reply(got, sip.StatusBusyHere, "c")
		carol.Expect("ACK")
		b.Wait(time.Second)
		carol.Silence(time.Second)
		res := alice.Expect("SIP/2.0").Response
		if res.Status != sip.StatusBusyHere {
			t.Errorf("got\n%s", res)
		}
		sum := one.proxy.Counts().Forwarded + two.proxy.Counts().Forwarded
		loops := one.proxy.Counts().Loops + two.proxy.Counts().Loops + one.stack.Stats().Merged + two.stack.Stats().Merged
		if sum > 12 || loops == 0 {
			t.Errorf("%d requests forwarded, %d loops", sum, loops)
		}
		alice.Send("one", strings.Replace(message("ACK", "sip:bob@example.org"), "{branch}", "z9hG4bKalice1", 1))
		b.Wait(40 * time.Second)
	})
}

// RFC 3261 §8.2.7: a refusal to somebody known is kept for the copies of the request; a stranger's copy is judged anew, and nothing is repeated to it.
func TestRefusalIsKept(t *testing.T) {
	for _, trusted := range []bool{true, false} {
		raw(t, func(b *siptest.Bench, h *house, alice, bob *siptest.Peer) {
			h.trust = trusted
			h.home("bob")
			invite := strings.Replace(message("INVITE", "sip:bob@example.org", "Subject: a"), "{branch}", "z9hG4bKsame", 1)
			alice.Send("proxy", invite)
			tag := alice.Expect("SIP/2.0 480").Response.ToTag()
			b.Wait(600 * time.Millisecond)
			sent := strings.Count(b.Ladder().String(), " 480 ")
			b.Check(sent == 2 == trusted, "trusted %t: 480 was sent %d times", trusted, sent)
			h.home("bob", at(b, "bob", ""))
			alice.Send("proxy", invite)
			if trusted {
				bob.Silence(time.Second)
				alice.Silence(0) // it is the same response
				alice.Send("proxy", strings.NewReplacer("INVITE", "ACK", "To: <sip:bob@example.org>", "To: <sip:bob@example.org>;tag="+tag).Replace(invite))
				return
			}
			bob.Reply(bob.Expect("INVITE"), sip.StatusBusyHere, "b")
			alice.Expect("SIP/2.0 100")
			alice.Expect("SIP/2.0 486")
		})
	}
}
