package rtp

// Statistics of packets that somebody else receives in the place of a [Receiver]. RFC 3550 §A.1, RFC 3550 §A.8.

import "time"

// Standing is where the statistics of one source stand: what is needed to go on with them.
type Standing struct {
	SSRC              uint32
	Highest           uint32 // sequence number, with roll-overs counted
	Timestamp         uint32 // of the last packet
	Epoch             time.Time
	Transit           int64  // of the last packet, in ticks, if it had been sent at Epoch with the timestamp 0
	Jitter, MaxJitter uint64 // in 1/16 ticks
	Last              time.Time
}

// Standing returns where r stands; false before its first packet. Last is not known here.
func (r *Receiver) Standing() (Standing, bool) {
	return Standing{
		SSRC: r.ssrc, Highest: r.highest, Timestamp: r.timestamp, Epoch: r.epoch, Transit: r.transit, Jitter: r.jitter, MaxJitter: r.maxJitter,
	}, r.sequence.started
}

// Advance takes note of packets that somebody else has received since r stood somewhere. What is of another source, or of another numbering, than r has now is left out.
func (r *Receiver) Advance(packets uint32, to Standing) {
	if packets == 0 || !r.sequence.started || to.SSRC != r.ssrc || !to.Epoch.Equal(r.epoch) {
		return
	}
	r.received += packets
	if int32(to.Highest-r.highest) > 0 {
		r.highest = to.Highest
		r.sequence.highest, r.sequence.restart = to.Highest, noRestart
	}
	r.timestamp, r.transit, r.jitter, r.maxJitter = to.Timestamp, to.Transit, to.Jitter, max(r.maxJitter, to.MaxJitter)
}
