package relay

import (
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/network"
)

// TestSweep: what comes to a stream that is swept is heard at the beat and not before, and what is sent in the beat leaves at its end; both as the latch and the cipher want it.
func TestSweep(t *testing.T) {
	r, phones, streams := realCall(t)
	Part(streams[0])
	s := streams[0]
	s.Secure(&seal{key: 7, seen: map[uint16]bool{}})
	var heard []string
	s.Tap(func(b []byte, at time.Time, _ bool) {
		if wait := time.Since(at); wait < 0 || wait > time.Minute {
			t.Errorf("arrived %v ago", wait)
		}
		heard = append(heard, string(b))
	})
	w := r.NewSweep()
	defer w.Close()
	w.Enlist(s)
	to, _ := s.Local()
	stranger := newPhone(t)
	var want []string
	for i := range 5 {
		voice := rtpPacket(uint16(i), 7, "voice")
		want = append(want, string(voice))
		phones[0].send(sealed(7, voice), to)
		stranger.send(rtpPacket(uint16(i), 7, "noise"), to)
		if len(heard) > 0 {
			t.Fatal("heard before the beat")
		}
	}
	w.Read()
	answer := rtpPacket(9, 9, "answer")
	w.Send(s, answer)
	w.SendControl(s, rtcpPacket(9)) // nobody said where to: it is dropped
	w.Send(s, make([]byte, room))   // too long
	w.Flush()
	if len(heard) != len(want) {
		t.Fatalf("heard %q", heard)
	}
	for i := range want {
		if heard[i] != want[i] {
			t.Errorf("packet %d is %q", i, heard[i])
		}
	}
	if got := phones[0].hear(); got != string(sealed(7, answer)) {
		t.Errorf("the phone heard %q", got)
	}
	if c := s.Counters(); c.PacketsOut != 1 || c.Refused != 5 {
		t.Errorf("%d packets sent, %d refused", c.PacketsOut, c.Refused)
	}
	w.Send(s, answer) // between two beats it leaves at once
	if got := phones[0].hear(); got != string(sealed(7, answer)) {
		t.Errorf("the phone heard %q", got)
	}
}

// TestSweepDismiss: who has left a sweep is heard without one, and whose network has none is so always.
func TestSweepDismiss(t *testing.T) {
	r, phones, streams := realCall(t)
	w := r.NewSweep()
	w.Enlist(streams[0])
	to, _ := streams[0].Local()
	voice := rtpPacket(1, 7, "voice")
	phones[0].send(voice, to)
	w.Read()
	w.Flush()
	if got := phones[1].hear(); got != string(voice) {
		t.Errorf("swept: heard %q", got)
	}
	w.Dismiss(streams[0])
	w.Close()
	phones[0].send(voice, to)
	if got := phones[1].hear(); got != string(voice) {
		t.Errorf("dismissed: heard %q", got)
	}
	none := (&Relay{Network: new(network.Sim).Host(loopback)}).NewSweep()
	if none != nil {
		t.Fatal("a simulated network has a sweep")
	}
	none.Enlist(streams[0])
	none.Read()
	none.Send(streams[1], voice)
	none.Flush()
	none.Dismiss(streams[0])
	none.Close()
	if got := phones[1].hear(); got != string(voice) {
		t.Errorf("without a sweep: heard %q", got)
	}
}

// TestSweepOfABundle: a stream on which others ride is read as ever, whichever comes first.
func TestSweepOfABundle(t *testing.T) {
	r, phones, streams := realCall(t)
	Part(streams[0])
	for i, s := range streams {
		heard := make(chan string, 1)
		s.Tap(func(b []byte, _ time.Time, _ bool) { heard <- string(b) })
		w := r.NewSweep()
		defer w.Close()
		if i == 0 {
			s.Ride()
		}
		w.Enlist(s)
		s.Ride()
		to, _ := s.Local()
		phones[i].send(rtpPacket(1, 7, "voice"), to)
		if got := <-heard; got != string(rtpPacket(1, 7, "voice")) { // nobody reads at a beat
			t.Errorf("heard %q", got)
		}
	}
}
