package session

// One side of a back-to-back call. RFC 3264 §6, §8; RFC 6337 §2.

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/sipwerk/sipwerk/media/carriage"
	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/sdp"
)

const (
	// maxStreams is how many transports of a leg may be open; further m= lines are rejected, for each costs two ports.
	maxStreams = 8
	// maxLines is how many lines of a leg may be up, on whatever transport.
	maxLines = 32
)

// A Leg is the media of one side of a call. Use it from one goroutine at a time.
type Leg struct {
	site   *Site
	peer   Peer
	origin sdp.Originator
	lines  []line
	groups [][]string // BUNDLE of the peer's last description
	ear    *Ear       // that hears what the peer says, beside the far side; nil: none

	informs bool // the peer sends digits by INFO

	// Failed is told when the keys or the way of a stream will not come: a forged certificate, a peer that cannot be reached. It is called from any goroutine and
	// must not block, nor call the leg. It may be nil; it is set before first use.
	Failed func(error)
	// Inform is given the digits that the peer is to get by INFO. The same holds for it as for Failed.
	Inform func(digit byte)
	// PictureWanted is told when the peer asks by RTCP for a whole picture and the far side cannot be asked so. The same holds for it as for Failed.
	PictureWanted func()
}

// line is one m= line of a leg.
type line struct {
	leg        *Leg
	stream     *relay.Stream       // nil: rejected, or not presented yet; on the transport of way
	settled    bool                // stream carries packets
	reject     bool                // to be closed when settled
	news       *said               // what the description learned last says
	told       *said               // the same, in force; never changed while it is news too
	learned    bool                // news is to be taken when settled
	waiting    *waiting            // who hears music from us instead of the far side
	conversion *conversion         // what the far side hears instead of what the peer sends
	toPeer     *course             // by which the peer is told of digits; nil: they pass
	fromPeer   *course             // by which the far side is told of those of the peer
	named      []sdp.Codec         // telephone events of our offer
	way        *carriage.Transport // of this line, or of several that the peer bundles
	joins      *carriage.Transport // that takes the place of way when settled
	numbers    *numbering          // of what the peer hears
	tagging    tagging
	proto      string // of the peer's m= line, if there was one
	mid        string // the same
	demands    uint8  // for a whole picture, by us
	watched    bool   // for demands of the peer
}

// said is what a peer says of one stream.
type said struct {
	relay.Peer
	direction sdp.Direction
	codecs    []sdp.Codec
	sound     bool // an audio stream
	other     bool // neither sound nor pictures, or no RTP
	refreshes refreshes
	spoken    string // name of the codec that both sides have named; empty: none
	times     packetTimes
	tag       uint8 // identifier of the MID in header extensions, 0: none
}

// learning is what was learned last, to be changed; saying is what is in force.
func (n *line) learning() *said {
	if n.news == n.told {
		copied := *n.told
		n.news = &copied
	}
	return n.news
}

func (n *line) saying() *said {
	if n.news == n.told {
		copied := *n.news
		n.told = &copied
	}
	return n.told
}

// NewLeg returns a leg without streams. sessionID is for the o= line and should be random.
func (s *Site) NewLeg(p Peer, sessionID uint64) *Leg {
	return &Leg{site: s, peer: p, origin: sdp.Originator{SessionID: sessionID >> 1}}
}

// Offered takes an offer of the leg's peer, to be answered by [Leg.Answer]. It takes effect with [Settle]. Streams whose protection we have not are rejected in d;
// if none is left the error is [sdp.ErrNothingCommon].
func (l *Leg) Offered(d *sdp.Description) error {
	refused, usable := false, false
	l.learn(d, l.board(d), func(n *line, w carriage.Wire) error {
		if !n.way.Hear(w) {
			return carriage.ErrKeys
		}
		return nil
	}, func(n *line, err error) { n.reject, refused = true, true })
	for i := range d.Media {
		if l.lines[i].reject {
			d.Media[i].Reject()
		}
		usable = usable || !l.lines[i].reject
	}
	if refused && !usable {
		l.Abandon()
		return sdp.ErrNothingCommon
	}
	return nil
}

// Answered takes the answer of the leg's peer to what [Leg.Offer] returned. It takes effect with [Settle]. The error is one of a protection that we insist on and
// that the answer leaves out.
func (l *Leg) Answered(d *sdp.Description) (failed error) {
	l.learn(d, l.merge(d), func(n *line, w carriage.Wire) error { return n.carriage().Accept(w) }, func(n *line, err error) {
		if !n.reject && failed == nil {
			failed = err
		}
	})
	return failed
}

// learn notes what a description of the peer says; lead is which line speaks for the carriage of each. weigh gets what is said of each transport once, and refuse each line of one that it does not take.
func (l *Leg) learn(d *sdp.Description, lead []int, weigh func(*line, carriage.Wire) error, refuse func(*line, error)) {
	verdicts := make(map[*carriage.Transport]error, len(d.Media))
	for i := range d.Media {
		m, leader, n := &d.Media[i], &d.Media[lead[i]], &l.lines[i]
		_, isRTP := m.Profile()
		n.proto, n.mid = own(m.Proto), own(m.MID())
		n.news, n.learned, n.reject = l.described(d, m, leader), true, n.reject || m.Rejected() || !carried(m)
		if isRTP && !m.Rejected() {
			verdict, known := verdicts[n.carriage()]
			if !known {
				w, _ := carriage.Read(d, leader)
				verdict = weigh(n, w)
				verdicts[n.carriage()] = verdict
			}
			if verdict != nil {
				refuse(n, verdict)
			}
		}
		if n.carriage().Next().Mux {
			n.news.RTCP = n.news.RTP // RFC 5761 §5.1.1
		}
	}
}

// carried tells whether we can carry a stream at all. One that goes over DTLS and is not RTP would need ICE from end to end.
func carried(m *sdp.Media) bool { return !strings.Contains(m.Proto, "DTLS/SCTP") }

func (l *Leg) grow(n int) {
	for len(l.lines) < n {
		nothing := new(said)
		l.lines = append(l.lines, line{leg: l, way: new(carriage.Transport), news: nothing, told: nothing})
	}
}

// described is what a description says about one stream, and its leader of where that goes.
func (l *Leg) described(d *sdp.Description, m, leader *sdp.Media) *said {
	_, isRTP := m.Profile()
	p := &said{Peer: relay.Peer{Signalled: l.peer.Remote, Own: l.peer.Inside, Opaque: !isRTP}, direction: d.Direction(m), codecs: ownCodecs(m.Codecs()), sound: m.Type == "audio", other: !isRTP || m.Type != "audio" && m.Type != "video", refreshes: refreshesOf(m), times: packetTimesOf(m)}
	p.RTP = l.peer.address(d.Address(leader))
	p.RTCP = l.peer.address(d.RTCPAddress(leader))
	p.tag = identifierOf(leader, midURI)
	if len(p.codecs) > 0 {
		p.Clock = p.codecs[0].Clock
	}
	return p
}

// Offer makes d, an offer of the far side, an offer of this one: addresses of this leg, our o= line, the carriage that suits its peer, and codecs untouched, unless the peer is
// known to have none of them. d is not changed. Sockets are opened for new streams; the error wraps [relay.ErrPorts] if there are none left, and then the leg is as before.
func (l *Leg) Offer(ctx context.Context, d *sdp.Description) (*sdp.Description, error) {
	l.embark(d)
	return l.present(ctx, l.convertible(d), func(ours *sdp.Description, i int) error {
		return l.lines[i].way.Offer(ours, &ours.Media[i], l.peer.Kind.terms())
	},
		func(n *line) sdp.Profile { return n.way.Proposal(l.peer.Kind.terms()).Profile }, false)
}

// Answer is [Leg.Offer] for the answer of the far side, which becomes ours to the offer that our peer has made.
func (l *Leg) Answer(ctx context.Context, d *sdp.Description) (*sdp.Description, error) {
	return l.present(ctx, l.converted(d), func(ours *sdp.Description, i int) error { return l.lines[i].way.Answer(ours, &ours.Media[i]) }, func(n *line) sdp.Profile { return n.way.Next().Profile }, true)
}

// present makes d our own: write puts the carriage of a stream in, profile says which it will be.
func (l *Leg) present(ctx context.Context, d *sdp.Description, write func(*sdp.Description, int) error, profile func(*line) sdp.Profile, answers bool) (*sdp.Description, error) {
	l.grow(len(d.Media))
	places, rich := make([]sdp.Place, len(d.Media)), true
	open := 0
	for i := range d.Media {
		n, m := &l.lines[i], &d.Media[i]
		own := n.way.Stream == nil || n.stream == n.way.Stream
		if n.reject = n.reject || m.Rejected() || !carried(m) || own && open == maxStreams || i >= maxLines; n.reject {
			continue
		}
		if err := l.open(ctx, n, answers); err != nil {
			l.Abandon()
			return nil, err
		}
		if own {
			open++
		}
		rtp, rtcp := n.stream.Local()
		places[i] = sdp.Place{RTP: l.site.advertise(l.peer, rtp), RTCP: l.site.advertise(l.peer, rtcp)}
		far, isRTP := m.Profile()
		rich = rich && (!isRTP || far.Feedback == profile(n).Feedback)
	}
	ours := d.Clone()
	ours.Relocate(places)
	ours.Strip(rich)
	for i := range ours.Media {
		n, m := &l.lines[i], &ours.Media[i]
		if n.mid != "" {
			m.Lines.SetAttribute("mid", n.mid)
		}
		if _, isRTP := m.Profile(); !isRTP || m.Rejected() {
			m.Proto = cmp.Or(n.proto, m.Proto)
			continue
		}
		if was := ours.Direction(m); was != l.direction(n, was, m.Type == "audio", answers) {
			m.SetDirection(l.direction(n, was, m.Type == "audio", answers))
		}
		n.nameEvents(m, answers)
		if err := write(ours, i); err != nil {
			l.Abandon()
			return nil, err
		}
		n.invite(m, answers)
	}
	l.bundle(ours, answers, !rich)
	ours.Complete()
	l.origin.Stamp(ours)
	return ours, nil
}

// proposes tells whether the peer has not described anything yet.
func (l *Leg) proposes() bool {
	return !slices.ContainsFunc(l.lines, func(n line) bool { return n.proto != "" })
}

// open gives a line its stream: on the transport that it goes over, or with sockets for one.
func (l *Leg) open(ctx context.Context, n *line, answers bool) error {
	if n.stream != nil {
		return nil
	}
	n.numbers = new(numbering)
	if n.way.Stream != nil {
		n.stream = n.way.Stream.Ride()
		return nil
	}
	local, err := l.site.bind(l.peer, l.remote())
	if err != nil {
		return err
	}
	found := n.way.Next().ICE
	if !answers {
		found = n.way.Proposal(l.peer.Kind.terms()).ICE
	}
	if n.stream, err = l.site.open(ctx, local, found); err != nil {
		return err
	}
	rtp, _ := n.stream.Local()
	n.way.Attach(l.site.transport(n.stream, l.site.advertise(l.peer, rtp), l.fail))
	return nil
}

func (l *Leg) fail(err error) {
	if l.Failed != nil {
		l.Failed(err)
	}
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
func (l *Leg) settle() error {
	for i := range l.lines {
		n := &l.lines[i]
		if n.reject {
			l.end(i)
			n.reject = false
		}
		l.transfer(i)
	}
	done := make(map[*carriage.Transport]bool, len(l.lines))
	for i := range l.lines {
		n := &l.lines[i]
		if n.stream == nil {
			continue
		}
		n.settled = true
		if !n.news.Opaque && !done[n.way] {
			done[n.way] = true
			if err := n.way.Settle(n.news.Peer); err != nil {
				return err
			}
		}
		if n.learned {
			n.told = n.news
			l.aim(n)
			n.learned = false
		}
		if n.told.sound && n.way.Now().Keying != carriage.Unkeyed {
			n.stream.Number(n.numbers.number)
		} else {
			n.stream.Number(nil)
		}
	}
	l.sort()
	return nil
}

// aim directs the stream of n, and its transport, to where the peer wants them.
func (l *Leg) aim(n *line) {
	if !slices.ContainsFunc(l.lines, func(o line) bool { return o.stream == n.way.Stream }) {
		n.way.Stream.Aim(n.news.Peer) // whose line it was has none any more
	}
	n.stream.Aim(n.news.Peer)
}

// Abandon drops what was learned and presented since the leg was settled: the offer was refused.
func (l *Leg) Abandon() {
	for i := range l.lines {
		n := &l.lines[i]
		n.learned, n.reject, n.joins = false, false, nil
		n.way.Drop()
		if !n.settled {
			l.end(i)
		}
	}
}

// Moved says from where the peer's SIP messages come now; it counts from the next description on.
func (l *Leg) Moved(remote netip.Addr) { l.peer.Remote = remote }

// Close frees all ports. The leg must not be used afterwards, but for its counters.
func (l *Leg) Close() {
	l.ear.Close()
	for i := range l.lines {
		if n := &l.lines[i]; n.stream != nil {
			n.silence()
		}
	}
	for i := range l.lines {
		if n := &l.lines[i]; n.stream != nil {
			n.way.Close()
			n.way.Stream.Close()
			n.stream.Close()
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

// Codec returns the name of the codec of sound that both sides have agreed on, as SDP writes it; empty if there is none.
func (l *Leg) Codec() string {
	for i := range l.lines {
		if t := l.lines[i].told; t.sound && t.spoken != "" {
			return t.spoken
		}
	}
	return ""
}

// end gives up a line, and its transport if no other line goes over that.
func (l *Leg) end(i int) {
	n := &l.lines[i]
	stream, way := n.stream, n.way
	n.stream, n.settled, n.way, n.joins, n.tagging = nil, false, new(carriage.Transport), nil, tagging{}
	if stream == nil {
		return
	}
	n.silence()
	switch {
	case !slices.ContainsFunc(l.lines, func(o line) bool { return o.stream != nil && o.way == way }):
		way.Close()
		way.Stream.Close()
	case stream == way.Stream:
		relay.Part(stream)
		stream.Tap(nil)
		stream.Record(nil)
		stream.Number(nil)
	}
	if stream != way.Stream {
		stream.Close()
	}
}

// silence ends what plays to the peer of a line or listens to it.
func (n *line) silence() {
	n.resume()
	n.passOn()
}
