package relay

// What is counted of a stream: plain data. RFC 3550 §6.4.1, RFC 3611 §4.7.

import "time"

// traffic is what a stream counts by itself.
type traffic struct{ PacketsIn, BytesIn, PacketsOut, BytesOut, Refused uint64 }

func (t traffic) counters() Counters {
	return Counters{PacketsIn: t.PacketsIn, BytesIn: t.BytesIn, PacketsOut: t.PacketsOut, BytesOut: t.BytesOut, Refused: t.Refused}
}

// Counters are the counts of one stream, seen from us.
type Counters struct {
	PacketsIn, BytesIn   uint64 // heard from the peer, RTP and RTCP, IP payload
	PacketsOut, BytesOut uint64 // sent to the peer
	Refused              uint64 // from sources that are not listened to, or no RTP where only RTP belongs
	Packets              uint64 // RTP packets heard from the peer
	Lost                 uint64 // RTP packets missing in what the peer sent
	Jitter               time.Duration
	RoundTrip            time.Duration // to the peer and back, by RTCP that passes; 0: not known
	PeerLost             int64         // RTP packets missing in what we sent, as the peer says; negative if it got some twice
	PeerJitter           time.Duration // of what we sent, as the peer says
	MOS                  float64       // how what we hear sounds, 1 to 4.5, as estimated by media/rtp from Lost, RoundTrip and Jitter; 0: nothing was heard
	Reported             bool          // RTCP was heard from the peer
	LastIn               time.Duration // how long ago the last packet was heard; negative if none was
}
