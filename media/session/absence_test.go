package session

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/network"
)

// TestAbsence: a peer that is to send and does not is told of once, after the time that is set; one on hold may be silent, and its silence counts from the resumption.
func TestAbsence(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, site *Site) {
		alice := socket(t, sim.Host(alice4), "192.0.2.1:4000")
		var told atomic.Int32
		e := newEndpoint(t, site, alice4, Voice{Silence: time.Minute, Failed: func(err error) {
			if !errors.Is(err, ErrAbsent) {
				t.Error(err)
			}
			told.Add(1)
		}}, 1)
		offer := func(direction string) {
			t.Helper()
			_, err := e.Answer(describe(t, "v=0", "c=IN IP4 192.0.2.1", "m=audio 4000 RTP/AVP 8", "a="+direction))
			must(t, err)
		}
		check := func(when string, after time.Duration, want int32) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			if got := told.Load(); got != want {
				t.Errorf("%s: told %d times, want %d", when, got, want)
			}
		}
		offer("sendonly")
		check("on hold", 2*time.Minute, 0)
		offer("sendrecv")
		check("resumed", 50*time.Second, 0)
		to, _ := e.stream.Local()
		packet := []byte{0x80, 8, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xd5}
		_, err := alice.WriteBatch([]network.Datagram{{Buf: packet, Peer: to}})
		must(t, err)
		check("a packet has come", 50*time.Second, 0)
		check("silent", 20*time.Second, 1)
		check("still silent", 90*time.Second, 1)
		e.Close()
	})
}

// TestNoAbsence: who does not ask is told nothing.
func TestNoAbsence(t *testing.T) {
	world(t, func(t *testing.T, _ *network.Sim, site *Site) {
		e := newEndpoint(t, site, alice4, Voice{Failed: func(err error) { t.Error(err) }}, 1)
		_, err := e.Answer(describe(t, "v=0", "c=IN IP4 192.0.2.1", "m=audio 4000 RTP/AVP 8"))
		must(t, err)
		time.Sleep(2 * time.Minute)
		e.Close()
	})
}
