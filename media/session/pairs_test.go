package session

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/network"
)

// sharedPort is that of the legs whose peers ICE finds.
const sharedPort = 9000

// bridged is two endpoints, each on a host of its own, and the two legs between them.
type bridged struct {
	t          *testing.T
	alice, bob *Endpoint
	a, b       *Leg
	mute       map[*Endpoint]bool   // who neither offers nor takes telephone events
	times      map[*Endpoint]string // "ptime" or "maxptime" and a value that they ask for, and nobody minds
}

// bridge runs f in a bubble: the caller's kind is what it offers, the callee's what it is offered.
func bridge(t *testing.T, caller, callee Kind, f func(b *bridged)) {
	bridgeVoices(t, caller, callee, [2]Voice{}, f)
}

// bridgeVoices is bridge for endpoints that can do different things.
func bridgeVoices(t *testing.T, caller, callee Kind, voices [2]Voice, f func(b *bridged)) {
	t.Helper()
	bridgeLegs(t, [2]Kind{caller, callee}, voices, func(*bridged) {}, f)
}

// bridgeLegs is bridgeVoices for legs of which more is to be said before they are used.
func bridgeLegs(t *testing.T, kinds [2]Kind, voices [2]Voice, prepare, f func(b *bridged)) {
	synctest.Test(t, func(t *testing.T) {
		sim := &network.Sim{Seed: 1}
		sim.SetConditions(network.Conditions{Delay: 5 * time.Millisecond})
		var relays []*relay.Relay
		site := func(h *network.SimHost) *Site {
			r := &relay.Relay{Network: h}
			relays = append(relays, r)
			return &Site{Relay: r, Music: Tune}
		}
		server := site(sim.Host(server4))
		server.Relay.Shared = sharedPort
		alice, bob := site(sim.Host(alice4)), site(sim.Host(bob4))
		alice.FullICE, bob.FullICE = true, true
		b := &bridged{t: t, a: server.NewLeg(Peer{Remote: alice4}, 1), b: server.NewLeg(Peer{Remote: bob4, Kind: kinds[1]}, 2)}
		var err error
		b.alice, err = alice.NewEndpoint(t.Context(), Peer{Remote: server4, Kind: kinds[0]}, voices[0])
		must(t, err)
		b.bob, err = bob.NewEndpoint(t.Context(), Peer{Remote: server4, Kind: kinds[1]}, voices[1])
		must(t, err)
		b.a.Failed = func(err error) { t.Errorf("alice's leg: %v", err) }
		b.b.Failed = func(err error) { t.Errorf("bob's leg: %v", err) }
		b.mute = map[*Endpoint]bool{}
		prepare(b)
		b.offer(b.alice, b.bob, b.a, b.b)
		f(b)
		b.alice.Close()
		b.bob.Close()
		b.a.Close()
		b.b.Close()
		for _, r := range relays {
			if n := r.Streams(); n != 0 {
				t.Errorf("%d streams left", n)
			}
			err = errors.Join(err, r.Close())
		}
		must(t, errors.Join(err, sim.Close()))
	})
}

// offer carries an offer of one endpoint to the other, and the answer back.
func (b *bridged) offer(by, to *Endpoint, from, far *Leg) (offered, answered *sdp.Description) {
	b.t.Helper()
	offer := by.Offer()
	if b.mute[by] {
		offer.Media[0].Drop(sdp.TelephoneEvent)
	}
	b.time(by, offer)
	must(b.t, from.Offered(offer))
	offered, answer, err := b.ask(far, to, offer)
	if errors.Is(err, sdp.ErrNothingCommon) {
		far.Abandon()
		other, ok := far.site.Convertible(offer)
		if !ok {
			b.t.Fatal("nothing can be turned into another codec")
		}
		offered, answer, err = b.ask(far, to, other)
	}
	must(b.t, err)
	must(b.t, far.Answered(answer))
	answered, err = from.Answer(b.t.Context(), answer)
	must(b.t, err)
	must(b.t, Settle(from, far))
	heard := answered.Clone()
	b.time(nil, heard)
	must(b.t, by.Accept(heard))
	return offered, answered
}

// ask presents an offer by a leg to its peer.
func (b *bridged) ask(l *Leg, to *Endpoint, offer *sdp.Description) (offered, answer *sdp.Description, err error) {
	b.t.Helper()
	offered, err = l.Offer(b.t.Context(), offer)
	must(b.t, err)
	heard := offered.Clone()
	if b.mute[to] {
		heard.Media[0].Drop(sdp.TelephoneEvent)
	}
	b.time(nil, heard)
	if answer, err = to.Answer(heard); err == nil {
		b.time(to, answer)
	}
	return offered, answer, err
}

// time lets a description say what its side asks for, or nothing.
func (b *bridged) time(by *Endpoint, d *sdp.Description) {
	if b.times == nil {
		return
	}
	d.Media[0].Lines.RemoveAttribute("ptime", "maxptime")
	if name, value, ok := strings.Cut(b.times[by], " "); ok {
		d.Media[0].Lines.SetAttribute(name, value)
	}
}

// wait lets time pass: for checks, handshakes and what is on its way.
func (b *bridged) wait(d time.Duration) { time.Sleep(d) }

// talk lets both speak, each a tone of its own, and looks whether each hears the other.
func (b *bridged) talk(when string) {
	b.t.Helper()
	for _, way := range []struct {
		name     string
		from, to *Endpoint
		tone     float64
	}{{"alice", b.alice, b.bob, 1000}, {"bob", b.bob, b.alice, 1500}} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			say(b.t, way.from, way.tone, 400*time.Millisecond)
		}()
		got := heard(b.t, way.to, 400*time.Millisecond)
		<-done
		if level := audio.Goertzel(got[len(got)/2:], way.to.Rate(), way.tone); level < 6000 {
			b.t.Errorf("%s: %s is not heard: level %.0f", when, way.name, level)
		}
	}
}

// TestPairs: each kind of leg with each other, and a change by either side, which keeps the handshake that is up: RFC 8842 §5.3. Browsers: RFC 8835 §3.4.
func TestPairs(t *testing.T) {
	kinds := []Kind{Plain, Opportunistic, SDES, DTLS, WebRTC}
	for _, caller := range kinds {
		for _, callee := range kinds {
			t.Run(caller.String()+" to "+callee.String(), func(t *testing.T) {
				t.Parallel()
				bridge(t, caller, callee, func(b *bridged) {
					time.Sleep(time.Second) // checks and handshakes
					b.talk("at first")
					b.offer(b.alice, b.bob, b.a, b.b)
					b.talk("after a change by the caller")
					b.offer(b.bob, b.alice, b.b, b.a)
					b.talk("after a change by the callee")
					for name, n := range map[Kind]*line{caller: &b.a.lines[0], callee: &b.b.lines[0]} {
						if at, _ := n.stream.Local(); (at.Port() == sharedPort) != (name == WebRTC) {
							t.Errorf("%v at %v", name, at)
						}
						if want := name.terms(); n.way.Now().Keying != want.Keying || n.way.Now().ICE != want.ICE || n.way.Now().Profile != want.Profile {
							t.Errorf("%v: %+v", name, n.way.Now())
						}
					}
				})
			})
		}
	}
}
