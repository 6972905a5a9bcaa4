package b2bua_test

import (
	"context"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

func joinFlows() []siptest.Flow {
	return []siptest.Flow{
		{Name: "join", About: "Dora, who may, joins the call of Bob, hears both sides, and leaves. RFC 3911 §4; RFC 3725 §4.1.", Play: on(joins)},
		{Name: "join-dialled", About: "Dora dials for the call of Bob, to whisper to him; Alice hangs up.", Play: on(joinsByDialling)},
		{Name: "join-in-hold", About: "Alice puts the call on hold and takes it back while Dora listens. RFC 3264 §8.4.", Play: on(holdsWhileJoined)},
		{Name: "join-cancelled", About: "Dora gives up while she is let in.", Play: on(joinCancelled)},
		{Name: "join-waits", About: "Alice puts the call on hold just when Dora joins it: she is let in afterwards.", Play: on(joinWaits)},
		{Name: "join-again", About: "Dora listens, and dials again to take part: her second call takes the place of the first.", Play: on(joinsAgain)},
		{Name: "join-both", About: "Dora and Eve both listen, and one after the other leaves.", Play: on(joinedByTwo)},
		{Name: "join-own", About: "Dora talks to Bob herself: there she cannot listen, but to his other call she can.", Play: on(joinsOwn)},
		{Name: "join-refused", About: "Who may not joins nothing, and nothing can be joined that is not there: 403 and 481. RFC 3911 §4.", Play: on(joinRefused)},
	}
}

// byName lets an account join calls of another.
type byName map[string]string

func (n byName) MayJoin(who b2bua.Caller, account sip.URI) bool {
	return n[who.Account.UserName()] == account.UserName()
}

// asShown believes every From.
type asShown struct{}

func (asShown) Identify(ev *sip.Event) b2bua.Caller {
	from, _ := ev.Request.From()
	return b2bua.Caller{Address: sip.Address{URI: from.URI.Clone()}, Account: from.URI.Clone()}
}

// supervised is a call from alice to bob, and the phone of dora, who may join what bob takes part in.
func supervised(d *domain) (out, in *siptest.Call, dora *siptest.Phone) {
	d.service.Supervisors, d.service.Identity = byName{"dora": "bob"}, asShown{}
	out, in = answered(d)
	dora = d.phone("dora", "dora")
	return out, in, dora
}

// leave ends the call of somebody who has joined, and lets those who stay talk on.
func leave(d *domain, ear *siptest.Call) {
	ear.Bye()
	ear.Await("Ended BYE sent")
	d.Wait(5 * time.Second)
}

func joins(d *domain) {
	out, in, dora := supervised(d)
	ear := dora.DialJoining(d.uri("bob"), in.Replaces())
	ear.Await("Answered")
	d.Wait(5 * time.Second)
	d.Check(d.service.Calls() == 1, "%d calls", d.service.Calls())
	ear.Bye()
	ear.Await("Ended BYE sent")
	in.Await("Offer")
	d.Wait(5 * time.Second)
	out.Hold()
	out.Await("Modified 200")
	d.Check(siptest.Direction(in.Remote()) == "sendonly", "bob is not on hold: %s", in.Remote())
	d.Wait(time.Second)
	in.HangUp(out)
}

func joinsByDialling(d *domain) {
	out, in, dora := supervised(d)
	dora.Dial(d.uri("*52carol")).Await("Rejected 404")
	ear := dora.Dial(d.uri("*52bob"))
	ear.Await("Answered")
	d.Wait(5 * time.Second)
	out.Bye()
	in.Await("Ended BYE received")
	ear.Await("Ended BYE received")
}

func holdsWhileJoined(d *domain) {
	out, in, dora := supervised(d)
	ear := dora.DialJoining(d.uri("bob"), out.Replaces())
	ear.Await("Answered")
	d.Wait(5 * time.Second)
	out.Hold()
	out.Await("Modified 200")
	d.Wait(5 * time.Second)
	out.Resume()
	out.Await("Modified 200")
	d.Check(siptest.Direction(out.Remote()) == "sendrecv", "alice is still on hold: %s", out.Remote())
	d.Wait(5 * time.Second)
	ear.Hold()
	ear.Await("Modified 200")
	ear.Bye()
	d.Wait(5 * time.Second)
	out.HangUp(in)
}

func joinWaits(d *domain) {
	out, in, dora := supervised(d)
	out.Hold()
	d.Wait(5 * time.Millisecond)
	ear := dora.Dial(d.uri("*52bob"))
	out.Await("Modified 200")
	for strings.HasPrefix(ear.Await("Answered", "Rejected 491"), "Rejected") { // on a bad network it may take longer than anybody waits
		ear = dora.Dial(d.uri("*52bob"))
	}
	d.Wait(5 * time.Second)
	leave(d, ear)
	out.HangUp(in)
}

func joinsAgain(d *domain) {
	out, in, dora := supervised(d)
	first := dora.Dial(d.uri("*52bob"))
	first.Await("Answered")
	d.Wait(5 * time.Second)
	second := dora.DialJoining(d.uri("bob"), in.Replaces())
	second.Await("Answered")
	first.Await("Ended BYE received")
	d.Wait(5 * time.Second)
	leave(d, second)
	out.HangUp(in)
}

func joinedByTwo(d *domain) {
	out, in, dora := supervised(d)
	d.service.Supervisors.(byName)["eve"] = "bob"
	eve := d.phone("eve", "eve")
	one := dora.Dial(d.uri("*52bob"))
	one.Await("Answered")
	two := eve.Dial(d.uri("*52bob"))
	two.Await("Answered")
	d.Wait(5 * time.Second)
	leave(d, one)
	leave(d, two)
	out.HangUp(in)
}

func joinsOwn(d *domain) {
	out, in, dora := supervised(d)
	own := dora.Dial(d.uri("bob"))
	asked := in.Phone.Incoming()
	own.Talk(asked)
	dora.DialJoining(d.uri("bob"), asked.Replaces()).Await("Rejected 403")
	ear := dora.Dial(d.uri("*52bob"))
	ear.Await("Answered")
	d.Wait(5 * time.Second)
	out.Bye()
	ear.Await("Ended BYE received")
	dora.Dial(d.uri("*52bob")).Await("Rejected 404")
	d.Wait(time.Second)
	own.HangUp(asked)
}

func joinCancelled(d *domain) {
	out, in, dora := supervised(d)
	ear := dora.DialJoining(d.uri("bob"), in.Replaces())
	d.Wait(15 * time.Millisecond)
	ear.Cancel()
	ear.Await("Rejected 487")
	d.Wait(10 * time.Second)
	out.HangUp(in)
}

func joinRefused(d *domain) {
	out, in, dora := supervised(d)
	eve := d.phone("eve", "eve")
	eve.DialJoining(d.uri("bob"), in.Replaces()).Await("Rejected 403")
	which := in.Replaces()
	which.FromTag += "x"
	dora.DialJoining(d.uri("bob"), which).Await("Rejected 481")
	out.Refuse(sip.StatusNotAcceptableHere)
	dora.DialJoining(d.uri("bob"), in.Replaces()).Await("Rejected 488")
	d.Wait(5 * time.Second)
	out.HangUp(in)
}

// TestJoinHeard: who hears whom when somebody listens, whispers and barges in, and afterwards.
func TestJoinHeard(t *testing.T) {
	siptest.Run(t, on(func(d *domain) {
		out, in, dora := supervised(d)
		voices := map[string]*voice{"alice": speak(d, out, 400), "bob": speak(d, in, 700)}
		ear := dora.Dial(d.uri("*52bob"))
		ear.Await("Answered")
		voices["dora"] = speak(d, ear, 1100)
		for _, tt := range []struct {
			digit byte
			heard map[string]string
		}{
			{'5', map[string]string{"alice": "bob", "bob": "alice dora", "dora": "alice bob"}},
			{'4', map[string]string{"alice": "bob", "bob": "alice", "dora": "alice bob"}},
			{'6', map[string]string{"alice": "bob dora", "bob": "alice dora", "dora": "alice bob"}},
		} {
			voices["dora"].press(tt.digit)
			d.Wait(2 * time.Second)
			d.Wait(2 * time.Second)
			for _, v := range voices {
				v.forget()
			}
			d.Wait(time.Second)
			for who, whom := range tt.heard {
				if got := voices[who].hears(voices); got != whom {
					t.Errorf("after %c %s hears %q, want %q", tt.digit, who, got, whom)
				}
			}
		}
		ear.Bye()
		d.Wait(2 * time.Second)
		voices["alice"].forget()
		d.Wait(time.Second)
		if got := voices["alice"].hears(voices); got != "bob" {
			t.Errorf("afterwards alice hears %q", got)
		}
		for _, v := range voices {
			v.close()
		}
		out.HangUp(in)
	}))
}

// announcer records a call from its answer on, or when a side asks for it, and says so for four seconds.
type announcer struct{ onDemand bool }

func (a announcer) Record(_ *b2bua.Detail, by b2bua.Side) b2bua.Recording {
	r := b2bua.Recording{OnDemand: true, Announce: func(rate int) (audio.Source, error) { return &audio.Samples{PCM: make([]int16, 4*rate)}, nil }}
	if !a.onDemand || by != b2bua.BySystem {
		r.File, r.Open = "call", func(int) (audio.StereoWriter, error) { return noWriter{}, nil }
	}
	return r
}

type noWriter struct{}

func (noWriter) WriteStereo(_, _ []int16) error { return nil }
func (noWriter) Close() error                   { return nil }

// TestJoinAnnounced: a supervisor waits until the sides have heard an announcement, and one that begins later takes nobody out of the room.
func TestJoinAnnounced(t *testing.T) {
	for _, onDemand := range []bool{false, true} {
		t.Run(strconv.FormatBool(onDemand), func(t *testing.T) {
			siptest.Run(t, on(func(d *domain) {
				d.service.Recorder = announcer{onDemand}
				out, in, dora := supervised(d)
				voices := map[string]*voice{"alice": speak(d, out, 400), "bob": speak(d, in, 700)}
				dialled := time.Now()
				ear := dora.Dial(d.uri("*52bob"))
				ear.Await("Answered")
				if waited := time.Since(dialled); !onDemand && waited < 2*time.Second {
					t.Errorf("dora was let in after %s, into the announcement", waited)
				}
				voices["dora"] = speak(d, ear, 1100)
				if onDemand {
					out.Press(b2bua.RecordCode)
				}
				d.Wait(7 * time.Second)
				for _, v := range voices {
					v.forget()
				}
				d.Wait(time.Second)
				for who, whom := range map[string]string{"alice": "bob", "bob": "alice dora", "dora": "alice bob"} {
					if got := voices[who].hears(voices); got != whom {
						t.Errorf("%s hears %q, want %q", who, got, whom)
					}
				}
				for _, v := range voices {
					v.close()
				}
				out.HangUp(in)
			}))
		})
	}
}

// TestJoinedAlone: two who stay in the room, because one does not want to leave it, are not asked for ever: neither after the first supervisor nor after the next.
func TestJoinedAlone(t *testing.T) {
	siptest.Run(t, on(func(d *domain) {
		out, in, dora := supervised(d)
		asked := func() (n int) {
			for _, ev := range out.Events() {
				if ev == "Offer" {
					n++
				}
			}
			return n
		}
		for i := range 2 {
			ear := dora.Dial(d.uri("*52bob"))
			ear.Await("Answered")
			d.Wait(time.Second)
			out.Refuse(sip.StatusNotAcceptableHere)
			before := asked()
			ear.Bye()
			ear.Await("Ended BYE sent")
			d.Wait(30 * time.Second)
			some := asked()
			d.Wait(30 * time.Second)
			if n := asked(); n != some || n < before+2 {
				t.Errorf("%d: alice was asked %d times in half a minute, and %d times in the next", i, some-before, n-some)
			}
		}
		out.HangUp(in)
	}))
}

// voice is the sound of a phone: a tone, and what it hears.
type voice struct {
	domain    *domain
	call      *siptest.Call
	conn      network.PacketConn
	frequency float64
	stop      chan struct{}
	running   sync.WaitGroup

	mu    sync.Mutex // guards what follows
	heard []int16
	keys  audio.Dialling
}

// speak opens the sound of a phone at the address of its descriptions.
func speak(d *domain, c *siptest.Call, frequency float64) *voice {
	conns, err := c.Phone.Host.ListenPacket(context.Background(), netip.AddrPortFrom(d.Addr(c.Phone.Name), 49170), 1)
	if err != nil {
		d.T.Fatal(err)
	}
	v := &voice{domain: d, call: c, conn: conns[0], frequency: frequency, stop: make(chan struct{})}
	v.running.Go(v.listen)
	v.running.Go(v.talk)
	return v
}

func (v *voice) listen() {
	decoder, _ := codec.PCMU().NewDecoder()
	batch := []network.Datagram{{Buf: make([]byte, 1500)}}
	for {
		if _, err := v.conn.ReadBatch(batch); err != nil {
			return
		}
		p, err := rtp.Parse(batch[0].Buf[:batch[0].N])
		if err != nil || p.PayloadType != 0 {
			continue
		}
		v.mu.Lock()
		v.heard, _ = decoder.Decode(v.heard, p.Payload)
		v.mu.Unlock()
	}
}

func (v *voice) talk() {
	tone := audio.Tone{Rate: 8000, Frequencies: []float64{v.frequency}, Amplitude: 6000}
	encoder, _ := codec.PCMU().NewEncoder()
	pcm := make([]int16, 160)
	for i := uint16(0); ; i++ {
		select {
		case <-v.stop:
			return
		case <-time.After(20 * time.Millisecond):
		}
		if n, _ := v.pressed().ReadSamples(pcm); n < len(pcm) {
			_, _ = tone.ReadSamples(pcm)
		}
		payload, _ := encoder.Encode(nil, pcm)
		p := rtp.Packet{Header: rtp.Header{Sequence: i, Timestamp: 160 * uint32(i), SSRC: uint32(v.frequency)}, Payload: payload}
		_, _ = v.conn.WriteBatch([]network.Datagram{{Buf: p.AppendTo(nil), Peer: v.to()}})
	}
}

// to is where the peer wants the sound.
func (v *voice) to() netip.AddrPort {
	_, port, _ := strings.Cut(v.call.Remote(), "m=audio ")
	port, _, _ = strings.Cut(port, " ")
	n, _ := strconv.ParseUint(port, 10, 16)
	return netip.AddrPortFrom(v.domain.Addr("server"), uint16(n))
}

func (v *voice) press(digit byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keys = audio.Dialling{Rate: 8000, Digits: string(digit)}
}

// pressed is the tone of the key that is pressed.
func (v *voice) pressed() audio.Source {
	v.mu.Lock()
	defer v.mu.Unlock()
	return &v.keys
}

func (v *voice) forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.heard = nil
}

// hears names those whose tones are heard.
func (v *voice) hears(all map[string]*voice) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var names []string
	for _, name := range []string{"alice", "bob", "dora"} {
		if level := audio.Goertzel(v.heard, 8000, all[name].frequency); level > 1500 && !math.IsNaN(level) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

func (v *voice) close() {
	close(v.stop)
	_ = v.conn.Close()
	v.running.Wait()
}
