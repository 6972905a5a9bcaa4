package session

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/stun/v4"

	"github.com/sipwerk/sipwerk/media/ice"
	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/network"
)

var stunServer = netip.MustParseAddrPort("198.51.100.1:3478")

// seenAs is how the STUN server sees everybody: as if behind a translator.
var seenAs = netip.MustParseAddrPort("203.0.113.5:7777")

// browsers runs f with two endpoints that make checks, and a STUN server that takes its time to answer.
func browsers(t *testing.T, slow time.Duration, servers []netip.AddrPort, f func(t *testing.T, a, b *Endpoint)) {
	synctest.Test(t, func(t *testing.T) {
		sim := &network.Sim{Seed: 1}
		sim.SetConditions(network.Conditions{Delay: 5 * time.Millisecond})
		conns, err := sim.Host(stunServer.Addr()).ListenPacket(t.Context(), stunServer, 1)
		must(t, err)
		go answerSTUN(conns[0], slow)
		var ends []*Endpoint
		var relays []*relay.Relay
		for _, at := range []netip.Addr{alice4, bob4} {
			r := &relay.Relay{Network: sim.Host(at)}
			relays = append(relays, r)
			remote := alice4
			if at == alice4 {
				remote = bob4
			}
			voice := Voice{}
			if asks := at == alice4; asks {
				voice.STUN = servers
			}
			e, err := (&Site{Relay: r, FullICE: true}).NewEndpoint(t.Context(), Peer{Remote: remote, Kind: WebRTC}, voice)
			must(t, err)
			ends = append(ends, e)
		}
		f(t, ends[0], ends[1])
		for i, e := range ends {
			e.Close()
			must(t, relays[i].Close())
		}
		must(t, errors.Join(conns[0].Close(), sim.Close()))
	})
}

func answerSTUN(conn network.PacketConn, slow time.Duration) {
	ms := []network.Datagram{{Buf: make([]byte, 1500)}}
	for {
		if _, err := conn.ReadBatch(ms); err != nil {
			return
		}
		m := stun.Message{Raw: slices.Clone(ms[0].Buf[:ms[0].N])}
		if m.Decode() != nil {
			continue
		}
		res, err := stun.Build(stun.NewTransactionIDSetter(m.TransactionID), stun.BindingSuccess, &stun.XORMappedAddress{IP: seenAs.Addr().AsSlice(), Port: int(seenAs.Port())})
		if err == nil {
			to := ms[0].Peer
			time.AfterFunc(slow, func() { _, _ = conn.WriteBatch([]network.Datagram{{Buf: res.Raw, Peer: to}}) })
		}
	}
}

// hears tells whether the way was found: before that nothing is heard.
func hears(e *Endpoint) bool { return e.Statistics().Received.Packets > 0 }

// line is the first line of a description, with what it says of ICE.
func iceOf(t *testing.T, d *sdp.Description) sdp.ICE {
	t.Helper()
	i, ok := d.ICE(&d.Media[0])
	if !ok {
		t.Fatalf("no ICE in\n%s", d)
	}
	return i
}

// TestTrickled: both sides learn where the other is by fragments alone, which say for which generation they are. RFC 8840 §4.3, RFC 8840 §4.4.
func TestTrickled(t *testing.T) {
	browsers(t, 0, nil, func(t *testing.T, a, b *Endpoint) {
		bare := func(d *sdp.Description) (*sdp.Description, *sdp.Description) {
			all := iceOf(t, d)
			if !slices.Contains(all.Options, "trickle") || !slices.Contains(all.Options, "ice2") || !all.End {
				t.Errorf("the description says %+v", all)
			}
			less := all
			less.Candidates, less.End, less.Lite = nil, false, false
			d.SetICE(&d.Media[0], less)
			fragment, err := sdp.ParseFragment(d.Media[0].AppendFragment(nil, all))
			must(t, err)
			return d, fragment
		}
		offer, fromA := bare(a.Offer())
		reply, err := b.Answer(offer)
		must(t, err)
		answer, fromB := bare(reply)
		must(t, a.Accept(answer))
		time.Sleep(3 * time.Second)
		if hears(a) || hears(b) {
			t.Error("they have found each other without candidates")
		}
		stale, err := sdp.ParseFragment([]byte(strings.Replace(string(fromB.AppendTo(nil)[5:]), "ice-pwd:", "ice-pwd:x", 1)))
		must(t, err)
		a.Trickled(stale)
		other, err := sdp.ParseFragment([]byte(strings.Replace(string(fromB.AppendTo(nil)[5:]), "mid:", "mid:x", 1)))
		must(t, err)
		a.Trickled(other)
		time.Sleep(3 * time.Second)
		if hears(a) {
			t.Error("they have found each other by fragments for somebody else")
		}
		a.Trickled(fromB)
		b.Trickled(fromA)
		time.Sleep(2 * time.Second)
		if !hears(a) || !hears(b) {
			t.Errorf("they hear each other: %v, %v", hears(a), hears(b))
		}
	})
}

// TestGather: what a STUN server says soon is part of the offer, and what it says later is a fragment. RFC 8838 §10, RFC 8840 §4.1.3.
func TestGather(t *testing.T) {
	for name, slow := range map[string]time.Duration{"soon": 10 * time.Millisecond, "late": 3 * time.Second} {
		t.Run(name, func(t *testing.T) {
			browsers(t, slow, []netip.AddrPort{stunServer, netip.MustParseAddrPort("[2001:db8::1]:3478")}, func(t *testing.T, a, b *Endpoint) {
				a.Gathered(t.Context()) // nobody is asked before an offer
				a.Offer()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				a.Gathered(ctx)
				if (ctx.Err() == nil) != (name == "soon") {
					t.Errorf("gathered: %v", ctx.Err())
				}
				offer := a.Offer()
				said := iceOf(t, offer)
				knows := slices.ContainsFunc(said.Candidates, func(v string) bool {
					c, err := ice.ParseCandidate(v)
					return err == nil && c.Kind == ice.ServerReflexive && c.Address == seenAs
				})
				if knows != (name == "soon") || said.End != knows {
					t.Errorf("offer: %+v", said)
				}
				answer, err := b.Answer(offer)
				must(t, err)
				must(t, a.Accept(answer))
				time.Sleep(3 * time.Second)
				fragment := string(a.Fragment())
				if late := strings.Contains(fragment, seenAs.Addr().String()) && strings.Contains(fragment, "end-of-candidates"); late == knows {
					t.Errorf("fragment %q", fragment)
				}
				if again := a.Fragment(); again != nil {
					t.Errorf("said twice: %q", again)
				}
				if b.Fragment() != nil {
					t.Error("who has asked nobody has something to say")
				}
			})
		})
	}
}

// TestRestart: an offer with new credentials begins ICE anew on the way to who makes it, and nowhere else; the sound goes on. RFC 8445 §9.
func TestRestart(t *testing.T) {
	bridge(t, WebRTC, WebRTC, func(b *bridged) {
		time.Sleep(time.Second)
		b.talk("at first")
		names := func() (all [4]string) {
			offered, answered := b.offer(b.alice, b.bob, b.a, b.b)
			for i, d := range []*sdp.Description{b.alice.said, answered, offered, b.bob.said} {
				all[i] = iceOf(t, d).Ufrag
			}
			return all
		}
		before := names()
		if !b.alice.Restart() {
			t.Error("it does not begin anew")
		}
		after := names()
		if after[0] == before[0] || after[1] == before[1] || after[2] != before[2] || after[3] != before[3] {
			t.Errorf("names %v, then %v", before, after)
		}
		time.Sleep(time.Second)
		b.talk("after the restart")
		time.Sleep(time.Minute)
		b.talk("a minute later")
	})
	bridge(t, Plain, Plain, func(b *bridged) {
		if b.alice.Restart() {
			t.Error("there is nothing to begin anew")
		}
	})
}
