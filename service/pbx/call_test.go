package pbx

import (
	"context"
	"flag"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/siptest"
	"github.com/sipwerk/sipwerk/sip/stack"
	"github.com/sipwerk/sipwerk/sip/transaction"
)

var _ = flag.Bool("update", false, "write the golden ladders")

// house is a PBX on one host of a bench and a phone on another.
type house struct {
	*siptest.Bench
	*PBX
	phone *siptest.Phone
	sound *sound
	relay *relay.Relay
}

func run(t *testing.T, f func(h *house), faults ...siptest.Faults) {
	siptest.Run(t, func(b *siptest.Bench) {
		h := &house{Bench: b, phone: b.Phone("alice", "udp")}
		h.serve()
		h.sound = listen(h)
		f(h)
		h.sound.close()
	}, faults...)
}

// serve puts the PBX on a host called pbx.
func (h *house) serve() {
	host := h.Host("pbx")
	h.relay = &relay.Relay{Network: host, Ports: relay.Ports{Min: 20000, Max: 20999}}
	table := &dialog.Table{}
	h.PBX = &PBX{Dialogs: table, Media: &session.Site{Relay: h.relay}}
	table.Next = sip.EventHandlerFunc(func(ev *sip.Event) {
		if app := h.Application(ev.Request.URI.UserName()); app != nil {
			app.HandleEvent(ev)
			return
		}
		_ = ev.Engine.RespondOnce(ev.Tx, ev.Request.Reply(sip.StatusNotFound))
	})
	s := &stack.Stack{Handler: table, FlowLost: table, Network: host, Resolver: &h.Net.Names, Log: slog.New(slog.DiscardHandler)}
	if err := s.Listen(context.Background(), "udp://"+h.Addr("pbx").String()+":5060"); err != nil {
		h.T.Fatal(err)
	}
	h.Watch(siptest.Watched{Name: "pbx", Host: host,
		Left: func() (left []string) {
			if h.Calls() > 0 || table.Len() > 0 || h.relay.Streams() > 0 || s.Audit() != (transaction.Audit{}) {
				left = append(left, "pbx holds something")
			}
			return left
		},
		Close: func() {
			if err := h.Drain(context.Background()); err != nil {
				h.T.Error(err)
			}
			_ = s.Close()
			_ = h.relay.Close()
		}})
}

func (h *house) dial(user string) *siptest.Call {
	return h.phone.Dial(sip.URI{Scheme: "sip", User: user, Host: h.Addr("pbx").String()})
}

// sound is the microphone and the earpiece of the phone, at the address that its descriptions name.
type sound struct {
	house *house
	conn  network.PacketConn
	done  chan struct{}

	sequence uint16 // of the last packet

	mu    sync.Mutex // guards heard
	heard []int16
}

func listen(h *house) *sound {
	conns, err := h.phone.Host.ListenPacket(context.Background(), netip.AddrPortFrom(h.Addr("alice"), 49170), 1)
	if err != nil {
		h.T.Fatal(err)
	}
	s := &sound{house: h, conn: conns[0], done: make(chan struct{})}
	go s.hear()
	return s
}

func (s *sound) hear() {
	defer close(s.done)
	decoder, _ := codec.PCMU().NewDecoder()
	batch := []network.Datagram{{Buf: make([]byte, 1500)}}
	for {
		if _, err := s.conn.ReadBatch(batch); err != nil {
			return
		}
		p, err := rtp.Parse(batch[0].Buf[:batch[0].N])
		if err != nil || p.PayloadType != 0 {
			continue
		}
		s.mu.Lock()
		s.heard, _ = decoder.Decode(s.heard, p.Payload)
		s.mu.Unlock()
	}
}

// level is how loud a tone was heard since the last call.
func (s *sound) level(frequency float64) (level float64, samples int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	heard := s.heard
	s.heard = nil
	return audio.Goertzel(heard, 8000, frequency), len(heard)
}

// say speaks a tone for a second toward the address of a session description.
func (s *sound) say(description string, frequency float64) {
	s.speak(description, &audio.Tone{Rate: 8000, Frequencies: []float64{frequency}, Amplitude: 8000}, time.Second)
}

// speak speaks a source for some time; what comes behind its end is silence.
func (s *sound) speak(description string, source audio.Source, length time.Duration) {
	_, port, _ := strings.Cut(description, "m=audio ")
	port, _, _ = strings.Cut(port, " ")
	to := netip.MustParseAddrPort(s.house.Addr("pbx").String() + ":" + port)
	encoder, _ := codec.PCMU().NewEncoder()
	pcm := make([]int16, 160)
	for range int(length / (20 * time.Millisecond)) {
		n, _ := source.ReadSamples(pcm)
		clear(pcm[n:])
		payload, _ := encoder.Encode(nil, pcm)
		s.sequence++
		p := rtp.Packet{Header: rtp.Header{Sequence: s.sequence, Timestamp: uint32(160 * int(s.sequence)), SSRC: 7}, Payload: payload}
		if _, err := s.conn.WriteBatch([]network.Datagram{{Buf: p.AppendTo(nil), Peer: to}}); err != nil {
			s.house.T.Error(err)
		}
		s.house.Wait(20 * time.Millisecond)
	}
}

func (s *sound) close() {
	_ = s.conn.Close()
	<-s.done
}

func TestEcho(t *testing.T) {
	run(t, func(h *house) {
		call := h.dial("*43")
		call.Await("Answered")
		h.Golden("echo", "A call to the echo number is answered at once.")
		h.sound.say(call.Remote(), 1000)
		if level, _ := h.sound.level(1000); level < 5000 {
			t.Errorf("the tone came back at a level of %.0f", level)
		}
		call.Bye()
		call.Await("Ended")
	})
}

func TestMusic(t *testing.T) {
	run(t, func(h *house) {
		call := h.dial("MUSIC")
		call.Await("Answered")
		h.Wait(2 * tuneLength) // from its end it begins again
		h.sound.mu.Lock()
		n, quiet, pause := len(h.sound.heard), 0, 0
		for _, s := range h.sound.heard {
			if quiet++; s > 100 || s < -100 {
				quiet = 0
			}
			pause = max(pause, quiet)
		}
		h.sound.mu.Unlock()
		if want := int(2 * tuneLength.Seconds() * 8000); n < want-8000 || n > want+8000 {
			t.Errorf("%d samples, want about %d", n, want)
		}
		if pause > 4*8000 {
			t.Errorf("%d samples of silence", pause)
		}
		call.Bye()
		call.Await("Ended")
	})
}

func TestHold(t *testing.T) {
	run(t, func(h *house) {
		call := h.dial("music")
		call.Await("Answered")
		h.Wait(time.Second)
		call.Hold()
		call.Await("Modified 200")
		if d := siptest.Direction(call.Remote()); d != "recvonly" {
			t.Errorf("answer to hold is %s", d)
		}
		h.Wait(100 * time.Millisecond)
		h.sound.level(0)
		h.Wait(time.Second)
		if _, n := h.sound.level(0); n > 0 {
			t.Errorf("%d samples while on hold", n)
		}
		call.Resume()
		call.Await("Modified 200")
		h.Wait(time.Second)
		if _, n := h.sound.level(0); n < 7000 {
			t.Errorf("%d samples after hold", n)
		}
		call.Bye()
		call.Await("Ended")
	})
}

// TestWithoutOffer: an INVITE, and then a re-INVITE, whose answers come with the ACK.
func TestWithoutOffer(t *testing.T) {
	run(t, func(h *house) {
		call := h.phone.DialWithoutOffer(sip.URI{Scheme: "sip", User: "music", Host: h.Addr("pbx").String()})
		call.Await("Answered")
		h.Wait(time.Second)
		if _, n := h.sound.level(0); n < 7000 {
			t.Errorf("%d samples", n)
		}
		call.Bye()
		call.Await("Ended")
	})
}

func TestLimits(t *testing.T) {
	run(t, func(h *house) {
		h.MaxCalls, h.MaxDuration = 1, time.Minute
		first := h.dial("echo")
		first.Await("Answered")
		h.dial("echo").Await("Rejected 503")
		first.Await("Ended BYE received")
		h.Wait(time.Second)
		second := h.dial("echo")
		second.Await("Answered")
		second.Bye()
		second.Await("Ended")
		h.dial("nobody").Await("Rejected 404")
	})
}

func TestPortsUsedUp(t *testing.T) {
	run(t, func(h *house) {
		h.relay.Ports = relay.Ports{Min: 20000, Max: 20001}
		first := h.dial("echo")
		first.Await("Answered")
		h.dial("echo").Await("Rejected 503")
		first.Bye()
		first.Await("Ended")
	})
}

func TestDrain(t *testing.T) {
	run(t, func(h *house) {
		call := h.dial("echo")
		call.Await("Answered")
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := h.Drain(ctx); err == nil {
			t.Error("drained although a call was running")
		}
		call.Await("Ended BYE received")
		h.dial("echo").Await("Rejected 503")
	})
}

// TestUnderLoss: calls end in the right state, and nothing is left.
func TestUnderLoss(t *testing.T) {
	faults := siptest.Faults{Loss: 0.2, Duplicate: 0.2, Reorder: 0.2, Jitter: 50 * time.Millisecond}
	for faults.Seed = 1; faults.Seed <= 10; faults.Seed++ {
		t.Run(faults.String(), func(t *testing.T) {
			run(t, func(h *house) {
				call := h.dial("echo")
				call.Await("Answered")
				call.Hold()
				call.Await("Modified 200")
				call.Bye()
				call.Await("Ended")
			}, faults)
		})
	}
}

func TestRefusals(t *testing.T) {
	run(t, func(h *house) {
		mallory := h.Peer("mallory")
		ask := func(method, lines, want string) {
			t.Helper()
			mallory.Send("pbx", method+" sip:echo@{pbx} SIP/2.0\r\nVia: SIP/2.0/UDP {mallory};branch={branch}\r\nMax-Forwards: 70\r\n"+
				"From: <sip:m@{mallory}>;tag=1\r\nTo: <sip:echo@{pbx}>\r\nCall-ID: "+method+want[len(want)-3:]+"\r\nCSeq: 1 "+method+"\r\nContact: <sip:m@{mallory}>\r\n"+lines)
			mallory.Expect(want)
		}
		ask("OPTIONS", "\r\n", "SIP/2.0 200")
		ask("MESSAGE", "\r\n", "SIP/2.0 405")
	})
}

func TestNumbers(t *testing.T) {
	p := &PBX{}
	for user, want := range map[string]bool{"*43": true, "echo": true, "Echo": true, "*44": true, "music": true, "43": false, "": false, "alice": false} {
		if got := p.Application(user) != nil; got != want {
			t.Errorf("%q: %t", user, got)
		}
	}
	if n := len(p.Table()); n != 13 {
		t.Errorf("%d numbers", n)
	}
	p = &PBX{Numbers: []Number{{Feature: Echo, Dial: "9196"}, {Feature: "teapot", Dial: "418"}}}
	if p.Application("9196") == nil || p.Application("*43") != nil || p.Application("418") != nil {
		t.Error("numbers of one's own")
	}
}
