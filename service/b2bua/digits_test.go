package b2bua

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
)

const eventLine = "a=rtpmap:101 telephone-event/8000"

// withEvents is a description of one who takes telephone events.
func withEvents(host string, port int) string {
	return strings.Replace(offer(host, port, eventLine), "AVP 8 0", "AVP 8 0 101", 1)
}

// press sends a digit of alice by INFO.
func (w *world) press(tx sip.TransactionID, seq int, digit string) sip.TransactionID {
	w.bodyType = "application/dtmf-relay"
	defer func() { w.bodyType = "" }()
	return w.inside(tx, sip.MethodInfo, seq, "Signal="+digit+"\r\nDuration=100\r\n")
}

// TestDigits: alice dials by INFO, and bob, who is offered telephone events although she has none, gets them so; he is asked nothing. What he dials goes to her by INFO, one digit after the other. The
// record tells both ways.
func TestDigits(t *testing.T) {
	play(t, func(w *world) {
		w.phone("bob", 2)
		bob := w.socket("192.0.2.2:6000")
		defer bob.Close()
		heard := make(chan byte, 100)
		go hearEvents(bob, heard)
		tx := w.invite("bob", offer("192.0.2.1", 4000))
		s := w.one(sip.MethodInvite)
		if !strings.Contains(string(s.Body()), eventLine) {
			t.Errorf("bob is offered\n%s", s.Body())
		}
		w.reply(s, sip.StatusOK, withEvents("192.0.2.2", 6000))
		if res := w.answerTo(tx); strings.Contains(string(res.Body()), "telephone-event") {
			t.Errorf("alice is answered\n%s", res.Body())
		}
		w.ack(tx, "")
		info := w.press(tx, 2, "7")
		w.pass(time.Second)
		if got := w.statuses(info); got != "200" || len(heard) != 1 || <-heard != '7' {
			t.Errorf("alice's INFO got %s, and bob heard %d digits", got, len(heard))
		}
		w.take(sip.MethodInfo) // none
		for i, code := range []byte{4, 2} {
			packet := []byte{0x80, 0x80 | 101, 0, byte(i), 0, 0, byte(i), 0, 0, 0, 0, 9, code, 10, 0, 160}
			must(t, sendTo(bob, packet, portOf(s.Body())))
			w.pass(time.Second)
		}
		first := w.one(sip.MethodInfo)
		w.reply(first, sip.StatusOK, "")
		second := w.one(sip.MethodInfo)
		w.reply(second, sip.StatusOK, "")
		if first.DTMF() != '4' || second.DTMF() != '2' || first.URI.String() != "sip:alice@192.0.2.1" {
			t.Errorf("alice is told\n%s%s", first, second)
		}
		w.hangUp(tx, 3)
		if d := w.end(); d.Legs[0].Digits != session.DigitsInfo || d.Legs[1].Digits != session.DigitsEvents {
			t.Errorf("digits: %v and %v", d.Legs[0].Digits, d.Legs[1].Digits)
		}
	})
}

// TestDigitsRefused: a side that refuses INFO gets a tone in its sound, and who has dialled is told that it went well; what is no digit is refused.
func TestDigitsRefused(t *testing.T) {
	play(t, func(w *world) {
		tx, _ := w.connect()
		info := w.press(tx, 2, "5")
		w.reply(w.one(sip.MethodInfo), sip.StatusUnsupportedMediaType, "")
		if got := w.statuses(info); got != "200" {
			t.Errorf("alice's INFO got %s", got)
		}
		w.pass(time.Second)
		info = w.inside(tx, sip.MethodInfo, 3, "v=0\r\n")
		w.reply(w.one(sip.MethodInfo), sip.StatusUnsupportedMediaType, "")
		if got := w.statuses(info); got != "415" {
			t.Errorf("alice's other INFO got %s", got)
		}
		w.hangUp(tx, 4)
		if d := w.end(); d.Legs[1].Digits != session.DigitsTones {
			t.Errorf("bob is dialled to by %v", d.Legs[1].Digits)
		}
	})
}

// hearEvents gives away the digits of telephone events.
func hearEvents(c network.PacketConn, digits chan<- byte) {
	var receiver rtp.EventReceiver
	ms := []network.Datagram{{Buf: make([]byte, 2000)}}
	for {
		if _, err := c.ReadBatch(ms); err != nil {
			return
		}
		p, err := rtp.Parse(ms[0].Buf[:ms[0].N])
		if err != nil || p.PayloadType != 101 {
			continue
		}
		if e, err := rtp.ParseEvent(p.Payload); err == nil && receiver.Receive(&p.Header, e) {
			if digit, ok := e.Digit(); ok {
				digits <- digit
			}
		}
	}
}

// portOf returns the port of the sound in a description.
func portOf(body []byte) uint16 {
	_, line, _ := strings.Cut(string(body), "m=audio ")
	port, _, _ := strings.Cut(line, " ")
	n, _ := strconv.Atoi(port)
	return uint16(n)
}

func sendTo(c network.PacketConn, packet []byte, port uint16) error {
	_, err := c.WriteBatch([]network.Datagram{{Buf: packet, Peer: netip.AddrPortFrom(serverAddress, port)}})
	return err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestDigitsSet: who is to have tones or INFO is told of no telephone events, as caller and as callee.
func TestDigitsSet(t *testing.T) {
	play(t, func(w *world) {
		w.phone("bob", 2)
		w.phones["bob"][0].Digits = session.DigitsTones
		w.caller.Digits = session.DigitsInfo
		tx := w.invite("bob", withEvents("192.0.2.1", 4000))
		s := w.one(sip.MethodInvite)
		w.reply(s, sip.StatusOK, offer("192.0.2.2", 6000))
		if res := w.answerTo(tx); strings.Contains(string(s.Body())+string(res.Body()), "telephone-event") {
			t.Errorf("offered\n%s\nanswered\n%s", s.Body(), res.Body())
		}
		w.ack(tx, "")
		info := w.press(tx, 2, "7")
		if got := w.statuses(info); got != "200" {
			t.Errorf("alice's INFO got %s", got)
		}
		w.take(sip.MethodInfo) // none: bob gets a tone
		w.pass(time.Second)
		w.hangUp(tx, 3)
		if d := w.end(); d.Legs[0].Digits != session.DigitsInfo || d.Legs[1].Digits != session.DigitsTones {
			t.Errorf("digits: %v and %v", d.Legs[0].Digits, d.Legs[1].Digits)
		}
	})
}
