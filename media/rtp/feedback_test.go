package rtp

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// feedback is as it stands on the wire: RFC 4585 §6.2.1, RFC 4585 §6.3.1, RFC 5104 §4.3.1.
var feedback = map[string]struct {
	wire string
	want ControlPacket
}{
	"NACK": {"81cd 0003 00000001 00000002 fffe 8001", &Nack{SSRC: 1, Media: 2, Lost: []uint16{65534, 65535, 14}}},
	"two":  {"81cd 0004 00000001 00000002 000a 0000 001b 0000", &Nack{SSRC: 1, Media: 2, Lost: []uint16{10, 27}}},
	"PLI":  {"81ce 0002 00000001 00000002", &PictureLoss{SSRC: 1, Media: 2}},
	"FIR":  {"84ce 0006 00000001 00000000 00000002 07000000 00000003 ff000000", &FullIntra{SSRC: 1, Requests: []IntraRequest{{2, 7}, {3, 255}}}},
	"REMB": {"8fce 0006 00000001 00000000 52454d42 020fffff 00000002 00000003", &Estimate{SSRC: 1, Bitrate: (1<<18 - 1) << 3, SSRCs: []uint32{2, 3}}},
}

// TestEstimate: what cannot be said exactly is rounded down, and what nobody can count is the most that can be.
func TestEstimate(t *testing.T) {
	for in, want := range map[uint64]uint64{0: 0, 1<<18 - 1: 1<<18 - 1, 1<<19 + 1: 1 << 19, 1<<64 - 1: (1<<18 - 1) << 46} {
		got, err := ParseRTCP((&Estimate{Bitrate: in}).AppendTo(nil))
		if d := cmp.Diff([]ControlPacket{&Estimate{Bitrate: want}}, got); err != nil || d != "" {
			t.Errorf("%d: %v %s", in, err, d)
		}
	}
	got, err := ParseRTCP(unhex(t, "8fce 0004 00000001 00000000 52454d42 00ffffff"))
	if d := cmp.Diff([]ControlPacket{&Estimate{SSRC: 1, Bitrate: (1<<18 - 1) << 46}}, got); err != nil || d != "" {
		t.Errorf("%v %s", err, d)
	}
}

func TestFeedback(t *testing.T) {
	for name, c := range feedback {
		b := unhex(t, c.wire)
		got, err := ParseRTCP(b)
		if d := cmp.Diff([]ControlPacket{c.want}, got); err != nil || d != "" {
			t.Errorf("%s: %v %s", name, err, d)
		}
		if d := cmp.Diff(b, c.want.AppendTo(nil)); d != "" {
			t.Errorf("%s: written %s", name, d)
		}
		for i := range b {
			if got, err := ParseRTCP(b[:i]); err == nil {
				t.Errorf("%s: cut at %d gave %v", name, i, got)
			}
		}
	}
	for _, short := range []string{"81cd 0002 00000001 00000002", "81ce 0001 00000001", "84ce 0002 00000001 00000000", "8fce 0003 00000001 00000000 52454d42"} {
		if _, err := ParseRTCP(unhex(t, short)); err != errRTCPBody {
			t.Errorf("%s: error %v", short, err)
		}
	}
	if got, err := ParseRTCP(unhex(t, "8fce 0002 00000001 00000002")); err != nil || len(got) != 0 {
		t.Errorf("another format gave %v, %v", got, err)
	}
}

// TestSplit: a relay sees in passing what a parser would. RFC 3550 §6.4.1.
func TestSplit(t *testing.T) {
	sr := &SenderReport{SSRC: 1, NTP: 0x1122334455667788, Reports: reports}
	b := controlPackets["CNAME 3"].AppendTo(sr.AppendTo(nil))
	b = (&ReceiverReport{SSRC: 1, Reports: reports[1:]}).AppendTo(b)
	first, rest, err := SplitRTCP(b)
	if at, ok := first.SenderTime(); err != nil || !ok || at != 0x33445566 {
		t.Errorf("time %x, %v, %v", at, ok, err)
	}
	for i := range 3 {
		if got, ok := first.Report(i); ok != (i < 2) || ok && got != reports[i] {
			t.Errorf("report %d: %v, %v", i, got, ok)
		}
	}
	second, rest, err := SplitRTCP(rest)
	if _, ok := second.SenderTime(); err != nil || ok {
		t.Errorf("a description has a time; error %v", err)
	}
	if _, ok := second.Report(0); ok {
		t.Error("a description has a report")
	}
	third, rest, err := SplitRTCP(rest)
	if got, ok := third.Report(0); err != nil || !ok || got != reports[1] || len(rest) != 0 {
		t.Errorf("report %v, %v, rest %x, error %v", got, ok, rest, err)
	}
	third.Body = third.Body[:20]
	if _, ok := third.Report(0); ok {
		t.Error("a report that is cut was read")
	}
}
