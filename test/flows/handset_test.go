// A telephone with a microphone and an earpiece on the bench, of the product's own: who says what to whom is told by the frequency of a tone.

package flows

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/phone"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// staff is a company of three with a room.
const staff = `
dialplan: {country: DE, area-code: "30", time-zone: Europe/Berlin}
accounts:
  alice: {devices: [alice], secrets: {alice: "env:ALICE"}}
  bob: {devices: [bob], secrets: {bob: "env:BOB"}}
  carol: {devices: [carol], secrets: {carol: "env:CAROL"}}
rooms:
  "4000": {quiet: true}
`

// pitches is what each of them says, in Hz.
var pitches = map[string]float64{"alice": 500, "bob": 800, "carol": 1250}

// handset is the telephone of one of the staff.
type handset struct {
	*phone.Phone
	bench *siptest.Bench
	name  string
	host  *network.SimHost
	rang  chan *chat

	mu   sync.Mutex // guards told
	told []string   // addresses that the server has named in descriptions: lines c= and a=candidate
}

// handset puts a telephone on a host with an address and registers it at the address of the server that it can reach; change, if not nil, sets more of its fields.
func (h *house) handset(name string, at, server netip.Addr, change func(*phone.Phone)) *handset {
	b := h.bench
	b.T.Helper()
	host := b.HostAt(name, at)
	s := &handset{bench: b, name: name, host: host, rang: make(chan *chat, 8)}
	s.Phone = &phone.Phone{URI: "sip:" + name + "@" + domain, Password: name, Outbound: "sip:" + netip.AddrPortFrom(server, 5060).String() + ";transport=udp",
		Listen: []string{"udp://:5060"}, Network: host, Resolver: &b.Net.Names, Log: slog.New(slog.DiscardHandler)}
	s.Trace = s.note
	if change != nil {
		change(s.Phone)
	}
	ready := make(chan struct{})
	s.Ready = func() { close(ready) }
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, s.take) }()
	select {
	case <-ready:
	case err := <-served:
		b.T.Fatalf("%s does not register: %v", name, err)
	}
	b.Watch(siptest.Watched{Name: name, Host: host, Close: func() {
		stop()
		<-served
	}})
	return s
}

// note keeps what a message of the server says of where sound is to go.
func (s *handset) note(t transport.Trace) {
	if t.Sent {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for line := range strings.Lines(string(t.Data)) {
		for _, kind := range [...]string{"c=", "a=candidate:"} {
			if strings.HasPrefix(line, kind) {
				s.told = append(s.told, strings.TrimSpace(line))
			}
		}
	}
}

// directed demands that the server has named an address for sound, and none but that.
func (s *handset) directed(to netip.Addr) {
	s.bench.T.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.told {
		if !slices.Contains(strings.Fields(line), to.String()) {
			s.bench.T.Errorf("%s is told %q and is to know %s", s.name, line, to)
		}
	}
	if len(s.told) == 0 {
		s.bench.T.Errorf("%s is told nothing", s.name)
	}
}

// take answers a call that comes in and says the tone until it is over.
func (s *handset) take(ctx context.Context, call *phone.Call) error {
	if err := call.Answer(ctx); err != nil {
		return err
	}
	t := s.begin(call)
	s.rang <- t
	t.work.Wait()
	return nil
}

// dial calls somebody and says the tone; the error is that of the call.
func (s *handset) dial(to string) (*chat, error) {
	s.bench.T.Helper()
	call, err := s.Dial(context.Background(), to)
	if err != nil {
		return nil, err
	}
	return s.begin(call), nil
}

// call is dial for a call that must come about.
func (s *handset) call(to string) *chat {
	s.bench.T.Helper()
	t, err := s.dial(to)
	if err != nil {
		s.bench.T.Fatalf("%s calls %s: %v", s.name, to, err)
	}
	return t
}

// incoming is the call that has come in and was answered.
func (s *handset) incoming() *chat {
	s.bench.T.Helper()
	select {
	case t := <-s.rang:
		return t
	case <-time.After(32 * time.Second):
		s.bench.T.Fatalf("nobody calls %s", s.name)
		return nil
	}
}

// chat is one call of a handset.
type chat struct {
	*phone.Call
	who  *handset
	work sync.WaitGroup

	mu    sync.Mutex // guards heard
	heard []int16    // the last second
}

func (s *handset) begin(call *phone.Call) *chat {
	t := &chat{Call: call, who: s}
	t.work.Go(func() {
		// It ends with the call.
		_ = call.Play(context.Background(), &audio.Tone{Rate: call.Rate(), Frequencies: []float64{pitches[s.name]}, Amplitude: 8000})
	})
	t.work.Go(t.listen)
	return t
}

func (t *chat) listen() {
	pcm := make([]int16, t.Rate()/50)
	for {
		n, err := t.ReadSamples(pcm)
		t.mu.Lock()
		t.heard = append(t.heard, pcm[:n]...)
		t.heard = slices.Delete(t.heard, 0, max(len(t.heard)-t.Rate(), 0))
		t.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// hears demands that of the tones of the staff these and no others were heard in the last second.
func (t *chat) hears(names ...string) {
	test := t.who.bench.T
	test.Helper()
	t.mu.Lock()
	heard := slices.Clone(t.heard)
	t.mu.Unlock()
	if len(heard) < t.Rate() {
		test.Errorf("%s has heard %d samples", t.who.name, len(heard))
	}
	for name, pitch := range pitches {
		if is, want := audio.Goertzel(heard, t.Rate(), pitch) > 1000, slices.Contains(names, name); is != want {
			test.Errorf("%s hears %s: %t", t.who.name, name, is)
		}
	}
}

// end hangs up.
func (t *chat) end() {
	if err := t.Hangup(); err != nil {
		t.who.bench.T.Errorf("%s hangs up: %v", t.who.name, err)
	}
	t.work.Wait()
}

// refused demands that a call is refused with a status.
func (s *handset) refused(to string, want sip.Status) {
	s.bench.T.Helper()
	t, err := s.dial(to)
	if err == nil {
		t.end()
	}
	if got := sip.StatusOf(err); err == nil || got != want {
		s.bench.T.Errorf("%s calls %s: %v, want %d", s.name, to, err, want)
	}
}

// converses calls somebody, and demands that both hear each other and themselves not.
func (s *handset) converses(other *handset) (call, in *chat) {
	s.bench.T.Helper()
	call = s.call(other.name)
	in = other.incoming()
	s.bench.Wait(2 * time.Second)
	call.hears(other.name)
	in.hears(s.name)
	return call, in
}
