package session

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/network"
)

// hall is a room on a server, and telephones around it on hosts of their own.
type hall struct {
	t      *testing.T
	sim    *network.Sim
	room   *Room
	site   *Site
	relays []*relay.Relay
	phones []*visitor
}

// visitor is a telephone and its counterpart on the server.
type visitor struct {
	phone, server *Endpoint
	seat          *Seat
	frequency     float64

	mu    sync.Mutex // guards what follows
	heard []int16
	says  bool
	wait  sync.WaitGroup
}

func inHall(t *testing.T, c network.Conditions, room *Room, f func(h *hall)) {
	synctest.Test(t, func(t *testing.T) {
		sim := &network.Sim{Seed: 1}
		sim.SetConditions(c)
		r := &relay.Relay{Network: sim.Host(server4)}
		h := &hall{t: t, sim: sim, room: room, site: &Site{Relay: r}, relays: []*relay.Relay{r}}
		f(h)
		for _, v := range h.phones {
			v.server.Close()
			v.phone.Close()
			v.wait.Wait()
		}
		room.Close()
		room.Close()
		for _, r := range h.relays {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
}

// enter makes a telephone that says a tone, and seats its call.
func (h *hall) enter(frequency float64, phone Voice, rate int) *visitor {
	h.t.Helper()
	host := netip.AddrFrom4([4]byte{192, 0, 2, byte(10 + len(h.phones))})
	r := &relay.Relay{Network: h.sim.Host(host)}
	h.relays = append(h.relays, r)
	seed := uint64(10 + len(h.phones))
	v := &visitor{frequency: frequency, says: true,
		phone: newEndpoint(h.t, &Site{Relay: r}, server4, phone, seed), server: newEndpoint(h.t, h.site, host, Voice{Rate: rate}, seed+100)}
	seat, err := h.room.Join(v.server)
	if err != nil {
		h.t.Fatal(err)
	}
	v.seat = seat
	agree(h.t, v.phone, v.server)
	v.wait.Go(v.speak)
	v.wait.Go(v.listen)
	h.phones = append(h.phones, v)
	return v
}

func (v *visitor) speak() {
	tone := &audio.Tone{Rate: v.phone.Rate(), Frequencies: []float64{v.frequency}, Amplitude: 6000}
	pcm := make([]int16, v.phone.Rate()/50)
	for {
		_, _ = tone.ReadSamples(pcm)
		b := make([]byte, 0, 2*len(pcm))
		v.mu.Lock()
		says := v.says
		v.mu.Unlock()
		for _, s := range pcm {
			if !says {
				s = 0
			}
			b = binary.LittleEndian.AppendUint16(b, uint16(s))
		}
		if _, err := v.phone.Write(b); err != nil {
			return
		}
	}
}

func (v *visitor) listen() {
	b := make([]byte, 2*v.phone.Rate()/50)
	for {
		if _, err := io.ReadFull(v.phone, b); err != nil {
			return
		}
		v.mu.Lock()
		for ; len(b) > 0; b = b[2:] {
			v.heard = append(v.heard, int16(binary.LittleEndian.Uint16(b)))
		}
		v.mu.Unlock()
		b = make([]byte, 2*v.phone.Rate()/50)
	}
}

func (v *visitor) say(on bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.says = on
}

// pass lets time pass, of which the phones remember the last second.
func (h *hall) pass(d time.Duration) {
	time.Sleep(d)
	for _, v := range h.phones {
		v.mu.Lock()
		v.heard = v.heard[:0]
		v.mu.Unlock()
	}
	time.Sleep(time.Second)
	synctest.Wait()
}

// hears tells how loud the visitor hears a frequency.
func (v *visitor) hears(frequency float64) float64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return audio.Goertzel(v.heard, v.phone.Rate(), frequency)
}

// check compares what each hears with who is to be heard by whom.
func (h *hall) check(when string, audible func(from, to int) bool) {
	h.t.Helper()
	for i, from := range h.phones {
		for k, to := range h.phones {
			level := to.hears(from.frequency)
			if want := audible(i, k); want && level < 4500 || !want && level > 200 {
				h.t.Errorf("%s: %d hears %d at %.0f", when, k, i, level)
			}
		}
	}
}

// Three kinds of telephone hear the two others and not themselves, at each rate of the room.
func TestRoom(t *testing.T) {
	for _, rate := range []int{8000, 16000, 48000} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			inHall(t, network.Conditions{Delay: 20 * time.Millisecond}, &Room{Rate: rate}, func(h *hall) {
				h.enter(500, Voice{Formats: []codec.Format{codec.PCMA()}}, rate)
				h.enter(900, Voice{Formats: []codec.Format{codec.PCMU()}}, rate)
				h.enter(1300, Voice{Formats: []codec.Format{codec.G722()}}, rate)
				h.pass(time.Second)
				h.check("all", func(from, to int) bool { return from != to })
			})
		})
	}
}

func TestSeat(t *testing.T) {
	talking := map[string]bool{}
	var digits []byte
	room := &Room{}
	room.Digit = func(_ *Seat, digit byte) { digits = append(digits, digit) }
	conditions := network.Conditions{Delay: 20 * time.Millisecond}
	inHall(t, conditions, room, func(h *hall) {
		names := map[*Seat]string{}
		room.Talking = func(s *Seat, talks bool) {
			s.Level() // what the room calls may call the room
			talking[names[s]] = talks
		}
		a, b, c := h.enter(500, Voice{}, 8000), h.enter(900, Voice{}, 8000), h.enter(1300, Voice{}, 8000)
		names[a.seat], names[b.seat], names[c.seat] = "a", "b", "c"
		c.say(false)
		h.pass(time.Second)
		h.check("c is silent", func(from, to int) bool { return from != to && from < 2 })
		if !talking["a"] || !talking["b"] || talking["c"] || a.seat.Level() > 25 || c.seat.Level() < 60 {
			t.Errorf("talking: %v, levels %d and %d", talking, a.seat.Level(), c.seat.Level())
		}
		a.seat.Mute(true)
		b.seat.Deafen(true)
		h.pass(time.Second)
		h.check("a muted, b deaf", func(from, to int) bool { return from == 1 && to != 1 })
		recorded := 0
		room.Record(func(pcm []int16) { recorded += len(pcm) })
		b.seat.Play(&audio.Tone{Rate: 8000, Frequencies: []float64{1700}, Amplitude: 6000})
		room.Play(&audio.Tone{Rate: 8000, Frequencies: []float64{2100}, Amplitude: 6000})
		h.pass(time.Second)
		if b.hears(1700) < 4500 || a.hears(1700) > 200 || b.hears(2100) > 200 || a.hears(2100) < 4500 || !b.seat.Playing() || a.seat.Playing() {
			t.Errorf("played: %.0f %.0f %.0f %.0f", b.hears(1700), a.hears(1700), b.hears(2100), a.hears(2100))
		}
		b.seat.Play(nil)
		if recorded < 15200 || recorded > 16800 {
			t.Errorf("%d samples recorded in two seconds", recorded)
		}
		if err := a.phone.Dial("4711"); err != nil {
			t.Fatal(err)
		}
		if err := b.server.Dial("9"); err != nil {
			t.Fatal(err)
		}
		h.pass(2 * time.Second)
		if string(digits) != "4711" || len(b.phone.Digits()) != 1 {
			t.Errorf("digits %q, and %d to the phone", digits, len(b.phone.Digits()))
		}
	})
}

// Who leaves is in a call of two again; who hangs up leaves; a bad network is concealed.
func TestLeave(t *testing.T) {
	room := &Room{}
	inHall(t, network.Conditions{Delay: 30 * time.Millisecond, Jitter: 10 * time.Millisecond, Loss: 0.03}, room, func(h *hall) {
		a, b := h.enter(500, Voice{}, 8000), h.enter(900, Voice{}, 8000)
		if _, err := room.Join(a.server); !errors.Is(err, ErrRoom) {
			t.Errorf("sits twice: %v", err)
		}
		if _, err := (&Room{Rate: 16000}).Join(b.server); !errors.Is(err, ErrRoom) {
			t.Errorf("another rate: %v", err)
		}
		h.pass(time.Second)
		h.check("both", func(from, to int) bool { return from != to })
		a.seat.Leave()
		a.seat.Leave()
		h.pass(time.Second)
		if got := audio.Goertzel(heard(t, a.server, time.Second), 8000, 500); got < 4500 || b.hears(500) > 200 || room.Len() != 1 {
			t.Errorf("after leaving: heard outside at %.0f, inside %.0f", got, b.hears(500))
		}
		if _, err := room.Join(a.server); err != nil {
			t.Fatal(err)
		}
		h.pass(time.Second)
		h.check("again", func(from, to int) bool { return from != to })
		b.server.Close()
		h.pass(time.Second)
		if room.Len() != 1 {
			t.Errorf("%d sit", room.Len())
		}
		room.Close()
		if _, err := room.Join(b.server); !errors.Is(err, ErrRoom) {
			t.Errorf("joined a closed room: %v", err)
		}
	})
}
