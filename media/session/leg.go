package session

// One side of a back-to-back call. RFC 3264 §6, §8; RFC 6337 §2.

import (
	"context"
	"net/netip"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// maxStreams is how many streams of a leg may be open; further m= lines are rejected, for each costs two ports.
const maxStreams = 8

// A Leg is the media of one side of a call. Use it from one goroutine at a time.
type Leg struct {
	site   *Site
	peer   Peer
	origin sdp.Originator
	lines  []line
}

// line is one m= line of a leg.
type line struct {
	stream  *relay.Stream // nil: rejected, or not presented yet
	settled bool          // stream carries packets
	reject  bool          // to be closed when settled
	news    relay.Peer    // what the description learned last says
	learned bool          // news is to be taken when settled
}

// NewLeg returns a leg without streams. sessionID is for the o= line and should be random.
func (s *Site) NewLeg(p Peer, sessionID uint64) *Leg {
	return &Leg{site: s, peer: p, origin: sdp.Originator{SessionID: sessionID >> 1}}
}

// Learn takes an offer or answer of the leg's peer. It takes effect with [Settle].
func (l *Leg) Learn(d *sdp.Description) {
	l.grow(len(d.Media))
	for i := range d.Media {
		m, n := &d.Media[i], &l.lines[i]
		n.news, n.learned, n.reject = l.described(d, m), true, n.reject || m.Rejected()
	}
}

func (l *Leg) grow(n int) {
	for len(l.lines) < n {
		l.lines = append(l.lines, line{})
	}
}

// described is what a description says about one stream.
func (l *Leg) described(d *sdp.Description, m *sdp.Media) relay.Peer {
	p := relay.Peer{Signalled: l.peer.Remote, Opaque: !relayable(m.Proto)}
	p.RTP = l.peer.address(d.Address(m))
	p.RTCP = l.peer.address(d.RTCPAddress(m))
	if codecs := m.Codecs(); len(codecs) > 0 {
		p.Clock = codecs[0].Clock
	}
	return p
}

// relayable tells whether packets of the transport can be told from noise by their RTP header. Those of SRTP can.
func relayable(proto string) bool {
	switch proto {
	case "RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF":
		return true
	}
	return false
}

// Present makes d, an offer or answer of the far side, the leg's own: addresses of this leg, our o= line, codecs
// untouched. d is not changed. Sockets are opened for new streams; the error wraps [relay.ErrPorts] if there are none left,
// and then the leg is as before.
func (l *Leg) Present(ctx context.Context, d *sdp.Description) (*sdp.Description, error) {
	l.grow(len(d.Media))
	places := make([]sdp.Place, len(d.Media))
	open := 0
	for i := range d.Media {
		n := &l.lines[i]
		if n.reject = n.reject || d.Media[i].Rejected() || open == maxStreams; n.reject {
			continue
		}
		if err := l.open(ctx, n); err != nil {
			l.Abandon()
			return nil, err
		}
		open++
		rtp, rtcp := n.stream.Local()
		places[i] = sdp.Place{RTP: l.site.advertise(rtp), RTCP: l.site.advertise(rtcp)}
	}
	ours := d.Clone()
	ours.Relocate(places)
	ours.Complete()
	l.origin.Stamp(ours)
	return ours, nil
}

func (l *Leg) open(ctx context.Context, n *line) error {
	if n.stream != nil {
		return nil
	}
	local, err := l.site.bind(l.peer, l.remote())
	if err != nil {
		return err
	}
	n.stream, err = l.site.Relay.Open(ctx, local)
	return err
}

// remote is an address of the family that the peer can reach: that of its description, or else of its signalling.
func (l *Leg) remote() netip.Addr {
	for i := range l.lines {
		if a := l.lines[i].news.RTP.Addr(); a.IsValid() && !a.IsUnspecified() {
			return a
		}
	}
	return l.peer.Remote
}

// settle makes what was learned and presented last the session.
func (l *Leg) settle() {
	for i := range l.lines {
		n := &l.lines[i]
		if n.reject {
			n.close()
			n.reject = false
		}
		if n.stream == nil {
			continue
		}
		n.settled = true
		if n.learned {
			n.stream.Aim(n.news)
			n.learned = false
		}
	}
}

// Abandon drops what was learned and presented since the leg was settled: the offer was refused.
func (l *Leg) Abandon() {
	for i := range l.lines {
		n := &l.lines[i]
		n.learned, n.reject = false, false
		if !n.settled {
			n.close()
		}
	}
}

// Moved says from where the peer's SIP messages come now; it counts from the next description on.
func (l *Leg) Moved(remote netip.Addr) { l.peer.Remote = remote }

// Close frees all ports. The leg must not be used afterwards, but for its counters.
func (l *Leg) Close() {
	for i := range l.lines {
		if s := l.lines[i].stream; s != nil {
			s.Close()
		}
	}
}

// Counters returns the counts of each stream; those of rejected ones are zero.
func (l *Leg) Counters() []relay.Counters {
	cs := make([]relay.Counters, len(l.lines))
	for i := range l.lines {
		if s := l.lines[i].stream; s != nil {
			cs[i] = s.Counters()
		}
	}
	return cs
}

func (n *line) close() {
	if n.stream != nil {
		n.stream.Close()
	}
	n.stream, n.settled = nil, false
}
