package session

// Pictures that are sent again, as a stream of their own: what was sealed once is not sealed again. RFC 4588; RFC 5576 §4.2; RFC 8852 §4.2.

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/media/sdp"
)

const (
	repairName = "rtx"
	repairURI  = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id" // RFC 8852 §4.2
)

// repairs are what both sides have said of packets that are sent again.
type repairs struct {
	sends map[uint8]uint8   // payload types at the peer: of what is repaired, and of its repairs
	takes map[uint8]uint8   // ours: of repairs, and of what they repair
	of    map[uint32]uint32 // SSRCs of the peer: of repairs, and of what they repair
	tag   uint8             // identifier of the name of the repaired layer in header extensions, 0: none
}

// repairing is the state of a picture, guarded by its mutex.
type repairing struct {
	ssrc     uint32
	sequence uint16
	buffer   []byte
}

// repairsOf returns the payload types of a description: that of the repairs of each.
func repairsOf(m *sdp.Media) map[uint8]uint8 {
	all := map[uint8]uint8{}
	codecs := m.Codecs()
	for _, c := range codecs {
		if !isRepair(c) {
			continue
		}
		for parameter := range strings.SplitSeq(c.FMTP, ";") {
			v, ok := strings.CutPrefix(strings.TrimSpace(parameter), "apt=")
			apt, err := strconv.ParseUint(v, 10, 7)
			known := slices.ContainsFunc(codecs, func(o sdp.Codec) bool { return o.PayloadType == uint8(apt) && !isRepair(o) && o.Clock == c.Clock })
			if ok && err == nil && known {
				all[uint8(apt)] = c.PayloadType
			}
		}
	}
	return all
}

func isRepair(c sdp.Codec) bool { return strings.EqualFold(c.Name, repairName) }

// offerRepairs puts a payload type of repairs for each other one into m, an offer of ours; taken tells which are not free. RFC 4588 §8.6.
func (p *Picture) offerRepairs(m *sdp.Media, taken *[128]bool) {
	for _, c := range m.Codecs() {
		free := p.repaired[c.PayloadType]
		for pt := uint8(127); free == 0 && pt >= 96; pt-- {
			if !taken[pt] {
				free = pt
			}
		}
		if free == 0 {
			return
		}
		taken[free] = true
		p.repaired[c.PayloadType] = free
		p.addRepair(m, c, free)
	}
	p.nameRepairs(m)
}

// addRepair puts a payload type of the repairs of c into m, a description of ours, and how long what is repaired is kept. RFC 4588 §8.1.
func (p *Picture) addRepair(m *sdp.Media, c sdp.Codec, payload uint8) {
	parameters := "apt=" + strconv.Itoa(int(c.PayloadType))
	if keeps := p.endpoint.voice.Keeps; keeps > 0 {
		parameters += ";rtx-time=" + strconv.FormatInt(keeps.Milliseconds(), 10)
	}
	m.AddCodec(sdp.Codec{PayloadType: payload, Name: repairName, Clock: c.Clock, Channels: 1, FMTP: parameters})
}

// answerRepairs accepts those that theirs offers for what m takes.
func (p *Picture) answerRepairs(theirs, m *sdp.Media) {
	offered := repairsOf(theirs)
	for _, c := range m.Codecs() {
		if payload, ok := offered[c.PayloadType]; ok && asksAgain(theirs) {
			p.addRepair(m, c, payload)
		}
	}
	if id := identifierOf(theirs, repairURI); id != 0 && len(m.TakenLayers()) > 0 {
		extend(m, id, repairURI)
	}
	p.nameRepairs(m)
}

// asksAgain tells whether a side says by RTCP what it has not got.
func asksAgain(m *sdp.Media) bool {
	for fb := range m.Feedbacks() {
		if fb.Type == "nack" && fb.Detail == "" {
			return true
		}
	}
	return false
}

// nameRepairs says which stream of ours repairs which, if any does.
func (p *Picture) nameRepairs(m *sdp.Media) {
	m.Lines.RemoveAttribute("ssrc-group", "ssrc")
	if _, silent := m.Lines.Attribute(sdp.RecvOnly.String()); silent || len(repairsOf(m)) == 0 {
		return
	}
	ours, again := strconv.FormatUint(uint64(p.reports.ssrc), 10), strconv.FormatUint(uint64(p.repairing.ssrc), 10)
	m.Lines.AddAttribute("ssrc-group", "FID "+ours+" "+again)
	for _, ssrc := range []string{ours, again} {
		m.Lines.AddAttribute("ssrc", ssrc+" cname:"+p.endpoint.voice.Name)
	}
}

// agreeRepairs is what both descriptions come to.
func agreeRepairs(theirs, ours *sdp.Media) (r repairs) {
	if !asksAgain(theirs) || !asksAgain(ours) {
		return r
	}
	r.sends, r.takes, r.of = repairsOf(theirs), map[uint8]uint8{}, map[uint32]uint32{}
	for repaired, payload := range repairsOf(ours) {
		r.takes[payload] = repaired
	}
	if len(r.sends) == 0 || len(r.takes) == 0 {
		return repairs{}
	}
	r.tag = agreedIdentifier(theirs, ours, repairURI)
	for v := range theirs.Lines.Attributes("ssrc-group") {
		f := strings.Fields(v)
		if len(f) != 3 || f[0] != "FID" || len(r.of) == maxSources {
			continue
		}
		repaired, err := strconv.ParseUint(f[1], 10, 32)
		again, err2 := strconv.ParseUint(f[2], 10, 32)
		if err == nil && err2 == nil {
			r.of[uint32(again)] = uint32(repaired)
		}
	}
	return r
}

// Resend is [Picture.Send] for a packet that was sent before: as a repair, if the peer takes those. A peer that does not, and gets SRTP, is sent nothing: no packet is sealed twice.
func (p *Picture) Resend(b []byte) {
	if len(b) < rtp.HeaderSize {
		return
	}
	p.mu.Lock()
	payload, ok := p.agreed.repairs.sends[b[1]&0x7f]
	if !ok {
		p.mu.Unlock()
		p.Send(b)
		return
	}
	if !p.agreed.on || !p.agreed.direction.Sends() {
		p.mu.Unlock()
		return
	}
	r := &p.repairing
	how := rtp.Repair{SSRC: r.ssrc, PayloadType: payload, Sequence: r.sequence}
	r.sequence++
	r.buffer = how.AppendTo(r.buffer[:0], b)
	p.reports.repair.note(len(r.buffer), binary.BigEndian.Uint32(r.buffer[4:]), time.Now())
	p.stream.Send(r.buffer)
	p.mu.Unlock()
}

// restoreLocked makes of a repair the packet that it repeats, and returns that as bytes of its own, and its source; nil: it repeats none, or none that is known. What is repaired remains lost in the reports on that source: the repair
// counts in those on the stream of repairs. RFC 4588 §6.2, RFC 3550 §A.3.
func (p *Picture) restoreLocked(packet *rtp.Packet, payload uint8, now time.Time) (*heardSource, []byte) {
	if !p.reports.repaired(packet, now) {
		return nil, nil
	}
	of := p.repairedLocked(packet)
	if of == nil || !packet.Repaired(of.ssrc, payload) {
		return nil, nil
	}
	packet.CSRC = nil
	return of, packet.AppendTo(nil)
}

// repairedLocked returns the stream that a repair is of: by the name that it bears, by what the description says, or because there is but one; nil: none that was heard.
func (p *Picture) repairedLocked(packet *rtp.Packet) *heardSource {
	r, a := &p.reports, &p.agreed.repairs
	if rid, ok := packet.ExtensionElement(a.tag); ok && a.tag != 0 {
		for i := range r.sources {
			if s := &r.sources[i]; !s.repairs && s.rid == string(rid) && (len(a.of) < maxSources || a.of[packet.SSRC] != 0) {
				a.of[packet.SSRC] = s.ssrc
			}
		}
	}
	ssrc, named := a.of[packet.SSRC]
	fits := func(s heardSource) bool { return !s.repairs && (!named || s.ssrc == ssrc) }
	at := slices.IndexFunc(r.sources, fits)
	if at < 0 || !named && slices.ContainsFunc(r.sources[at+1:], fits) {
		return nil
	}
	return &r.sources[at]
}
