// What is refused before it is read: an element that has to refuse most of what comes would otherwise spend its time on that. RFC 3261 §21.5.4; RFC 7339 §5.10.

package transaction

import (
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// Spare takes a packet that has waited and was not read yet, and reports whether it is done with: the request was refused as Receive would have refused it, or was the ACK to such a
// refusal. What belongs to a transaction that is under way, what is inside a dialog, what may come in, and whatever is unusual is left to Receive.
func (t *Table) Spare(p *transport.Packet) bool {
	if t.Load == nil || !t.Load.Late(p.Waited) {
		return false
	}
	l := late{}
	var number sip.Stripe
	if via, tag, ok := p.Ack(); ok {
		node, n, ours := sip.ParseID(tag)
		if !ours || node != t.Node {
			return false
		}
		l.via, l.tag, number = via, tag, n
	} else {
		l.outline = p.Outline()
		if o := l.outline; o == nil || o.Method == sip.MethodAck || o.Method == sip.MethodCancel || o.ToTag != "" {
			return false
		}
		l.via, number = l.outline.Via, sip.StripeOf(l.outline.CallID)
	}
	s := &t.stripes[number]
	if !s.lane.CompareAndSwap(laneFree, laneBusy) {
		return false
	}
	r := roomOf(p.Out)
	r.late, r.spared = l, false
	s.drive(job{late: p}, p.Out)
	return r.spared
}

// late is what is known of a packet that was not read yet.
type late struct {
	outline *sip.Outline // nil of an ACK
	via     sip.Via      // the topmost, as it came
	tag     string       // of the To of an ACK
}

// spare does that for what the room holds of p.
func (s *stripe) spare(p *transport.Packet) bool {
	l, method := &s.room.late, sip.MethodInvite
	branch := l.via.Branch()
	if !unique(branch) {
		return false
	}
	if l.outline != nil {
		method = l.outline.Method
	}
	s.room.text = field(appendMatch(s.room.text[:0], branch, &l.via), string(method))
	key := s.table.fingerprint(s.room.text)
	switch {
	case s.index.find(key, &s.slab) != nil:
		return false
	case l.outline == nil:
		if !s.refusedWith(l.tag, key) {
			return false
		}
		s.counts.absorbed.Add(1)
		return true
	case !s.table.Load.Refuse(s.wall(), p.Waited, l.outline):
		return false
	}
	s.refuseOutlined(p, key)
	return true
}

// refuseOutlined answers 503.
func (s *stripe) refuseOutlined(p *transport.Packet, key fingerprint) {
	via := p.Complete(s.room.late.via)
	s.room.via = s.tag(s.room.via[:0], key)
	b := s.room.late.outline.AppendReply(s.out.Tail(), sip.StatusServiceUnavailable, via, s.room.via)
	if s.table.UserAgent != "" {
		b = append(append(append(b, "Server: "...), s.table.UserAgent...), "\r\n"...)
	}
	b = append(append(append(b, "Retry-After: "...), retryAfter(key)), "\r\nContent-Length: 0\r\n\r\n"...)
	flow := transport.ResponseFlow(p.Flow, via)
	// Without a transaction there is nobody to tell that it could not be sent.
	_ = s.sendBytes(&flow, b, p.Size())
}
