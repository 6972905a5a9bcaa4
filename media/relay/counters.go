package relay

// What is counted of a stream: plain data. RFC 3550 §6.4.1.

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
