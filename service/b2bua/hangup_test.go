package b2bua

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
)

func TestCalleeHangsUp(t *testing.T) {
	play(t, func(w *world) {
		_, s := w.connect()
		w.back(s, sip.MethodBye, 1, "")
		bye := w.one(sip.MethodBye)
		if bye.URI.String() != "sip:alice@192.0.2.1" {
			t.Errorf("BYE to %s", bye.URI)
		}
		if n := w.b.Media.Relay.Streams(); n != 0 {
			t.Errorf("%d streams are open after the BYE", n)
		}
		w.fails(bye.tx, sip.EventTimeout, sip.ErrTimeout)
		if d := w.end(); d.By != ByCallee || d.Duration() < 0 {
			t.Errorf("detail %+v", d)
		}
	})
}

func TestSilence(t *testing.T) {
	play(t, func(w *world) {
		w.b.Silence = time.Minute
		_, s := w.connect()
		w.pass(40 * time.Second)
		if !w.talks("192.0.2.2:6000", "192.0.2.1:4000", mediaPort(t, s.Body())) {
			t.Error("alice does not hear bob")
		}
		w.pass(50 * time.Second)
		if len(w.started) != 0 {
			t.Fatal("the call was ended though bob spoke 50 s ago")
		}
		w.pass(30 * time.Second)
		byes := w.take(sip.MethodBye)
		if len(byes) != 2 || byes[0].Get(sip.HeaderReason) != noMedia {
			t.Fatalf("%d BYEs", len(byes))
		}
		for _, bye := range byes {
			w.reply(bye, sip.StatusOK, "")
		}
		if d := w.end(); d.By != BySystem || d.Reason != noMedia {
			t.Errorf("detail %+v", d)
		}
	})
}

// TestOneSideSilent: a call in which only one side is silent goes on for five minutes if that side has sent RTP and RTCP before, so that it is gone, and for ever if it may be there: it has named a codec with
// pauses (RFC 3389 §4), has a line of another kind, or has never shown that it sends RTCP while it is muted (RFC 3550 §6.2).
func TestOneSideSilent(t *testing.T) {
	const both, sound, reports, nothing = "sound reports", "sound", "reports", ""
	for name, c := range map[string]struct {
		sends   string // what the silent side has sent
		payload string
		lines   []string
		ends    bool
	}{
		"gone":             {both, "", nil, true},
		"muted":            {sound, "", nil, false},
		"never spoke":      {reports, "", nil, false},
		"loudspeaker":      {nothing, "", nil, false},
		"comfort noise":    {both, "13", []string{"a=rtpmap:13 CN/8000"}, false},
		"pauses":           {both, "18", []string{"a=rtpmap:18 G729/8000"}, false},
		"no pauses":        {both, "18", []string{"a=rtpmap:18 G729/8000", "a=fmtp:18 annexb=no"}, true},
		"text":             {both, "", []string{"m=text 7000 RTP/AVP 98", "a=rtpmap:98 t140/1000"}, false},
		"facsimile":        {both, "", []string{"m=image 7000 udptl t38"}, false},
		"no facsimile":     {both, "", []string{"m=image 0 udptl t38"}, true},
		"pictures one way": {both, "", []string{"m=video 7000 RTP/AVP 99", "a=rtpmap:99 VP8/90000", "a=recvonly"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(w *world) {
				w.b.Silence = time.Minute
				described := func(host string, port int) string {
					return strings.Replace(offer(host, port, c.lines...), "RTP/AVP 8 0", "RTP/AVP 8 0 "+c.payload, 1)
				}
				w.phone("bob", 2)
				tx := w.invite("bob", described("192.0.2.1", 4000))
				s := w.one(sip.MethodInvite)
				w.reply(s, sip.StatusOK, described("192.0.2.2", 6000))
				to := mediaPort(t, w.answerTo(tx).Body())
				w.ack(tx, "")
				alice, bob := w.socket("192.0.2.1:4000"), w.socket("192.0.2.2:6000")
				defer alice.Close()
				defer bob.Close()
				if strings.Contains(c.sends, sound) {
					w.say(bob, mediaPort(t, s.Body()), 0x80, 8, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2)
				}
				if strings.Contains(c.sends, reports) {
					w.say(bob, mediaPort(t, s.Body())+1, 0x80, 201, 0, 1, 0, 0, 0, 2)
				}
				var stood time.Duration
				for ; stood < 7*time.Minute && len(w.started) == 0; stood += 40 * time.Second {
					w.say(alice, to, 0x80, 8, 0, byte(stood/time.Second), 0, 0, 0, 1, 0, 0, 0, 1)
					w.pass(40 * time.Second)
				}
				if ended := len(w.started) != 0; ended != c.ends || stood < 5*time.Minute {
					t.Fatalf("after %v it has ended: %v", stood, ended)
				}
				if !c.ends {
					w.hangUp(tx, 2)
					return
				}
				for _, bye := range w.take(sip.MethodBye) {
					w.reply(bye, sip.StatusOK, "")
				}
				if d := w.end(); d.Reason != noMedia {
					t.Errorf("detail %+v", d)
				}
			})
		})
	}
}

// say sends a packet to a port of ours.
func (w *world) say(from network.PacketConn, port uint16, packet ...byte) {
	w.t.Helper()
	if _, err := from.WriteBatch([]network.Datagram{{Buf: packet, Peer: netip.AddrPortFrom(serverAddress, port)}}); err != nil {
		w.t.Fatal(err)
	}
	w.pass(time.Second)
}

// TestSilenceOnHold: a call that both sides hold is silent for hours, and is not ended for it, nor for the silence behind it when it is resumed.
func TestSilenceOnHold(t *testing.T) {
	for _, c := range []struct{ name, hold, reply string }{
		{"one way", offer("192.0.2.1", 4000, "a=sendonly"), offer("192.0.2.2", 6000, "a=recvonly")},
		{"both ways", offer("192.0.2.1", 4000, "a=inactive"), offer("192.0.2.2", 6000, "a=inactive")},
		{"by address", offer("0.0.0.0", 4000), offer("192.0.2.2", 6000)},
		{"beside a facsimile", offer("192.0.2.1", 4000, "a=sendonly", "m=image 4002 udptl t38"), offer("192.0.2.2", 6000, "a=recvonly", "m=image 6002 udptl t38")},
		{"no stream left", strings.Replace(offer("192.0.2.1", 4000), "audio 4000", "audio 0", 1), strings.Replace(offer("192.0.2.2", 6000), "audio 6000", "audio 0", 1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, func(w *world) {
				w.b.Silence = time.Minute
				tx, _ := w.connect()
				change := func(seq int, offered, answered string) {
					re := w.inside(tx, sip.MethodInvite, seq, offered)
					w.reply(w.one(sip.MethodInvite), sip.StatusOK, answered)
					w.ack(re, "")
				}
				change(2, c.hold, c.reply)
				w.pass(5*time.Hour + 14*time.Second)
				change(3, offer("192.0.2.1", 4000), offer("192.0.2.2", 6000))
				w.pass(40 * time.Second)
				if n := len(w.take(sip.MethodBye)); n != 0 {
					t.Fatalf("%d BYEs to a call on hold, or just resumed", n)
				}
				w.pass(time.Minute)
				for _, bye := range w.take(sip.MethodBye) {
					w.reply(bye, sip.StatusOK, "")
				}
				if d := w.end(); d.Reason != noMedia {
					t.Errorf("detail %+v", d)
				}
			})
		})
	}
}

// endsSilent: two minutes later the call has ended because nothing was heard.
func (w *world) endsSilent(t *testing.T) {
	t.Helper()
	w.pass(2 * time.Minute)
	for _, bye := range w.take(sip.MethodBye) {
		w.reply(bye, sip.StatusOK, "")
	}
	if d := w.end(); d.Reason != noMedia {
		t.Errorf("detail %+v", d)
	}
}

// TestFacsimileSilent: where only a facsimile is left nobody is on hold, and the silence of both ends the call.
func TestFacsimileSilent(t *testing.T) {
	play(t, func(w *world) {
		w.b.Silence = time.Minute
		tx, _ := w.connect()
		fax := func(host string, port int) string { return offer(host, 0, fmt.Sprintf("m=image %d udptl t38", port)) }
		re := w.inside(tx, sip.MethodInvite, 2, fax("192.0.2.1", 4002))
		w.reply(w.one(sip.MethodInvite), sip.StatusOK, fax("192.0.2.2", 6002))
		w.ack(re, "")
		w.endsSilent(t)
	})
}

// TestSilenceBesideVideo: a picture that goes one way does not excuse the silence of the sound.
func TestSilenceBesideVideo(t *testing.T) {
	play(t, func(w *world) {
		w.b.Silence = time.Minute
		video := func(host string, port int) string { return offer(host, port, "m=video 7000 RTP/AVP 99", "a=recvonly") }
		w.phone("bob", 2)
		tx := w.invite("bob", video("192.0.2.1", 4000))
		w.reply(w.one(sip.MethodInvite), sip.StatusOK, video("192.0.2.2", 6000))
		w.ack(tx, "")
		w.endsSilent(t)
	})
}

// TestNoAck: RFC 3261 §13.3.1.4.
func TestNoAck(t *testing.T) {
	play(t, func(w *world) {
		w.phone("bob", 2)
		w.invite("bob", offer("192.0.2.1", 4000))
		w.reply(w.one(sip.MethodInvite), sip.StatusOK, offer("192.0.2.2", 6000))
		w.pass(33 * time.Second)
		byes := w.take(sip.MethodBye)
		if len(byes) == 0 {
			t.Fatal("no BYE though the ACK never came")
		}
		for _, bye := range byes {
			w.reply(bye, sip.StatusOK, "")
		}
		for _, bye := range w.take(sip.MethodBye) {
			w.reply(bye, sip.StatusOK, "")
		}
	})
}

func TestBadAnswer(t *testing.T) {
	for _, body := range []string{"", "v=1\r\n"} {
		play(t, func(w *world) {
			w.phone("bob", 2)
			tx := w.invite("bob", offer("192.0.2.1", 4000))
			w.reply(w.one(sip.MethodInvite), sip.StatusOK, body)
			if got := w.answerTo(tx).Status; got != sip.StatusBadGateway {
				t.Errorf("alice got %d", got)
			}
			w.reply(w.one(sip.MethodBye), sip.StatusOK, "")
		})
	}
}

func TestDrain(t *testing.T) {
	play(t, func(w *world) {
		if err := w.b.Drain(w.t.Context()); err != nil {
			t.Errorf("without a call: %v", err)
		}
	})
	play(t, func(w *world) {
		tx, _ := w.connect()
		ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- w.b.Drain(ctx) }()
		w.pass(time.Second)
		if got := w.statuses(w.invite("bob", offer("192.0.2.1", 4000))); got != "503" {
			t.Errorf("a new call got %s", got)
		}
		w.hangUp(tx, 2)
		if err := <-done; err != nil {
			t.Errorf("after the last call: %v", err)
		}
	})
	play(t, func(w *world) {
		w.connect()
		ringing := w.invite("bob", offer("192.0.2.1", 4000))
		s := w.one(sip.MethodInvite)
		ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
		defer cancel()
		if err := w.b.Drain(ctx); err == nil {
			t.Error("no error though calls were left")
		}
		w.pass(time.Second)
		byes := w.take(sip.MethodBye)
		if len(byes) != 2 || byes[0].Get(sip.HeaderReason) != stopReason || w.cancelled[s.tx] != stopReason {
			t.Errorf("%d BYEs", len(byes))
		}
		if got := w.answerTo(ringing).Status; got != sip.StatusTemporarilyUnavailable {
			t.Errorf("the caller of the ringing call got %d", got)
		}
		w.reply(s, sip.StatusRequestTerminated, "")
		for _, bye := range byes {
			w.reply(bye, sip.StatusOK, "")
		}
	})
}

// TestEndBeforePrack: a call whose 200 still waits for the PRACK of the caller was never answered, whoever ends it. RFC 3262 §3.
func TestEndBeforePrack(t *testing.T) {
	for name, end := range map[string]func(w *world, s *sent){
		"the callee hangs up": func(w *world, s *sent) { w.back(s, sip.MethodBye, 1, "") },
		"the server stops": func(w *world, s *sent) {
			now, cancel := context.WithCancel(w.t.Context())
			cancel()
			_ = w.b.Drain(now)
			w.pass(time.Second)
			w.reply(w.one(sip.MethodBye), sip.StatusOK, "")
		},
	} {
		play(t, func(w *world) {
			w.phone("bob", 2)
			tx := w.invite("bob", offer("192.0.2.1", 4000), "Supported: 100rel")
			s := w.one(sip.MethodInvite)
			w.reply(s, sip.StatusSessionProgress, offer("192.0.2.2", 6000), "Require: 100rel", "RSeq: 1")
			w.reply(w.one(sip.MethodPrack), sip.StatusOK, "")
			w.reply(s, sip.StatusOK, "")
			if got := w.statuses(tx); got != "183" {
				t.Errorf("%s: alice got %s before her PRACK", name, got)
			}
			end(w, s)
			if got, d := w.answerTo(tx).Status, w.end(); got != sip.StatusTemporarilyUnavailable || d.Status != got {
				t.Errorf("%s: alice got %d, the detail says %d", name, got, d.Status)
			}
		})
	}
}
