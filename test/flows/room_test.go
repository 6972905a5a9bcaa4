// A room of the whole product whose members carry their sound in different ways. RFC 4353 §3; RFC 4568, RFC 8835.

package flows

import (
	"net/netip"
	"regexp"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/phone"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// meet has the staff meet in the room: alice with plain RTP, bob with keys in the description, carol by way of the shared port.
func meet(b *siptest.Bench, h *house) (alice, bob, carol *chat) {
	at := func(name string, n byte, kind session.Kind) *chat {
		return h.handset(name, four(n), four(1), func(p *phone.Phone) { p.Media = kind }).call("4000")
	}
	alice, bob, carol = at("alice", 2, session.Plain), at("bob", 3, session.SDES), at("carol", 4, session.WebRTC)
	b.Wait(3 * time.Second)
	return alice, bob, carol
}

// TestRoomOfKinds: three kinds of leg, one of them over the shared port: each hears the two others and not itself.
func TestRoomOfKinds(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		h := openHouse(b, plot{addrs: []netip.Addr{four(1)}})
		alice, bob, carol := meet(b, h)
		alice.hears("bob", "carol")
		bob.hears("alice", "carol")
		carol.hears("alice", "bob")
		carol.end()
		b.Wait(2 * time.Second)
		alice.hears("bob")
		bob.hears("alice")
		alice.end()
		bob.end()
	})
}

// TestMemberGone: members who have lost their network say goodbye to nobody. A browser, whose checks stop, leaves the room after half a minute, a telephone after the time that is set; then what
// they held is free.
func TestMemberGone(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		h := openHouse(b, plot{addrs: []netip.Addr{four(1)}, set: map[string]string{"calls.silence": "90s"}})
		alice, bob, carol := meet(b, h)
		left := func(after time.Duration, members int, streams string) {
			t.Helper()
			b.Wait(after)
			if got := len(h.RoomReports()[0].Members); got != members {
				t.Errorf("%d members, want %d", got, members)
			}
			if got := h.figure("sipwerk_media_streams"); got != streams {
				t.Errorf("%s streams, want %s", got, streams)
			}
		}
		left(22*time.Second, 3, "3") // a browser is known by its checks by then
		for _, gone := range []*chat{bob, carol} {
			gone.who.host.SetConditions(&network.Conditions{Loss: 1})
		}
		left(23*time.Second, 3, "3")
		left(8*time.Second, 2, "2") // the last check was up to 6 s before
		alice.hears()
		left(55*time.Second, 2, "2")
		left(12*time.Second, 1, "1")
		log := h.log.take()
		for _, who := range []string{"bob", "carol"} {
			if !regexp.MustCompile(`"conference call ended" .* member=sip:` + who + `@.* by=system .*No media`).MatchString(log) {
				t.Errorf("the log does not say why %s has left:\n%s", who, log)
			}
		}
		alice.end()
	})
}
