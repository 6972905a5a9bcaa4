package session

// RTCP of a picture. It goes along with packets: where none come and none are sent there is nothing to report, and nothing waits for it. RFC 3550 §6.2, RFC 4585 §3.4.

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
)

const (
	// promptInterval is that between reports to a peer with a profile for feedback: browsers send more only as they hear that all arrives.
	promptInterval = time.Second
	// maxSources is how many streams of a line are reported on: three layers, what repairs each of them, and some that have changed their SSRC.
	maxSources = 16
)

// pictureReports is the state of RTCP of a picture, guarded by its mutex.
type pictureReports struct {
	ssrc    uint32 // ours
	random  *rand.Rand
	next    time.Time
	limit   uint64 // bits a second that we can take; 0: nothing is said
	sources []heardSource
	oldest  int    // of sources, the next to be replaced
	last    uint32 // SSRC heard last

	own    sending // of ours
	repair sending // of what is sent again, a stream of its own: RFC 4588 §4
}

// sending is what a sender's report says of one stream.
type sending struct {
	packets, octets uint32
	reported        uint32 // of packets
	timestamp       uint32 // of the last
	at              time.Time
}

// note takes note of a packet.
func (s *sending) note(size int, timestamp uint32, now time.Time) {
	s.packets++
	s.octets += uint32(size - rtp.HeaderSize)
	s.timestamp, s.at = timestamp, now
}

// report returns what is to be said of the stream; false if nothing was sent since the last time.
func (s *sending) report(ssrc uint32, now time.Time) (rtp.SenderReport, bool) {
	if s.packets == s.reported {
		return rtp.SenderReport{}, false
	}
	s.reported = s.packets
	at := s.timestamp + uint32(now.Sub(s.at)*pictureClock/time.Second)
	return rtp.SenderReport{SSRC: ssrc, NTP: rtp.NTP(now), Timestamp: at, Packets: s.packets, Octets: s.octets}, true
}

// heardSource is one stream of the peer.
type heardSource struct {
	ssrc     uint32
	rid      string // its layer, once it has said so
	receiver *rtp.Receiver
	repairs  bool // it repeats what others have lost
}

// layered takes note of the layer that a packet is of, and reports whether that is known where it must be: browsers say it until they are told that something arrived. RFC 8852 §4.1.
func (s *heardSource) layered(p *rtp.Packet, a *pictured) bool {
	if len(a.layers) == 0 {
		s.rid = ""
		return true
	}
	if rid, ok := p.ExtensionElement(a.layerTag); ok {
		i := slices.IndexFunc(a.layers, func(known string) bool { return known == string(rid) })
		if i < 0 {
			return false
		}
		s.rid = a.layers[i]
	}
	return s.rid != ""
}

// receive takes note of a packet of the peer and returns its source; nil if it belongs to no believable numbering.
func (r *pictureReports) receive(p *rtp.Packet, now time.Time) *heardSource {
	at := slices.IndexFunc(r.sources, func(s heardSource) bool { return s.ssrc == p.SSRC })
	if at < 0 {
		at = r.learn(p.SSRC)
	}
	if s := &r.sources[at]; s.repairs || !s.receiver.Receive(p, now) {
		return nil
	}
	r.last = p.SSRC
	return &r.sources[at]
}

// repaired takes note of a repair, and reports whether it belongs to a believable stream of those.
func (r *pictureReports) repaired(p *rtp.Packet, now time.Time) bool {
	at := slices.IndexFunc(r.sources, func(s heardSource) bool { return s.ssrc == p.SSRC })
	if at < 0 {
		at = r.learn(p.SSRC)
		r.sources[at].repairs = true
	}
	return r.sources[at].repairs && r.sources[at].receiver.Receive(p, now)
}

// learn makes room for a source and returns where that is.
func (r *pictureReports) learn(ssrc uint32) (at int) {
	s := heardSource{ssrc: ssrc, receiver: &rtp.Receiver{Clock: pictureClock}}
	if len(r.sources) < maxSources {
		r.sources = append(r.sources, s)
		return len(r.sources) - 1
	}
	at, r.oldest = r.oldest, (r.oldest+1)%maxSources
	r.sources[at] = s
	return at
}

// dueLocked returns the report that is due, nil if none is. RFC 3550 §6.3.1: at random intervals of 0.5 to 1.5 times the usual.
func (p *Picture) dueLocked(now time.Time) []byte {
	r, interval := &p.reports, reportInterval
	if p.agreed.prompt {
		interval = promptInterval
	}
	first := r.next.IsZero()
	if !first && now.Before(r.next) {
		return nil
	}
	r.next = now.Add(time.Duration((0.5 + r.random.Float64()) * float64(interval)))
	if first {
		return nil
	}
	b := r.statement(now, p.repairing.ssrc, p.endpoint.voice.Name)
	if r.limit > 0 && p.agreed.estimates && len(r.sources) > 0 {
		e := rtp.Estimate{SSRC: r.ssrc, Bitrate: r.limit}
		for _, s := range r.sources {
			e.SSRCs = append(e.SSRCs, s.ssrc)
		}
		b = e.AppendTo(b)
	}
	return b
}

// statement is what each compound packet begins with: reports, one for each stream that we have sent, then who we are. RFC 3550 §6.1; again is the SSRC of what is sent again, which has the same name.
func (r *pictureReports) statement(now time.Time, again uint32, name string) []byte {
	var received []rtp.ReceptionReport
	for _, s := range r.sources {
		if report, ok := s.receiver.Report(now); ok {
			received = append(received, report)
		}
	}
	var b []byte
	who := rtp.SourceDescription{Sources: []rtp.Source{{SSRC: r.ssrc, CNAME: name}}}
	if own, ok := r.own.report(r.ssrc, now); ok {
		own.Reports = received
		b = own.AppendTo(nil)
	} else {
		b = (&rtp.ReceiverReport{SSRC: r.ssrc, Reports: received}).AppendTo(nil)
	}
	if repair, ok := r.repair.report(again, now); ok {
		b = repair.AppendTo(b)
		who.Sources = append(who.Sources, rtp.Source{SSRC: again, CNAME: name})
	}
	return who.AppendTo(b)
}

// goodbyeLocked is the last packet, of what is sent and of what is sent again; nil if nothing was. RFC 3550 §6.6, RFC 4588 §6.1.
func (p *Picture) goodbyeLocked() []byte {
	r := &p.reports
	if p.stream == nil || r.own.packets+r.repair.packets == 0 {
		return nil
	}
	gone := &rtp.Goodbye{SSRCs: []uint32{r.ssrc}}
	if r.repair.packets > 0 {
		gone.SSRCs = append(gone.SSRCs, p.repairing.ssrc)
	}
	return gone.AppendTo(r.statement(time.Now(), p.repairing.ssrc, p.endpoint.voice.Name))
}

// takeReport takes RTCP of the peer.
func (p *Picture) takeReport(b []byte, now time.Time) {
	packets, err := rtp.ParseRTCP(b)
	if err != nil {
		return
	}
	for _, c := range packets {
		switch c := c.(type) {
		case *rtp.SenderReport:
			p.hearSender(c, now)
			p.tell(c)
		case *rtp.SourceDescription, *rtp.Goodbye:
		default:
			p.tell(c)
		}
	}
}

// hearSender takes note of when a report was sent, for the round trip that the peer computes.
func (p *Picture) hearSender(report *rtp.SenderReport, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.reports.sources {
		if s.ssrc == report.SSRC {
			s.receiver.ReceiveSenderReport(report, now)
		}
	}
}

// tell gives what the peer wants to who listens.
func (p *Picture) tell(c rtp.ControlPacket) {
	p.mu.Lock()
	f := p.feedback
	p.mu.Unlock()
	if f != nil {
		f(c)
	}
}

// Ask sends RTCP of the caller's making to the peer: a [rtp.Nack], say.
func (p *Picture) Ask(c rtp.ControlPacket) {
	p.mu.Lock()
	stream, on := p.stream, p.agreed.on
	if !on {
		p.mu.Unlock()
		return
	}
	// RFC 3550 §6.1: a report first. An empty one leaves the intervals of the others as they are.
	b := (&rtp.ReceiverReport{SSRC: p.reports.ssrc}).AppendTo(nil)
	b = (&rtp.SourceDescription{Sources: []rtp.Source{{SSRC: p.reports.ssrc, CNAME: p.endpoint.voice.Name}}}).AppendTo(b)
	p.mu.Unlock()
	stream.SendControl(c.AppendTo(b))
}

// Limit says how many bits a second of this line we can take; a peer that has agreed to listen to estimates (REMB) is told with each report from now on. 0: nothing is said.
func (p *Picture) Limit(bitrate uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reports.limit = bitrate
}
