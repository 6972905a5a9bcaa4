package rtp

import (
	"math"
	"testing"
	"time"
)

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// stream feeds packets by number; each is sent at its 20 ms and arrives later by delay.
func stream(r *Receiver, delay func(i int) time.Duration, numbers ...int) {
	for _, i := range numbers {
		p := Packet{Header: Header{Sequence: uint16(i), Timestamp: uint32(i * 160), SSRC: 1}, Payload: make([]byte, 160)}
		r.Receive(&p, t0.Add(time.Duration(i)*20*time.Millisecond+delay(i)))
	}
}

func row(from, to int) []int {
	var n []int
	for i := from; i < to; i++ {
		n = append(n, i)
	}
	return n
}

func none(int) time.Duration { return 0 }

func TestReceiverLoss(t *testing.T) {
	for name, tt := range map[string]struct {
		numbers  []int
		lost     uint64
		fraction uint8
	}{
		"all":         {row(65000, 65100), 0, 0},
		"roll-over":   {row(65500, 65600), 0, 0},
		"a quarter":   {[]int{0, 1, 2, 4, 5, 6, 8, 9, 10, 12}, 3, 3 * 256 / 13},
		"duplicates":  {[]int{1, 2, 2, 2, 3}, 0, 0},
		"out of turn": {[]int{1, 3, 2, 5, 4}, 0, 0},
		"wild":        {[]int{1, 2, 9000, 3}, 0, 0},
		"nothing":     {nil, 0, 0},
	} {
		r := &Receiver{Clock: 8000}
		stream(r, none, tt.numbers...)
		if s := r.Statistics(); s.Lost != tt.lost || s.Jitter != 0 {
			t.Errorf("%s: %+v, want %d lost", name, s, tt.lost)
		}
		report, ok := r.Report(t0)
		if ok != (tt.numbers != nil) || report.FractionLost != tt.fraction {
			t.Errorf("%s: report %+v, %v", name, report, ok)
		}
	}
}

func TestReceiverIntervals(t *testing.T) {
	r := &Receiver{Clock: 8000}
	stream(r, none, row(0, 100)...)
	r.Report(t0)
	stream(r, none, row(150, 200)...)
	report, _ := r.Report(t0)
	want := ReceptionReport{SSRC: 1, FractionLost: 128, Lost: 50, LastSequence: 199}
	report.Jitter = 0
	if report != want {
		t.Errorf("got %+v, want %+v", report, want)
	}
	if report, _ = r.Report(t0); report.FractionLost != 0 || report.Lost != 50 {
		t.Errorf("empty interval: %+v", report)
	}
}

// Alternating delays of 0 and 10 ms differ by 10 ms each time, and the estimate approaches that.
func TestReceiverJitter(t *testing.T) {
	r := &Receiver{Clock: 8000}
	stream(r, func(i int) time.Duration { return time.Duration(i%2) * 10 * time.Millisecond }, row(0, 200)...)
	s := r.Statistics()
	if off := math.Abs(float64(s.Jitter - 10*time.Millisecond)); off > float64(time.Millisecond) || s.MaxJitter < s.Jitter {
		t.Errorf("jitter %v, at most %v, want 10ms", s.Jitter, s.MaxJitter)
	}
	if report, _ := r.Report(t0); report.Jitter < 72 || report.Jitter > 88 {
		t.Errorf("reported jitter %d ticks, want about 80", report.Jitter)
	}
}

// Timestamps that jump after a pause are a new timeline, and updates of one event are no jitter.
func TestReceiverNoJitter(t *testing.T) {
	r := &Receiver{Clock: 8000}
	for i, timestamp := range []uint32{0, 160, 320, 320, 320, 320, 4_000_000_000, 4_000_000_160} {
		r.Receive(&Packet{Header: Header{Sequence: uint16(i), Timestamp: timestamp}}, t0.Add(time.Duration(min(i, 2)+max(i-5, 0))*20*time.Millisecond))
	}
	if s := r.Statistics(); s.Packets != 8 || s.MaxJitter != 0 {
		t.Errorf("%+v", s)
	}
}

func TestReceiverNewSource(t *testing.T) {
	r := &Receiver{Clock: 8000}
	stream(r, none, 10, 12)
	p := Packet{Header: Header{Sequence: 60000, SSRC: 2}}
	if !r.Receive(&p, t0) {
		t.Fatal("new source refused")
	}
	s := r.Statistics()
	if s.Packets != 3 || s.Lost != 1 || s.Sources != 2 || s.LastSource != 2 || s.Octets != 320 {
		t.Errorf("%+v", s)
	}
	if report, ok := r.Report(t0); !ok || report.SSRC != 2 || report.Lost != 0 || report.LastSequence != 60000 {
		t.Errorf("%+v, %v", report, ok)
	}
}

func TestRoundTrip(t *testing.T) {
	sr := (&Sender{ssrc: 1}).Report(t0)
	r := &Receiver{Clock: 8000}
	r.ReceiveSenderReport(sr, t0)
	if report, ok := r.Report(t0); ok || report.LastReport != 0 {
		t.Fatalf("report of nothing: %+v", report)
	}
	stream(r, none, 1)
	r.ReceiveSenderReport(&SenderReport{SSRC: 9, NTP: 1 << 40}, t0)
	r.ReceiveSenderReport(sr, t0.Add(30*time.Millisecond))
	report, _ := r.Report(t0.Add(2 * time.Second))
	rtt, ok := report.RoundTrip(t0.Add(2*time.Second + 40*time.Millisecond))
	if off := math.Abs(float64(rtt - 70*time.Millisecond)); !ok || off > float64(time.Millisecond) {
		t.Errorf("round trip %v, %v, want 70ms", rtt, ok)
	}
	if _, ok = report.RoundTrip(t0); ok {
		t.Error("a report came back before it was sent")
	}
	if _, ok = new(ReceptionReport).RoundTrip(t0); ok {
		t.Error("round trip without a sender report")
	}
}

// TestReceiverTimestamp: what the source would stamp now, while it is silent too.
func TestReceiverTimestamp(t *testing.T) {
	r := Receiver{Clock: 8000}
	if _, ok := r.Timestamp(t0); ok {
		t.Error("a timestamp of nobody")
	}
	stream(&r, none, row(100, 110)...)
	for after, want := range map[time.Duration]uint32{0: 109 * 160, time.Second: 109*160 + 8000} {
		if got, ok := r.Timestamp(t0.Add(109*20*time.Millisecond + after)); !ok || got != want {
			t.Errorf("after %v: %d, want %d", after, got, want)
		}
	}
}
