package relay

// What is counted of a stream: plain data. RFC 3550 §6.4.1, §A.1, §A.3 and §A.8.

import "time"

// Counters are the counts of one stream, seen from us.
type Counters struct {
	PacketsIn, BytesIn   uint64 // heard from the peer, RTP and RTCP, IP payload
	PacketsOut, BytesOut uint64 // sent to the peer
	Refused              uint64 // from sources that are not listened to, or no RTP where only RTP belongs
	Lost                 uint64 // RTP packets missing in what the peer sent
	Jitter               time.Duration
	LastIn               time.Duration // how long ago the last packet was heard; negative if none was
}

// reception follows the RTP stream of one source.
type reception struct {
	known    bool
	ssrc     uint32
	highest  uint32 // extended sequence number
	base     uint32 // extended sequence number of the first packet
	received uint64
	earlier  uint64 // lost in sources before this one
	transit  int64  // of the last packet, in clock units
	jitter   int64  // scaled by 16
}

// add counts one RTP packet that arrived at the time given; clock is that of its timestamps in Hz.
func (r *reception) add(h header, at time.Duration, clock int) {
	if !r.known || h.ssrc != r.ssrc || r.restarted(h.seq) {
		*r = reception{known: true, ssrc: h.ssrc, highest: 1<<16 | uint32(h.seq), base: 1<<16 | uint32(h.seq), received: 1,
			earlier: r.lost(), transit: transit(h, at, clock)}
		return
	}
	r.received++
	if d := int16(h.seq - uint16(r.highest)); d > 0 {
		r.highest += uint32(d)
	}
	t := transit(h, at, clock)
	d := int64(int32(uint32(t - r.transit)))
	r.transit = t
	r.jitter += max(d, -d) - (r.jitter+8)>>4
}

// restarted tells that a sender began anew under the same SSRC.
func (r *reception) restarted(seq uint16) bool {
	d := int(int16(seq - uint16(r.highest)))
	return d > dropout || d < -dropout
}

// lost is how many packets are missing; late and doubled ones make it an estimate that is never negative.
func (r *reception) lost() uint64 {
	if !r.known {
		return 0
	}
	expected := uint64(r.highest-r.base) + 1
	return r.earlier + max(expected, r.received) - r.received
}

func (r *reception) jitterTime(clock int) time.Duration {
	return time.Duration(r.jitter>>4) * time.Second / time.Duration(clock)
}

// transit is arrival minus timestamp in clock units; only differences mean something.
func transit(h header, at time.Duration, clock int) int64 {
	units := int64(at/time.Second)*int64(clock) + int64(at%time.Second)*int64(clock)/int64(time.Second)
	return units - int64(h.timestamp)
}
