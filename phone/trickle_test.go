package phone

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip/siptest"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// serveSTUN answers late, so that what it says is trickled.
func serveSTUN(b *siptest.Bench, late time.Duration) netip.AddrPort {
	host := b.Host("stun")
	at := netip.AddrPortFrom(b.Addr("stun"), 3478)
	conns, err := host.ListenPacket(context.Background(), at, 1)
	if err != nil {
		b.T.Fatal(err)
	}
	b.T.Cleanup(func() { _ = conns[0].Close() })
	go func() {
		ms := []network.Datagram{{Buf: make([]byte, 1500)}}
		for {
			if _, err := conns[0].ReadBatch(ms); err != nil {
				return
			}
			m := stun.Message{Raw: slices.Clone(ms[0].Buf[:ms[0].N])}
			if m.Decode() != nil {
				continue
			}
			res, err := stun.Build(stun.NewTransactionIDSetter(m.TransactionID), stun.BindingSuccess, &stun.XORMappedAddress{IP: []byte{203, 0, 113, 5}, Port: 7777})
			if err != nil {
				continue
			}
			to := ms[0].Peer
			time.AfterFunc(late, func() { _, _ = conns[0].WriteBatch([]network.Datagram{{Buf: res.Raw, Peer: to}}) })
		}
	}()
	return at
}

// TestTrickle: both telephones learn late how they are seen from outside, and tell each other by INFO; the call is heard all the same. RFC 8840 §4.3.
func TestTrickle(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		at := serveSTUN(b, 3*time.Second)
		var told, taken atomic.Int32
		browser := func(p *Phone) {
			p.Media, p.STUN = session.WebRTC, []netip.AddrPort{at}
			p.Trace = func(tr transport.Trace) {
				switch s := string(tr.Data); {
				case strings.HasPrefix(s, "INFO") && strings.Contains(s, "203.0.113.5 7777 typ srflx") && strings.Contains(s, "end-of-candidates"):
					told.Add(1)
				case strings.HasPrefix(s, "SIP/2.0 200") && strings.Contains(s, " INFO\r\n"):
					taken.Add(1)
				}
			}
		}
		alice, bob := add(b, "alice", browser), add(b, "bob", browser)
		stop := serve(b, bob, func(ctx context.Context, c *Call) error {
			return errors.Join(c.Ring(), c.Answer(ctx), tone(ctx, c, 600, time.Minute))
		})
		call, err := alice.Dial(context.Background(), bob.URI)
		if err != nil {
			t.Fatal(err)
		}
		b.Wait(10 * time.Second)
		if pcm := listen(call, time.Second); !loud(pcm[4000:], 600) {
			t.Error("bob is not heard")
		}
		if told.Load() != 4 || taken.Load() != 4 { // each is seen by both
			t.Errorf("%d messages told of candidates, %d said that it was well", told.Load(), taken.Load())
		}
		if err := call.Hangup(); err != nil {
			t.Error(err)
		}
		stopped(t, stop)
	})
}

// TestAnotherWay: for half a minute nothing comes through. The telephone looks for another way instead of hanging up, and finds the old one. RFC 7675 §5.1, RFC 8445 §9.
func TestAnotherWay(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		var offers atomic.Int32
		browser := func(p *Phone) {
			p.Media = session.WebRTC
			p.Trace = func(tr transport.Trace) {
				if tr.Sent && strings.HasPrefix(string(tr.Data), "INVITE") {
					offers.Add(1)
				}
			}
		}
		alice, bob := add(b, "alice", browser), add(b, "bob", browser)
		stop := serve(b, bob, func(ctx context.Context, c *Call) error {
			return errors.Join(c.Answer(ctx), tone(ctx, c, 600, 10*time.Minute))
		})
		call, err := alice.Dial(context.Background(), bob.URI)
		if err != nil {
			t.Fatal(err)
		}
		b.Wait(5 * time.Second)
		b.Net.SetConditions(network.Conditions{Loss: 1})
		b.Wait(33 * time.Second)
		b.Net.SetConditions(network.Conditions{Delay: siptest.Delay})
		b.Wait(30 * time.Second)
		if call.State() != Talking || offers.Load() < 2 {
			t.Errorf("%v, %d offers, %v", call.State(), offers.Load(), call.Err())
		}
		heard := listen(call, time.Minute) // what has waited, and then now
		if pcm := heard[len(heard)-4000:]; !loud(pcm, 600) {
			t.Error("bob is not heard any more")
		}
		if err := call.Hangup(); err != nil {
			t.Error(err)
		}
		stopped(t, stop)
	})
}
