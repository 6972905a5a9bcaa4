package rtp

// How a digit is sent as a row of packets, and heard once. RFC 4733 §2.5.

const (
	endPackets  = 3 // RFC 4733 §2.5.1.4: the last packet is sent three times
	maxDuration = 0xffff
)

// An EventSender makes the packets of one event after another. Set the fields, call Start, then Next at every packet
// time and send what it returns instead of sound. One goroutine at a time.
type EventSender struct {
	// PayloadType is the one that the peer has given to telephone-event at the clock of the stream.
	PayloadType uint8
	// Step is the packet time in ticks: 160 for 20 ms at 8000 Hz, 960 at 48000 Hz.
	Step uint32
	// Volume is the level in -dBm0, 0 to 63; 10 is usual.
	Volume uint8

	code      uint8
	timestamp uint32 // of the segment
	elapsed   uint32 // in the segment
	remaining uint32
	marker    bool
	ends      int
	payload   [4]byte
}

// Start begins an event at the given time of the stream for so many ticks, at least one step. An event that is being
// sent is forgotten.
func (s *EventSender) Start(code uint8, timestamp, ticks uint32) {
	s.code, s.timestamp, s.elapsed = code, timestamp, 0
	s.remaining, s.marker, s.ends = max(ticks, s.Step, 1), true, endPackets
}

// Active tells whether Next has something to send.
func (s *EventSender) Active() bool { return s.ends > 0 }

// Next returns the packet due now, for [Sender.Append]; its payload is valid until the next call. It reports false when
// the event has been sent, or none was started.
func (s *EventSender) Next() (Packet, bool) {
	if s.ends == 0 {
		return Packet{}, false
	}
	h := Header{PayloadType: s.PayloadType, Timestamp: s.timestamp, Marker: s.marker}
	s.marker = false
	e := s.advance()
	return Packet{Header: h, Payload: e.AppendTo(s.payload[:0])}, true
}

// advance lets one step pass and returns what to tell of it.
func (s *EventSender) advance() Event {
	e := Event{Code: s.code, Volume: s.Volume}
	step := min(max(s.Step, 1), s.remaining)
	s.elapsed += step
	s.remaining -= step
	switch {
	case s.elapsed > maxDuration:
		// RFC 4733 §2.5.1.3: the segment is reported in full, and the next one begins where it ended.
		e.Duration = maxDuration
		s.timestamp += maxDuration
		s.elapsed -= maxDuration
		return e
	case s.remaining == 0:
		e.End = true
		s.ends--
	}
	e.Duration = uint16(s.elapsed)
	return e
}

// An EventReceiver hears each event once, however many packets tell of it. The zero value is ready to use. One goroutine
// at a time.
type EventReceiver struct {
	heard     bool
	ended     bool
	code      uint8
	ssrc      uint32
	timestamp uint32
}

// Receive tells whether the packet is the first one of its event, however late: lost first packets do no harm. Repeated
// and overtaken packets are not, nor are the further segments of a long event, and packets of phones that move the
// timestamp during the event.
func (r *EventReceiver) Receive(h *Header, e Event) bool {
	if r.heard && h.SSRC == r.ssrc {
		ahead := int32(h.Timestamp - r.timestamp)
		if ahead <= 0 {
			r.ended = r.ended || ahead == 0 && e.End
			return false
		}
		if e.Code == r.code && !r.ended && !h.Marker && ahead <= maxDuration {
			r.timestamp, r.ended = h.Timestamp, e.End
			return false
		}
	}
	*r = EventReceiver{heard: true, ended: e.End, code: e.Code, ssrc: h.SSRC, timestamp: h.Timestamp}
	return true
}
