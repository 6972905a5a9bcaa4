// A server without libopus: what passes goes on to pass, what it would have to speak is refused or goes over another codec. RFC 7587.

package flows

import (
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/codec/opus"
	"github.com/sipwerk/sipwerk/phone"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// sealed is a codec that says that it is Opus, and nobody can tell but who decodes it: what is in its packets is G.711.
type sealed struct {
	codec.Encoder
	spoken *atomic.Int64 // packets
}

// Encode implements [codec.Encoder].
func (s sealed) Encode(dst []byte, pcm []int16) ([]byte, error) {
	s.spoken.Add(1)
	return s.Encoder.Encode(dst, pcm)
}

// sealedOpus counts the packets that are spoken by it.
func sealedOpus(spoken *atomic.Int64) codec.Format {
	f := codec.PCMA()
	f.Name, f.PayloadType, f.Clock, f.Announced = "opus", 111, opus.Clock, 2
	f.NewEncoder = func() (codec.Encoder, error) {
		e, err := codec.PCMA().NewEncoder()
		return sealed{e, spoken}, err
	}
	return f
}

// TestWithoutOpus: a server without libopus says so in one line. Telephones that have Opus talk to each other by it, and to others and to a room by what they have besides; where Opus would
// have to be spoken by the server the call is refused.
func TestWithoutOpus(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		h := openHouse(b, plot{addrs: []netip.Addr{four(1)}, opus: new(opus.Library)})
		if log := h.log.take(); strings.Count(log, "libopus is missing") != 1 {
			t.Errorf("the server says\n%s", log)
		}
		with := func(formats ...codec.Format) func(*phone.Phone) {
			return func(p *phone.Phone) { p.Formats = formats }
		}
		var spoken atomic.Int64
		alice := h.handset("alice", four(2), four(1), with(sealedOpus(&spoken), codec.PCMU()))
		bob := h.handset("bob", four(3), four(1), with(codec.PCMU()))
		carol := h.handset("carol", four(4), four(1), with(sealedOpus(&spoken)))
		for _, c := range []struct {
			from, to *handset
			opus     bool
		}{{alice, bob, false}, {bob, alice, false}, {alice, carol, true}, {carol, alice, true}} {
			call, in := c.from.converses(c.to)
			if n := spoken.Swap(0); n > 0 != c.opus {
				t.Errorf("%s and %s have said %d packets in Opus", c.from.name, c.to.name, n)
			}
			call.end()
			in.work.Wait()
			spoken.Store(0)
		}
		carol.refused("bob", sip.StatusNotAcceptableHere)
		bob.refused("carol", sip.StatusNotAcceptableHere)
		carol.refused("4000", sip.StatusNotAcceptableHere)
		call, in := alice.call("4000"), bob.call("4000")
		b.Wait(2 * time.Second)
		call.hears("bob")
		in.hears("alice")
		if n := spoken.Load(); n > 0 {
			t.Errorf("alice has said %d packets in Opus to the room", n)
		}
		call.end()
		in.end()
		if log := h.log.take(); strings.Contains(log, "opus") {
			t.Errorf("the server says more of it:\n%s", log)
		}
	})
}
