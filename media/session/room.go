package session

// Many endpoints mixed at one beat: a conference. What has come to all is looked at and mixed in one step, and sent in one row.

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/relay"
)

// ErrRoom is returned by [Room.Join] for an endpoint that cannot sit in the room: its rate is another, it sits elsewhere, or one of both is closed.
var ErrRoom = errors.New("session: endpoint cannot join the room")

// A Room mixes endpoints: each hears the loudest few of the others. Fill the exported fields before the first Join. Its methods and those of its seats may
// be called from anywhere, also from the functions that it calls; these are called on the goroutine of the room and must not block.
type Room struct {
	// Rate of the mix in Hz: 8000, 16000 or 48000; 0: 8000. Endpoints that join have the same rate.
	Rate int
	// Speakers is how many are heard at a time; 0: 4.
	Speakers int
	// Talking is called when somebody begins or ends to be heard; may be nil.
	Talking func(s *Seat, talks bool)
	// Digit is called for each digit that somebody dials; nil: they stay in [Endpoint.Digits].
	Digit func(s *Seat, digit byte)

	mu      sync.Mutex // guards what follows
	mixer   audio.Mixer
	seats   []*Seat
	record  func(pcm []int16)
	beats   bool
	closed  bool
	sweep   *relay.Sweep  // of those who sit and are heard; set before the beat begins
	stop    chan struct{} // closed by Close
	stopped chan struct{} // closed when the beat has ended

	// Of the goroutine that beats.
	round   []*Seat
	changes []change
	packet  []byte
}

// change is what is told after a step.
type change struct {
	seat  *Seat
	talks bool
	digit byte
}

// Join seats an endpoint. From now on it does not beat by itself: who sits hears the room, what is written to the endpoint waits, and nothing is read from
// it. Both may agree on their session before or after. The error is [ErrRoom]. Closing the endpoint ends the seat.
func (r *Room) Join(e *Endpoint) (*Seat, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &Seat{room: r, endpoint: e, hearTones: e.hearTones}
	if r.closed || e.Rate() != cmp.Or(r.Rate, defaultRoomRate) || !e.sit(s) {
		return nil, ErrRoom
	}
	if !r.beats {
		r.sweep = e.site.Relay.NewSweep()
		r.beginLocked()
	}
	r.seats = append(r.seats, s)
	return s, nil
}

const defaultRoomRate = 8000

// beginLocked sets the room up.
func (r *Room) beginLocked() {
	r.mixer.Rate, r.mixer.Speakers = cmp.Or(r.Rate, defaultRoomRate), r.Speakers
	r.mixer.Talking = r.talkingLocked
	r.beats, r.stop, r.stopped = true, make(chan struct{}), make(chan struct{})
	go r.beat()
}

// talkingLocked notes for after the step who begins or ends to be heard.
func (r *Room) talkingLocked(p *audio.Participant, talks bool) {
	i := slices.IndexFunc(r.seats, func(s *Seat) bool { return s.participant == p })
	if i >= 0 && r.Talking != nil {
		r.changes = append(r.changes, change{seat: r.seats[i], talks: talks})
	}
}

// beat runs until the room is closed.
func (r *Room) beat() {
	defer close(r.stopped)
	next := time.Now().Add(frameTime)
	timer := time.NewTimer(frameTime)
	defer timer.Stop()
	for {
		select {
		case <-r.stop:
			return
		case <-timer.C:
		}
		r.step()
		if next = next.Add(frameTime); time.Since(next) > time.Second {
			next = time.Now() // the machine has slept
		}
		timer.Reset(time.Until(next))
	}
}

// step hears what has come, mixes 20 ms, tells what has changed, and sends.
func (r *Room) step() {
	r.sweep.Read()
	defer r.sweep.Flush()
	mix, record := r.mix()
	if record != nil {
		record(mix)
	}
	for _, c := range r.changes {
		if c.digit != 0 {
			r.Digit(c.seat, c.digit)
			continue
		}
		r.Talking(c.seat, c.talks)
	}
	clear(r.changes)
	r.changes = r.changes[:0]
	now := time.Now()
	for _, s := range r.round {
		s.speak(now)
	}
}

func (r *Room) mix() ([]int16, func([]int16)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.seats {
		s.listen()
	}
	mix := r.mixer.Step()
	clear(r.round)
	r.round = append(r.round[:0], r.seats...)
	for _, s := range r.round {
		s.payload = nil
		if s.participant != nil {
			s.payload = s.participant.Payload()
		}
	}
	return mix, r.record
}

// Play lets all hear a source of the room's rate until it ends. Who sits down meanwhile hears the rest.
func (r *Room) Play(s audio.Source) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mixer.Play(s)
}

// Record gives the mix of all to f, 20 ms at a time; it must not keep them. nil ends it.
func (r *Room) Record(f func(pcm []int16)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.record = f
}

// Len returns how many seats are taken.
func (r *Room) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.seats)
}

// Close ends all seats and waits for the beat, so it must not be called from a function that the room calls. The endpoints stay open.
func (r *Room) Close() {
	r.mu.Lock()
	closed, beats := r.closed, r.beats
	r.closed = true
	seats := slices.Clone(r.seats)
	r.mu.Unlock()
	if closed {
		return
	}
	for _, s := range seats {
		s.Leave()
	}
	if beats {
		close(r.stop)
		<-r.stopped
		r.sweep.Close()
	}
}
