package session

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/network"
)

// pair runs f in a bubble with two endpoints that have agreed; a made the offer.
func pair(t *testing.T, c network.Conditions, f func(t *testing.T, a, b *Endpoint)) {
	voices(t, c, Voice{}, Voice{}, f)
}

// voices is pair for endpoints with voices of their own.
func voices(t *testing.T, c network.Conditions, voiceA, voiceB Voice, f func(t *testing.T, a, b *Endpoint)) {
	synctest.Test(t, func(t *testing.T) {
		sim := &network.Sim{Seed: 1}
		sim.SetConditions(c)
		ra, rb := &relay.Relay{Network: sim.Host(alice4)}, &relay.Relay{Network: sim.Host(server4)}
		a := newEndpoint(t, &Site{Relay: ra}, server4, voiceA, 1)
		b := newEndpoint(t, &Site{Relay: rb}, alice4, voiceB, 2)
		agree(t, a, b)
		f(t, a, b)
		a.Close()
		a.Close()
		b.Close()
		if ra.Streams() != 0 || rb.Streams() != 0 {
			t.Error("streams left")
		}
		if err := errors.Join(ra.Close(), rb.Close(), sim.Close()); err != nil {
			t.Error(err)
		}
	})
}

func newEndpoint(t *testing.T, s *Site, remote netip.Addr, v Voice, seed uint64) *Endpoint {
	t.Helper()
	v.Random = rand.NewPCG(seed, seed)
	e, err := s.NewEndpoint(t.Context(), Peer{Remote: remote}, v)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// agree carries an offer of a to b and the answer back, as text.
func agree(t *testing.T, a, b *Endpoint) (offer, answer string) {
	t.Helper()
	offer = a.Offer().String()
	reply, err := b.Answer(describe(t, strings.Split(strings.TrimSpace(offer), "\r\n")...))
	if err != nil {
		t.Fatal(err)
	}
	answer = reply.String()
	if err := a.Accept(describe(t, strings.Split(strings.TrimSpace(answer), "\r\n")...)); err != nil {
		t.Fatal(err)
	}
	return offer, answer
}

// say writes a tone of that length.
func say(t *testing.T, e *Endpoint, frequency float64, d time.Duration) {
	t.Helper()
	pcm := make([]int16, int(d.Seconds()*float64(e.Rate())))
	if _, err := (&audio.Tone{Rate: e.Rate(), Frequencies: []float64{frequency}, Amplitude: 8000}).ReadSamples(pcm); err != nil {
		t.Error(err)
	}
	play(t, e, pcm)
}

// play says samples, in two pieces.
func play(t *testing.T, e *Endpoint, pcm []int16) {
	t.Helper()
	b := make([]byte, 0, 2*len(pcm))
	for _, s := range pcm {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	for _, piece := range [][]byte{b[:333], b[333:]} {
		if n, err := e.Write(piece); n != len(piece) || err != nil {
			t.Errorf("wrote %d of %d bytes: %v", n, len(piece), err)
		}
	}
}

// heard reads for that long.
func heard(t *testing.T, e *Endpoint, d time.Duration) []int16 {
	t.Helper()
	b := make([]byte, 2*int(d.Seconds()*float64(e.Rate())))
	if _, err := io.ReadFull(e, b); err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, len(b)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return pcm
}

func TestEndpointsHearEachOther(t *testing.T) {
	for name, c := range map[string]network.Conditions{
		"good network": {Delay: 20 * time.Millisecond},
		"bad network":  {Delay: 40 * time.Millisecond, Jitter: 15 * time.Millisecond, Loss: 0.05, Duplicate: 0.05, Reorder: 0.05},
	} {
		t.Run(name, func(t *testing.T) {
			pair(t, c, func(t *testing.T, a, b *Endpoint) {
				start := time.Now()
				go say(t, a, 1000, 3*time.Second)
				got := heard(t, b, 3*time.Second)
				if took := time.Since(start); took < 2900*time.Millisecond || took > 3100*time.Millisecond {
					t.Errorf("3 s of sound took %v", took)
				}
				middle := got[len(got)/3 : 2*len(got)/3]
				if level := audio.Goertzel(middle, b.Rate(), 1000); level < 6000 {
					t.Errorf("the tone was heard at a level of %.0f", level)
				}
				if level := audio.Goertzel(middle, b.Rate(), 2000); level > 1000 {
					t.Errorf("another tone was heard at a level of %.0f", level)
				}
				if s := b.Statistics(); s.Received.Packets < 130 || (s.Received.Lost > 0) != (c.Loss > 0) {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// An endpoint of 16000 Hz and one of 8000 Hz hear each other by any codec, also where packets are lost.
func TestEndpointsOfDifferentRates(t *testing.T) {
	for _, f := range []codec.Format{codec.G722(), codec.PCMU()} {
		t.Run(f.Name, func(t *testing.T) {
			wide := Voice{Formats: []codec.Format{f}, Rate: 16000}
			voices(t, network.Conditions{Delay: 20 * time.Millisecond, Loss: 0.03}, wide, Voice{}, func(t *testing.T, a, b *Endpoint) {
				if a.Rate() != 16000 || b.Rate() != 8000 {
					t.Fatalf("rates %d and %d", a.Rate(), b.Rate())
				}
				for _, way := range [][2]*Endpoint{{a, b}, {b, a}} {
					go say(t, way[0], 1000, 2*time.Second)
					got := heard(t, way[1], 2*time.Second)
					middle := got[len(got)/3 : 2*len(got)/3]
					if level := audio.Goertzel(middle, way[1].Rate(), 1000); level < 6000 {
						t.Errorf("the tone was heard at a level of %.0f", level)
					}
					if level := audio.Goertzel(middle, way[1].Rate(), 2000); level > 1000 {
						t.Errorf("another tone was heard at a level of %.0f", level)
					}
				}
			})
		})
	}
}

func TestEcho(t *testing.T) {
	pair(t, network.Conditions{Delay: 10 * time.Millisecond}, func(t *testing.T, a, b *Endpoint) {
		done := make(chan error, 1)
		go func() {
			_, err := io.Copy(b, b)
			done <- err
		}()
		go say(t, a, 700, time.Second)
		got := heard(t, a, 2*time.Second)
		if level := audio.Goertzel(got[len(got)/4:len(got)/2], a.Rate(), 700); level < 6000 {
			t.Errorf("the echo was heard at a level of %.0f", level)
		}
		b.Close()
		if err := <-done; err != nil && !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("the echo ended with %v", err)
		}
	})
}

// TestDigits: RFC 4733 §2.5.
func TestDigits(t *testing.T) {
	pair(t, network.Conditions{Delay: 20 * time.Millisecond, Jitter: 20 * time.Millisecond, Loss: 0.1}, func(t *testing.T, a, b *Endpoint) {
		if err := a.Dial("12x"); err == nil {
			t.Error("x was dialled")
		}
		if err := a.Dial(strings.Repeat("1", digitQueue+1)); err == nil {
			t.Error("more digits than fit were dialled")
		}
		const number = "0123456789*#ABCD0011"
		if err := a.Dial(number); err != nil {
			t.Fatal(err)
		}
		if err := a.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		var got []byte
		for len(b.Digits()) > 0 {
			got = append(got, <-b.Digits())
		}
		if string(got) != number {
			t.Errorf("heard %q, want %q", got, number)
		}
	})
}

// TestReports: RFC 3550 §6.4.1.
func TestReports(t *testing.T) {
	pair(t, network.Conditions{Delay: 50 * time.Millisecond, Loss: 0.1}, func(t *testing.T, a, b *Endpoint) {
		time.Sleep(time.Minute)
		s := a.Statistics()
		if s.RoundTrip < 99*time.Millisecond || s.RoundTrip > 101*time.Millisecond {
			t.Errorf("round trip %v, want 100 ms", s.RoundTrip)
		}
		if s.PeerLost < 150 || s.PeerLost > 450 {
			t.Errorf("the peer misses %d of 3000 packets, want about 300", s.PeerLost)
		}
	})
}

// TestHoldOfAnEndpoint: RFC 3264 §8.4.
func TestHoldOfAnEndpoint(t *testing.T) {
	pair(t, network.Conditions{}, func(t *testing.T, a, b *Endpoint) {
		a.SetDirection(sdp.SendOnly)
		offer, answer := agree(t, a, b)
		if !strings.Contains(offer, "a=sendonly") || !strings.Contains(answer, "a=recvonly") || !strings.Contains(offer, " 2 IN IP4") {
			t.Errorf("offer\n%sanswer\n%s", offer, answer)
		}
		time.Sleep(time.Second)
		before := a.Statistics().Received.Packets
		time.Sleep(time.Second)
		if got := a.Statistics().Received.Packets - before; got != 0 {
			t.Errorf("%d packets while on hold", got)
		}
		a.SetDirection(sdp.SendRecv)
		agree(t, a, b)
		time.Sleep(time.Second)
		if got := a.Statistics().Received.Packets - before; got < 45 {
			t.Errorf("%d packets in the second after the hold", got)
		}
	})
}

func TestNothingCommon(t *testing.T) {
	pair(t, network.Conditions{}, func(t *testing.T, a, b *Endpoint) {
		for _, line := range []string{"m=audio 4000 RTP/AVP 18", "m=audio 0 RTP/AVP 8", "m=video 4000 RTP/AVP 31"} {
			d := describe(t, "v=0", "c=IN IP4 192.0.2.1", line)
			if _, err := b.Answer(d); !errors.Is(err, sdp.ErrNothingCommon) {
				t.Errorf("offer %s: %v", line, err)
			}
			if err := a.Accept(d); !errors.Is(err, sdp.ErrNothingCommon) {
				t.Errorf("answer %s: %v", line, err)
			}
		}
	})
}

func TestClosedEndpoint(t *testing.T) {
	pair(t, network.Conditions{}, func(t *testing.T, a, b *Endpoint) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if err := a.Dial("123"); err != nil {
			t.Fatal(err)
		}
		if err := a.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("drain: %v", err)
		}
		ends := make(chan error, 1)
		go func() {
			_, err := io.Copy(io.Discard, a)
			ends <- err
		}()
		time.Sleep(time.Second)
		a.Close()
		if err := <-ends; err != nil {
			t.Errorf("reading ended with %v", err)
		}
		if _, err := a.Write(make([]byte, 2)); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("write: %v", err)
		}
		if err := a.Dial("1"); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("dial: %v", err)
		}
	})
}

func TestVoice(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, site *Site) {
		two := codec.PCMA()
		two.Channels = 2
		if _, err := site.NewEndpoint(t.Context(), Peer{Remote: alice4}, Voice{Formats: []codec.Format{codec.PCMU(), two}}); err == nil {
			t.Error("two channels in one voice")
		}
		e, err := site.NewEndpoint(t.Context(), Peer{Remote: alice4}, Voice{Formats: []codec.Format{codec.PCMU()}})
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Offer().String(); !strings.Contains(got, "RTP/AVP 0 13 101\r\n") {
			t.Errorf("offer\n%s", got)
		}
		if err := e.Dial("1"); err == nil {
			t.Error("dialled before anybody agreed")
		}
		e.Close()
	})
}
