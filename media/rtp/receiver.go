package rtp

// Statistics of a received stream: loss and jitter. RFC 3550 §6.4.1, RFC 3550 §A.3, RFC 3550 §A.8.

import "time"

// A Receiver keeps the statistics of one stream. Set Clock before the first packet. One goroutine at a time.
type Receiver struct {
	// Clock is the rate of the timestamps in Hz.
	Clock uint32

	ssrc     uint32
	sequence Extender
	first    uint32      // extended sequence number
	highest  uint32      // extended sequence number
	received uint32      // of this source
	sources  uint32      // this one included
	before   *Statistics // of those before this one; nil: there were none

	epoch     time.Time
	transit   int64
	timestamp uint32
	jitter    uint64 // in 1/16 ticks
	maxJitter uint64

	reportedExpected, reportedReceived uint32

	senderReport   uint32 // middle of the NTP time of the last SR
	senderReportAt time.Time
	octets         uint64
}

// Statistics are totals since the first packet, over all changes of source.
type Statistics struct {
	Packets    uint64 // received, duplicates included
	Octets     uint64 // of payload
	Lost       uint64 // numbers that never came
	Sources    int    // how often source or numbering began anew, 1 for an orderly stream
	Jitter     time.Duration
	MaxJitter  time.Duration
	LastSource uint32 // SSRC
}

// Receive takes note of a packet. It reports false if the packet belongs to no believable numbering and should not be
// used: RFC 3550 §A.1. A change of SSRC starts anew.
func (r *Receiver) Receive(p *Packet, arrival time.Time) bool {
	if r.sequence.started && p.SSRC != r.ssrc {
		r.sequence = Extender{}
	}
	extended, verdict := r.sequence.Extend(p.Sequence)
	switch verdict {
	case Wild:
		return false
	case Newest:
		r.highest = extended
	case Restarted:
		r.restart(p, extended, arrival)
	}
	r.received++
	r.octets += uint64(len(p.Payload))
	r.measureJitter(p.Timestamp, arrival)
	return true
}

func (r *Receiver) restart(p *Packet, extended uint32, arrival time.Time) {
	if r.sources > 0 {
		before := r.Statistics()
		r.before = &before
	}
	r.sources++
	r.ssrc, r.first, r.highest = p.SSRC, extended, extended
	r.received, r.reportedExpected, r.reportedReceived = 0, 0, 0
	r.senderReport, r.senderReportAt = 0, time.Time{}
	r.epoch, r.jitter = arrival, 0
	r.timestamp, r.transit = p.Timestamp, -int64(p.Timestamp)
}

// Started tells whether a packet has come.
func (r *Receiver) Started() bool { return r.sequence.started }

// newTimeline is how many seconds timestamps must jump to be taken for a new timeline of the sender (after hold, say)
// rather than for jitter.
const newTimeline = 5

// measureJitter follows RFC 3550 §A.8. Packets that share a timestamp (a video frame, the updates of a telephone event)
// are not sent at the instant it names, so only the first of them counts.
func (r *Receiver) measureJitter(timestamp uint32, arrival time.Time) {
	if timestamp == r.timestamp {
		return
	}
	transit := r.ticks(arrival.Sub(r.epoch)) - int64(timestamp)
	d := int32(transit - r.transit) // modulo the circle of timestamps
	r.timestamp, r.transit = timestamp, transit
	distance := uint64(max(int64(d), -int64(d)))
	if distance > newTimeline*uint64(r.Clock) {
		return
	}
	r.jitter += distance - (r.jitter+8)>>4
	r.maxJitter = max(r.maxJitter, r.jitter)
}

// Timestamp returns what the source would stamp on a packet that arrived now, if its clock runs on; false before its first packet.
func (r *Receiver) Timestamp(now time.Time) (uint32, bool) {
	return uint32(r.ticks(now.Sub(r.epoch)) - r.transit), r.sequence.started
}

// ticks converts without overflow for as long as a Duration lasts.
func (r *Receiver) ticks(d time.Duration) int64 {
	clock := int64(r.Clock)
	return int64(d/time.Second)*clock + int64(d%time.Second)*clock/int64(time.Second)
}

func (r *Receiver) duration(sixteenths uint64) time.Duration {
	if r.Clock == 0 {
		return 0
	}
	return time.Duration(float64(sixteenths) / 16 / float64(r.Clock) * float64(time.Second))
}

func (r *Receiver) expected() uint32 {
	if r.sources == 0 {
		return 0
	}
	return r.highest - r.first + 1
}

func (r *Receiver) lost() int64 { return int64(r.expected()) - int64(r.received) }

// Statistics returns the totals.
func (r *Receiver) Statistics() Statistics {
	var s Statistics
	if r.before != nil {
		s = *r.before
	}
	s.Sources = int(r.sources)
	s.Packets += uint64(r.received)
	s.Octets = r.octets
	s.Lost += uint64(max(r.lost(), 0))
	s.Jitter, s.MaxJitter = r.duration(r.jitter), r.duration(r.maxJitter)
	s.LastSource = r.ssrc
	return s
}

// ReceiveSenderReport takes note of a sender report, so that our next report lets the sender measure the round trip.
// Reports of other sources are ignored.
func (r *Receiver) ReceiveSenderReport(sr *SenderReport, arrival time.Time) {
	if sr.SSRC == r.ssrc && r.sequence.started {
		r.senderReport, r.senderReportAt = uint32(sr.NTP>>16), arrival
	}
}

// Report returns the report of the stream and begins the interval of the next one. It reports false before the first
// packet. RFC 3550 §6.4.1.
func (r *Receiver) Report(now time.Time) (ReceptionReport, bool) {
	if !r.sequence.started {
		return ReceptionReport{}, false
	}
	expected := r.expected() - r.reportedExpected
	lost := int64(expected) - int64(r.received-r.reportedReceived)
	r.reportedExpected, r.reportedReceived = r.expected(), r.received
	report := ReceptionReport{
		SSRC:         r.ssrc,
		Lost:         int32(min(max(r.lost(), -1<<23), 1<<23-1)),
		LastSequence: r.highest,
		Jitter:       uint32(r.jitter >> 4),
		LastReport:   r.senderReport,
	}
	if lost > 0 {
		report.FractionLost = uint8(min(lost<<8/int64(expected), 255))
	}
	if !r.senderReportAt.IsZero() {
		report.Delay = shortNTP(now.Sub(r.senderReportAt))
	}
	return report, true
}
