// Addresses of both families: servers that have one of them, and calls between telephones that have different ones. RFC 8866 §5.7.

package flows

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/phone"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// four and six are the addresses of host n of each family.
func four(n byte) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, n}) }

func six(n byte) netip.Addr {
	return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 15: n})
}

// noIPv6 is the sentence of a server on a machine without IPv6.
const noIPv6 = `err="this machine has no IPv6: a listener without an address serves IPv4 alone"`

// neighbourhood is a server and two telephones with addresses of one family or both.
type neighbourhood struct {
	name       string
	server     []netip.Addr
	alice, bob netip.Addr
	kind       session.Kind // how the sound of alice is carried
}

// near returns the address of the server that somebody can reach.
func (n *neighbourhood) near(a netip.Addr) netip.Addr {
	for _, own := range n.server {
		if own.Is4() == a.Is4() {
			return own
		}
	}
	return netip.Addr{}
}

// TestFamilies: telephones with addresses of one family or the other call each other and meet in a room, however their sound is carried and wherever the server has the families that
// they have; each is told an address that it can reach.
func TestFamilies(t *testing.T) {
	for _, n := range []neighbourhood{
		{"IPv4 only", []netip.Addr{four(1)}, four(2), four(3), session.Plain},
		{"IPv6 only", []netip.Addr{six(1)}, six(2), six(3), session.Plain},
		{"IPv6 only, a browser", []netip.Addr{six(1)}, six(2), six(3), session.WebRTC},
		{"both", []netip.Addr{four(1), six(1)}, four(2), six(3), session.SDES},
		{"both, a browser", []netip.Addr{four(1), six(1)}, four(2), six(3), session.WebRTC},
		{"both, the other way round", []netip.Addr{six(1), four(1)}, six(2), four(3), session.Plain},
	} {
		t.Run(n.name, func(t *testing.T) { siptest.Run(t, n.play) })
	}
}

func (n *neighbourhood) play(b *siptest.Bench) {
	h := openHouse(b, plot{addrs: n.server})
	want := 0
	if !slices.ContainsFunc(n.server, netip.Addr.Is6) {
		want = 1
	}
	if log := h.log.take(); strings.Count(log, noIPv6) != want {
		b.T.Errorf("the server says of IPv6\n%s", log)
	}
	alice := h.handset("alice", n.alice, n.near(n.alice), func(p *phone.Phone) { p.Media = n.kind })
	bob := h.handset("bob", n.bob, n.near(n.bob), nil)
	call, in := alice.converses(bob)
	call.end()
	in.work.Wait()
	call, in = bob.converses(alice) // whoever calls chooses how it is carried: now bob
	call.end()
	in.work.Wait()
	call, in = alice.call("4000"), bob.call("4000")
	b.Wait(2 * time.Second)
	call.hears("bob")
	in.hears("alice")
	call.end()
	in.end()
	alice.directed(n.near(n.alice))
	bob.directed(n.near(n.bob))
}
