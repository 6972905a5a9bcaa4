package session

import (
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/network"
)

func directions() []sdp.Direction {
	return []sdp.Direction{sdp.SendRecv, sdp.SendOnly, sdp.RecvOnly, sdp.Inactive}
}

// allowed is the table of RFC 3264 §6.1 written out: what is answered to an offer (row) by one who wants (column).
func allowed() map[sdp.Direction][]sdp.Direction {
	return map[sdp.Direction][]sdp.Direction{
		sdp.SendRecv: {sdp.SendRecv, sdp.SendOnly, sdp.RecvOnly, sdp.Inactive},
		sdp.SendOnly: {sdp.RecvOnly, sdp.Inactive, sdp.RecvOnly, sdp.Inactive},
		sdp.RecvOnly: {sdp.SendOnly, sdp.SendOnly, sdp.Inactive, sdp.Inactive},
		sdp.Inactive: {sdp.Inactive, sdp.Inactive, sdp.Inactive, sdp.Inactive},
	}
}

// TestDirections: 4 offered, 4 wanted, by an endpoint, and by a far side that answers what it wants without regard to what was offered. RFC 3264 §6.1, RFC 6337 §5.3.
func TestDirections(t *testing.T) {
	for offered, row := range allowed() {
		for i, wanted := range directions() {
			world(t, func(t *testing.T, _ *network.Sim, site *Site) {
				offer := describe(t, "v=0", "c=IN IP4 192.0.2.1", "m=audio 4000 RTP/AVP 8", "a="+offered.String())
				e := newEndpoint(t, site, alice4, Voice{}, 1)
				e.SetDirection(wanted)
				answer, err := e.Answer(offer)
				must(t, err)
				if got := answer.Direction(&answer.Media[0]); got != row[i] {
					t.Errorf("endpoint: %v offered, %v wanted: answered %v, want %v", offered, wanted, got, row[i])
				}
				e.Close()

				a, b := site.NewLeg(Peer{Remote: alice4}, 1), site.NewLeg(Peer{Remote: bob4}, 2)
				must(t, a.Offered(offer))
				_, err = b.Offer(t.Context(), offer)
				must(t, err)
				far := describe(t, "v=0", "c=IN IP4 192.0.2.2", "m=audio 4000 RTP/AVP 8", "a="+wanted.String())
				must(t, b.Answered(far))
				answer, err = a.Answer(t.Context(), far)
				must(t, err)
				if got := answer.Direction(&answer.Media[0]); got != row[i] {
					t.Errorf("leg: %v offered, %v wanted: answered %v, want %v", offered, wanted, got, row[i])
				}
				a.Close()
				b.Close()
			})
		}
	}
}

// TestHoldByAddress: 0.0.0.0 is a hold, is told by direction to the far side, and to who held it is answered so. RFC 3264 §8.4, RFC 6337 §5.3.
func TestHoldByAddress(t *testing.T) {
	for _, kind := range []Kind{Plain, SDES, WebRTC} {
		world(t, func(t *testing.T, _ *network.Sim, site *Site) {
			a, b := site.NewLeg(Peer{Remote: alice4}, 1), site.NewLeg(Peer{Remote: bob4, Kind: kind}, 2)
			hold := describe(t, "v=0", "c=IN IP4 0.0.0.0", "m=audio 4000 RTP/AVP 8")
			must(t, a.Offered(hold))
			offer := present(t, b.Offer, hold)
			if !strings.Contains(offer, "a=sendonly") || strings.Contains(offer, "0.0.0.0") {
				t.Errorf("%v: offered\n%s", kind, offer)
			}
			answer := present(t, a.Answer, describe(t, "v=0", "c=IN IP4 192.0.2.2", "m=audio 4000 RTP/AVP 8"))
			if !strings.Contains(answer, "a=recvonly") {
				t.Errorf("%v: answered\n%s", kind, answer)
			}
			a.Close()
			b.Close()
		})
	}
}

// TestMusic: who is put on hold, in whatever way, hears music until the sound comes back, on each kind of leg; who holds does not. A change by the one who waits leaves it
// waiting.
func TestMusic(t *testing.T) {
	for _, kind := range []Kind{Plain, SDES, WebRTC} {
		for _, hold := range []sdp.Direction{sdp.SendOnly, sdp.Inactive} {
			t.Run(kind.String()+" "+hold.String(), func(t *testing.T) {
				bridge(t, kind, Plain, func(b *bridged) {
					b.wait(time.Second)
					b.alice.SetDirection(hold)
					_, answered := b.offer(b.alice, b.bob, b.a, b.b)
					if got := answered.Direction(&answered.Media[0]); got != hold.Reverse() {
						t.Errorf("hold was answered %v", got)
					}
					b.music("bob on hold", b.bob, b.alice)
					b.offer(b.bob, b.alice, b.b, b.a)
					b.music("bob has changed something", b.bob, b.alice)
					b.alice.SetDirection(sdp.SendRecv)
					b.offer(b.alice, b.bob, b.a, b.b)
					b.wait(time.Second)
					b.talk("after the hold")
					b.bob.SetDirection(hold)
					b.offer(b.bob, b.alice, b.b, b.a)
					b.music("alice on hold", b.alice, b.bob)
					b.bob.SetDirection(sdp.SendRecv)
					b.offer(b.bob, b.alice, b.b, b.a)
					b.wait(time.Second)
					b.talk("after the second hold")
				})
			})
		}
	}
}

// music looks whether one side hears music and the other nothing.
func (b *bridged) music(when string, waits, holds *Endpoint) {
	b.t.Helper()
	b.wait(time.Second)
	if loud := power(heard(b.t, waits, time.Second)); loud < 100 {
		b.t.Errorf("%s: no music (power %d)", when, loud)
	}
	if loud := power(heard(b.t, holds, time.Second)); loud > 20 {
		b.t.Errorf("%s: the side that holds hears something (power %d)", when, loud)
	}
}

// power is the mean amplitude.
func power(pcm []int16) int {
	sum := 0
	for _, s := range pcm {
		sum += max(int(s), -int(s))
	}
	return sum / len(pcm)
}

// TestMusicOfPeer: a peer hears the music that is meant for it, or none, whatever the site has; the other side hears that of the site.
func TestMusicOfPeer(t *testing.T) {
	own := Music(func(rate int) (audio.Source, error) {
		return &audio.Tone{Rate: rate, Frequencies: []float64{1810}, Amplitude: 8000}, nil
	})
	var none Music
	for _, music := range []*Music{&own, &none} {
		bridge(t, Plain, Plain, func(b *bridged) {
			b.b.peer.Music = music
			b.alice.SetDirection(sdp.SendOnly)
			b.offer(b.alice, b.bob, b.a, b.b)
			b.wait(time.Second)
			pcm := heard(t, b.bob, time.Second)
			if level := audio.Goertzel(pcm, b.bob.Rate(), 1810); level > 6000 != (*music != nil) || *music == nil && power(pcm) > 20 {
				t.Errorf("bob hears %.0f, power %d", level, power(pcm))
			}
			b.alice.SetDirection(sdp.SendRecv)
			b.offer(b.alice, b.bob, b.a, b.b)
			b.bob.SetDirection(sdp.SendOnly)
			b.offer(b.bob, b.alice, b.b, b.a)
			b.music("alice on hold", b.alice, b.bob)
		})
	}
}

// TestMusicEnds: a source that ends, or cannot be opened, leaves silence, and closing in the middle of it leaves nothing.
func TestMusicEnds(t *testing.T) {
	opened := func(int) (audio.Source, error) {
		return &audio.Tone{Rate: 8000, Frequencies: []float64{440}, Amplitude: 8000}, nil
	}
	broken := func(int) (audio.Source, error) { return nil, sdp.ErrNothingCommon }
	for name, music := range map[string]Music{"playing": opened, "broken": broken} {
		t.Run(name, func(t *testing.T) {
			bridge(t, Plain, Plain, func(b *bridged) {
				b.a.site.Music = music
				b.alice.SetDirection(sdp.SendOnly)
				b.offer(b.alice, b.bob, b.a, b.b)
				b.wait(time.Second)
				if loud := power(heard(t, b.bob, time.Second)); loud > 100 != (name == "playing") {
					t.Errorf("power %d", loud)
				}
			})
		})
	}
}
