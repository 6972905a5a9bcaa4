package rtp

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var reports = []ReceptionReport{
	{SSRC: 7, FractionLost: 255, Lost: -3, LastSequence: 1 << 20, Jitter: 80, LastReport: 5, Delay: 65536},
	{SSRC: 8, Lost: 1<<23 - 1},
}

var controlPackets = map[string]ControlPacket{
	"SR":              &SenderReport{SSRC: 1, NTP: 2 << 32, Timestamp: 3, Packets: 4, Octets: 5, Reports: reports},
	"SR of nothing":   &SenderReport{SSRC: 1, Reports: []ReceptionReport{}},
	"RR":              &ReceiverReport{SSRC: 1, Reports: reports[1:]},
	"CNAME 0":         &SourceDescription{Sources: []Source{{SSRC: 1}}},
	"CNAME 1":         &SourceDescription{Sources: []Source{{SSRC: 1, CNAME: "a"}}},
	"CNAME 2":         &SourceDescription{Sources: []Source{{SSRC: 1, CNAME: "ab"}}},
	"CNAME 3":         &SourceDescription{Sources: []Source{{SSRC: 1, CNAME: "abc"}, {SSRC: 2, CNAME: strings.Repeat("x", 255)}}},
	"no sources":      &SourceDescription{},
	"BYE":             &Goodbye{SSRCs: []uint32{1, 2}},
	"BYE with reason": &Goodbye{SSRCs: []uint32{1}, Reason: "hung up"},
}

func TestRTCPRoundTrip(t *testing.T) {
	for name, p := range controlPackets {
		b := p.AppendTo(nil)
		got, err := ParseRTCP(b)
		if d := cmp.Diff([]ControlPacket{p}, got); err != nil || d != "" {
			t.Errorf("%s: %v %s", name, err, d)
		}
		for i := range b {
			if got, err := ParseRTCP(b[:i]); err == nil {
				t.Errorf("%s: cut at %d gave %v", name, i, got)
			}
		}
		if len(b)%4 != 0 || !IsRTCP(b) {
			t.Errorf("%s: %x", name, b)
		}
	}
}

func TestRTCPCompound(t *testing.T) {
	b := controlPackets["SR"].AppendTo(nil)
	b = append(b, unhex(t, "8fcd 0002 00000001 00000002")...) // another feedback: left out
	b = controlPackets["CNAME 3"].AppendTo(b)
	b = append(b, unhex(t, "a1cb 0002 00000009 00000004")...) // BYE with padding
	want := []ControlPacket{controlPackets["SR"], controlPackets["CNAME 3"], &Goodbye{SSRCs: []uint32{9}}}
	got, err := ParseRTCP(b)
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%v %s", err, d)
	}
}

var badRTCP = map[string]struct {
	in   string
	want error
}{
	"empty":              {"", errRTCPEmpty},
	"cut head":           {"80c8 00", errRTCPLength},
	"version":            {"40c8 0000", errVersion},
	"longer than it is":  {"80c8 0006 00000001", errRTCPLength},
	"SR without body":    {"80c8 0000", errRTCPBody},
	"RR counts too many": {"9fc9 0001 00000001", errRTCPBody},
	"SDES cut":           {"81ca 0001 0000 0001", errRTCPBody},
	"SDES item too long": {"81ca 0002 00000001 01ff6162", errRTCPBody},
	"SDES without end":   {"81ca 0002 00000001 01026162", errRTCPBody},
	"SDES no chunk":      {"82ca 0002 00000001 00000000", errRTCPBody},
	"BYE counts too few": {"82cb 0001 00000001", errRTCPBody},
	"BYE reason cut":     {"80cb 0001 04616263", errRTCPBody},
	"padding of zero":    {"a0cb 0001 00000000", errRTCPPadding},
	"padding too long":   {"a0cb 0001 00000005", errRTCPPadding},
	"padding of nothing": {"a0cb 0000", errRTCPPadding},
	"rubbish behind":     {"80cb 0000 0000", errRTCPLength},
}

func TestRTCPRefuses(t *testing.T) {
	for name, tt := range badRTCP {
		if got, err := ParseRTCP(unhex(t, tt.in)); err != tt.want {
			t.Errorf("%s: %v, %v, want %v", name, got, err, tt.want)
		}
	}
}

func TestRTCPLimits(t *testing.T) {
	for _, p := range []ControlPacket{
		&SenderReport{Reports: make([]ReceptionReport, 40)},
		&ReceiverReport{Reports: make([]ReceptionReport, 40)},
		&SourceDescription{Sources: make([]Source, 40)},
		&SourceDescription{Sources: []Source{{CNAME: strings.Repeat("x", 300)}}},
		&Goodbye{SSRCs: make([]uint32, 40), Reason: strings.Repeat("x", 300)},
	} {
		if _, err := ParseRTCP(p.AppendTo(nil)); err != nil {
			t.Errorf("%T: %v", p, err)
		}
	}
}

func FuzzRTCP(f *testing.F) {
	for _, p := range controlPackets {
		f.Add(p.AppendTo(nil))
	}
	for _, tt := range badRTCP {
		f.Add(unhex(f, tt.in))
	}
	for _, c := range feedback {
		f.Add(unhex(f, c.wire))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for rest := b; len(rest) > 0; {
			raw, next, err := SplitRTCP(rest)
			if err != nil {
				break
			}
			raw.SenderTime()
			raw.Report(raw.Count - 1)
			rest = next
		}
		first, err := ParseRTCP(b)
		if err != nil || len(first) == 0 {
			return
		}
		var again []byte
		for _, p := range first {
			again = p.AppendTo(again)
		}
		second, err := ParseRTCP(again)
		if d := cmp.Diff(first, second); err != nil || d != "" {
			t.Fatalf("%v %s", err, d)
		}
	})
}

func TestNTP(t *testing.T) {
	for in, want := range map[time.Time]uint64{
		time.Unix(0, 0): 2208988800 << 32,
		time.Date(2036, 2, 7, 6, 28, 15, 500_000_000, time.UTC): 0xffffffff<<32 | 1<<31,
		time.Date(2036, 2, 7, 6, 28, 16, 0, time.UTC):           0,
	} {
		if got := NTP(in); got != want {
			t.Errorf("%v: %x, want %x", in, got, want)
		}
	}
}

func TestSender(t *testing.T) {
	s := NewSender(rand.NewPCG(1, 2))
	if other := NewSender(rand.NewPCG(3, 4)); other.ssrc == s.ssrc || other.sequence == s.sequence || other.timestamp == s.timestamp {
		t.Error("two senders begin alike")
	}
	s.sequence = 0xffff
	start := s.Timestamp()
	var sequence []uint16
	for range 3 {
		p, err := Parse(s.Append(nil, Packet{Header: Header{PayloadType: 8, Timestamp: s.Timestamp()}, Payload: make([]byte, 160)}))
		if err != nil || p.SSRC != s.SSRC() || p.PayloadType != 8 || len(p.Payload) != 160 {
			t.Fatalf("%v %+v", err, p.Header)
		}
		sequence = append(sequence, p.Sequence)
		s.Advance(160)
	}
	if d := cmp.Diff([]uint16{0xffff, 0, 1}, sequence); d != "" {
		t.Error(d)
	}
	want := &SenderReport{SSRC: s.SSRC(), NTP: NTP(t0), Timestamp: start + 480, Packets: 3, Octets: 480}
	if d := cmp.Diff(want, s.Report(t0)); d != "" {
		t.Error(d)
	}
}
