package session

// RTCP of an endpoint: what is told to the peer and what the peer tells. RFC 3550 §6.2 and §6.3, as far as two parties need it; RFC 7022.

import (
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
)

// reportInterval is the minimum of RFC 3550 §6.2; two parties never need more.
const reportInterval = 5 * time.Second

// reports is the state of RTCP, guarded by the mutex of the endpoint.
type reports struct {
	next      time.Time
	roundTrip time.Duration
	lost      int32 // what the peer misses of ours
	jitter    uint32
}

// report returns the RTCP that is due, appended to b; nothing if none is. RFC 3550 §6.3.1: at random intervals of 0.5 to 1.5 times the
// minimum, the first after half of that.
func (e *Endpoint) report(now time.Time, b []byte) []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := &e.reports
	switch {
	case r.next.IsZero():
		r.next = now.Add(e.interval() / 2)
		return b
	case now.Before(r.next):
		return b
	}
	r.next = now.Add(e.interval())
	return e.statementLocked(now, b)
}

// interval draws the time to the next report.
func (e *Endpoint) interval() time.Duration {
	share := float64(e.voice.Random.Uint64()>>11) / (1 << 53)
	return time.Duration((0.5 + share) * float64(reportInterval))
}

// statementLocked is a compound packet: report, then who we are (RFC 3550 §6.1).
func (e *Endpoint) statementLocked(now time.Time, b []byte) []byte {
	ssrc := e.mouth.sender.SSRC()
	var received []rtp.ReceptionReport
	if report, ok := e.ear.receiver.Report(now); ok {
		received = append(received, report)
	}
	if sent := e.mouth.sender.Report(now); sent.Packets > 0 {
		sent.Reports = received
		b = sent.AppendTo(b)
	} else {
		b = (&rtp.ReceiverReport{SSRC: ssrc, Reports: received}).AppendTo(b)
	}
	who := rtp.SourceDescription{Sources: []rtp.Source{{SSRC: ssrc, CNAME: e.voice.Name}}}
	return who.AppendTo(b)
}

// goodbye is the last packet. RFC 3550 §6.6.
func (e *Endpoint) goodbye() []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	b := e.statementLocked(time.Now(), nil)
	return (&rtp.Goodbye{SSRCs: []uint32{e.mouth.sender.SSRC()}}).AppendTo(b)
}

// hearReport takes RTCP of the peer.
func (e *Endpoint) hearReport(b []byte, now time.Time) {
	packets, err := rtp.ParseRTCP(b)
	if err != nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range packets {
		switch p := p.(type) {
		case *rtp.SenderReport:
			e.ear.receiver.ReceiveSenderReport(p, now)
			e.reportedLocked(p.Reports, now)
		case *rtp.ReceiverReport:
			e.reportedLocked(p.Reports, now)
		}
	}
}

// reportedLocked takes what the peer says of our stream.
func (e *Endpoint) reportedLocked(reports []rtp.ReceptionReport, now time.Time) {
	for _, r := range reports {
		if r.SSRC != e.mouth.sender.SSRC() {
			continue
		}
		e.reports.lost, e.reports.jitter = r.Lost, r.Jitter
		if trip, ok := r.RoundTrip(now); ok {
			e.reports.roundTrip = trip
		}
	}
}

// Statistics are the counts of an endpoint.
type Statistics struct {
	Sent       uint64               // packets, RTP and RTCP
	Received   rtp.Statistics       // what has come
	Playout    rtp.JitterStatistics // what became of it
	RoundTrip  time.Duration        // between us and the peer, by RTCP; 0 if not known
	PeerLost   int                  // packets of ours that the peer misses, by RTCP
	PeerJitter time.Duration        // of our packets at the peer, by RTCP
	Refused    uint64               // packets of third parties
}

// Statistics returns the counts so far.
func (e *Endpoint) Statistics() Statistics {
	c := e.stream.Counters()
	e.mu.Lock()
	defer e.mu.Unlock()
	s := Statistics{Sent: c.PacketsOut, Refused: c.Refused, Received: e.ear.receiver.Statistics(), Playout: e.ear.jitter.Statistics(),
		RoundTrip: e.reports.roundTrip, PeerLost: int(e.reports.lost)}
	if clock := e.agreed.format.Clock; clock > 0 {
		s.PeerJitter = time.Duration(e.reports.jitter) * time.Second / time.Duration(clock)
	}
	return s
}
