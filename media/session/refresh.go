package session

// Whole pictures: who begins to look, or has lost something, asks the sender for one. By RTCP from end to end where both sides do that; between one that does and one that is asked by SIP
// each leg speaks for the other. RFC 4585 §6.3.1; RFC 5104 §4.3.1; RFC 5168.

import (
	"slices"
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// refreshes is how a peer says that it can be asked for a whole picture by RTCP.
type refreshes struct{ pli, fir bool }

func (r refreshes) any() bool { return r.pli || r.fir }

// refreshesOf reads a description. Video telephones say it under RTP/AVP too, though RFC 4585 §4.2 asks for RTP/AVPF.
func refreshesOf(m *sdp.Media) (r refreshes) {
	if m.IsRTP() && m.Type == "video" {
		r.pli, r.fir = m.Refreshes()
	}
	return r
}

// invite tells a peer with feedback that it may ask by RTCP, where the far side has said nothing of it; in an answer only what the peer has offered.
func (n *line) invite(m *sdp.Media, answers bool) {
	if m.Type != "video" || refreshesOf(m).any() {
		return
	}
	if p, ok := m.Profile(); !ok || !p.Feedback {
		return
	}
	if !answers || n.news.refreshes.pli {
		m.AddFeedback(sdp.Feedback{Payload: "*", Type: "nack", Detail: "pli"})
	}
	if !answers || n.news.refreshes.fir {
		m.AddFeedback(sdp.Feedback{Payload: "*", Type: "ccm", Detail: "fir"})
	}
}

// RefreshPicture asks the peer by RTCP for a whole picture of each video stream. It is false if the peer cannot be asked so: it knows no such RTCP, or sends no picture.
func (l *Leg) RefreshPicture() bool {
	asked := false
	for i := range l.lines {
		n := &l.lines[i]
		if n.stream == nil || !n.told.refreshes.any() {
			continue
		}
		source, ok := n.stream.Source()
		if !ok {
			continue
		}
		n.demands++
		n.stream.SendControl(n.demand(source))
		asked = true
	}
	return asked
}

// demand is a compound packet that asks for a whole picture. RFC 3550 §6.1: it begins with a report and says who sends it.
func (n *line) demand(source uint32) []byte {
	const own = 1 // nobody sends under this SSRC here: packets of the far side keep theirs
	b := (&rtp.ReceiverReport{SSRC: own}).AppendTo(nil)
	b = (&rtp.SourceDescription{Sources: []rtp.Source{{SSRC: own, CNAME: "server"}}}).AppendTo(b)
	if n.told.refreshes.pli {
		return (&rtp.PictureLoss{SSRC: own, Media: source}).AppendTo(b)
	}
	return (&rtp.FullIntra{SSRC: own, Requests: []rtp.IntraRequest{{SSRC: source, Sequence: n.demands}}}).AppendTo(b)
}

// watchPictures listens for demands of the peer of a stream that the far side would not understand.
func (l *Leg) watchPictures(i int, far *line) {
	n := &l.lines[i]
	watch := l.PictureWanted != nil && n.told.refreshes.any() && !far.told.refreshes.any()
	if watch == n.watched {
		return
	}
	n.watched = watch
	if !watch {
		n.stream.Tap(nil)
		return
	}
	n.stream.Tap(func(b []byte, _ time.Time, control bool) {
		if control && demands(b) {
			l.PictureWanted()
		}
	})
}

// demands tells whether RTCP asks for a whole picture.
func demands(b []byte) bool {
	packets, err := rtp.ParseRTCP(b)
	return err == nil && slices.ContainsFunc(packets, func(p rtp.ControlPacket) bool {
		switch p.(type) {
		case *rtp.PictureLoss, *rtp.FullIntra:
			return true
		}
		return false
	})
}
