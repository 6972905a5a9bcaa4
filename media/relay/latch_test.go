package relay

import (
	"net/netip"
	"testing"
	"time"
)

var (
	sdpAddress = netip.MustParseAddrPort("192.0.2.1:4000")
	natAddress = netip.MustParseAddrPort("198.51.100.7:30000")
	natPort    = netip.MustParseAddrPort("198.51.100.7:31111")
	thirdParty = netip.MustParseAddrPort("203.0.113.66:5004")
)

// move is one thing that happens to a latch and what must come of it.
type move struct {
	at   time.Duration
	from netip.AddrPort // not valid: a new description, the same as before
	ssrc uint32
	seq  uint16
	want bool           // heard
	to   netip.AddrPort // target afterwards
}

var latchMoves = map[string][]move{
	"the described source": {
		{0, sdpAddress, 1, 1, true, sdpAddress},
		{20 * time.Millisecond, thirdParty, 1, 2, false, sdpAddress},
		{40 * time.Millisecond, sdpAddress, 1, 2, true, sdpAddress},
	},
	"a stranger is never heard": {
		{0, thirdParty, 1, 1, false, sdpAddress},
		{10 * time.Second, thirdParty, 1, 2, false, sdpAddress},
		{11 * time.Second, natAddress, 2, 1, true, natAddress},
	},
	"behind NAT, the signalled address": {
		{0, natAddress, 1, 1, true, natAddress},
		{500 * time.Millisecond, natPort, 2, 1, false, natAddress},
		{2 * time.Second, natAddress, 1, 2, true, natAddress},
	},
	"the described source displaces within the window": {
		{0, natAddress, 1, 1, true, natAddress},
		{900 * time.Millisecond, sdpAddress, 2, 1, true, sdpAddress},
		{950 * time.Millisecond, natAddress, 1, 2, false, sdpAddress},
	},
	"but not after it": {
		{0, natAddress, 1, 1, true, natAddress},
		{time.Second, sdpAddress, 2, 1, false, natAddress},
		{20 * time.Second, sdpAddress, 2, 9, false, natAddress},
	},
	"the window begins with the first packet": {
		{time.Hour, natAddress, 1, 1, true, natAddress},
		{time.Hour + 900*time.Millisecond, sdpAddress, 2, 1, true, sdpAddress},
	},
	"a new NAT mapping after silence": {
		{0, natAddress, 1, 65534, true, natAddress},
		{2 * time.Second, natAddress, 1, 65535, true, natAddress},
		{6 * time.Second, natPort, 1, 300, false, natAddress},
		{7 * time.Second, natPort, 1, 300, true, natPort},
		{7020 * time.Millisecond, natAddress, 1, 301, false, natPort},
	},
	"silence helps no other SSRC, sequence or address": {
		{0, natAddress, 1, 100, true, natAddress},
		{2 * time.Second, natAddress, 1, 101, true, natAddress},
		{9 * time.Second, natPort, 2, 102, false, natAddress},
		{9 * time.Second, natPort, 1, 101, false, natAddress},
		{9 * time.Second, natPort, 1, 101 + dropout + 1, false, natAddress},
		{9 * time.Second, thirdParty, 1, 102, false, natAddress},
	},
	"a new description lets a neighbour in": {
		{0, natAddress, 1, 1, true, natAddress},
		{2 * time.Second, natPort, 2, 1, false, natAddress},
		{at: 3 * time.Second, to: natAddress},
		{3 * time.Second, thirdParty, 3, 1, false, natAddress},
		{3 * time.Second, natPort, 2, 2, true, natPort},
		{5 * time.Second, natAddress, 1, 2, false, natPort},
	},
	"and who was heard before goes first": {
		{0, natAddress, 1, 1, true, natAddress},
		{at: 3 * time.Second, to: natAddress},
		{3 * time.Second, natAddress, 1, 2, true, natAddress},
		{3100 * time.Millisecond, natPort, 2, 1, false, natAddress},
	},
}

// RFC 7362 §5: a third party takes nothing away once the stream is locked.
func TestLatch(t *testing.T) {
	for name, moves := range latchMoves {
		t.Run(name, func(t *testing.T) {
			var l latch
			if l.step(arrival{from: sdpAddress, kind: sound}) {
				t.Error("heard before there was a description")
			}
			l.open(sdpAddress, natAddress.Addr())
			for i, m := range moves {
				if !m.from.IsValid() {
					l.open(sdpAddress, natAddress.Addr())
				} else if got := l.step(arrival{from: m.from, at: m.at, kind: sound, ssrc: m.ssrc, seq: m.seq}); got != m.want {
					t.Errorf("move %d: heard %v, want %v", i, got, m.want)
				}
				if got := l.target(); got != m.to {
					t.Errorf("move %d: target %v, want %v", i, got, m.to)
				}
			}
		})
	}
}

func TestLatchStrangers(t *testing.T) {
	l := latch{strangers: true}
	l.open(sdpAddress, natAddress.Addr())
	for i, m := range []struct {
		at   time.Duration
		from netip.AddrPort
		want bool
	}{
		{0, thirdParty, true},
		{time.Millisecond, natAddress, true},
		{2 * time.Millisecond, thirdParty, false},
	} {
		if got := l.step(arrival{from: m.from, at: m.at, kind: sound}); got != m.want {
			t.Errorf("move %d: heard %v, want %v", i, got, m.want)
		}
	}
}

func TestLatchNewAddress(t *testing.T) {
	var l latch
	l.open(sdpAddress, natAddress.Addr())
	l.step(arrival{from: natAddress, kind: sound})
	l.open(thirdParty, natAddress.Addr())
	if got := l.target(); got != thirdParty {
		t.Errorf("target %v, want the new description's %v", got, thirdParty)
	}
	l.open(netip.MustParseAddrPort("0.0.0.0:4000"), natAddress.Addr())
	l.step(arrival{from: natAddress, kind: sound, at: time.Second})
	if got := l.target(); got.IsValid() {
		t.Errorf("target %v during a hold by address", got)
	}
}

func TestLatchControl(t *testing.T) {
	var l latch
	l.open(sdpAddress, natAddress.Addr())
	l.step(arrival{from: natAddress, kind: report, ssrc: 1})
	l.step(arrival{from: natAddress, kind: report, ssrc: 1, at: 2 * time.Second})
	if l.step(arrival{from: natPort, kind: report, ssrc: 2, at: 9 * time.Second}) {
		t.Error("another SSRC was heard from another port")
	}
	if !l.step(arrival{from: natPort, kind: report, ssrc: 1, at: 9 * time.Second}) {
		t.Error("RTCP of the same source was not followed to another port")
	}
}

// TestLatchFixed: RFC 8445 §12: what ICE has chosen is all that is heard.
func TestLatchFixed(t *testing.T) {
	var l latch
	l.open(sdpAddress, natAddress.Addr())
	l.step(arrival{from: natAddress, kind: sound, at: 0})
	l.fixed = &natPort
	for _, from := range []netip.AddrPort{sdpAddress, natAddress, thirdParty} {
		if l.step(arrival{from: from, kind: sound, proven: true}) {
			t.Errorf("%v was heard beside the fixed one", from)
		}
	}
	if !l.step(arrival{from: natPort, kind: sound}) || l.target() != natPort {
		t.Errorf("the fixed source was not heard; target %v", l.target())
	}
	l.fixed = nil
	if got := l.target(); got != natAddress {
		t.Errorf("target %v after the choice was given back, want %v", got, natAddress)
	}
}

// TestLatchProven: a source that proves itself wins at once, in every phase. RFC 7362 §4.
func TestLatchProven(t *testing.T) {
	var l latch
	for i, from := range []netip.AddrPort{thirdParty, natAddress, sdpAddress, natPort} {
		if i == 1 {
			l.open(sdpAddress, natAddress.Addr())
		}
		if !l.step(arrival{from: from, kind: sound, proven: true, at: time.Duration(i) * 100 * time.Millisecond}) || l.target() != from {
			t.Errorf("%d: %v was not heard at once; target %v", i, from, l.target())
		}
	}
}

// TestLatchControlAmongMedia: RTCP on the RTP port does not blur the numbers by which a moved source is known again. RFC 5761 §4.
func TestLatchControlAmongMedia(t *testing.T) {
	var l latch
	l.open(sdpAddress, natAddress.Addr())
	l.step(arrival{from: natAddress, kind: sound, ssrc: 1, seq: 5000})
	l.step(arrival{from: natAddress, kind: report, ssrc: 2, at: 2 * time.Second})
	if l.step(arrival{from: natPort, kind: sound, ssrc: 2, seq: 1, at: 9 * time.Second}) {
		t.Error("the SSRC of a report let another port in")
	}
	if !l.step(arrival{from: natPort, kind: sound, ssrc: 1, seq: 5001, at: 9 * time.Second}) {
		t.Error("the moved source was not followed")
	}
}
