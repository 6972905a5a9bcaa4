// What is refused before it is read: an element that has to refuse most of what comes would otherwise spend its time on that. RFC 3261 §21.5.4; RFC 7339 §5.10.

package transaction

import (
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// Spare takes a packet that has waited and was not read yet, and reports whether it is done with: the request was refused as Receive would have refused it, or was the ACK to such a
// refusal. What belongs to a transaction that is under way, what is inside a dialog, what may come in, and whatever is unusual is left to Receive.
func (t *Table) Spare(p *transport.Packet) bool {
	if t.Load == nil {
		return false
	}
	if via, tag, ok := p.Ack(); ok {
		return t.absorb(p, &via, tag)
	}
	if !t.late(p) {
		return false
	}
	o := p.Outline()
	if o == nil || o.Method == sip.MethodAck || o.Method == sip.MethodCancel || o.ToTag != "" {
		return false
	}
	s := &t.stripes[sip.StripeOf(o.CallID)]
	if !s.lane.CompareAndSwap(laneFree, laneBusy) {
		return false
	}
	r := roomOf(p.Out)
	r.outline, r.spared = o, false
	s.drive(job{late: p}, p.Out)
	return r.spared
}

// absorb drops the ACK to a refusal: its tag says that there is no transaction to look for.
func (t *Table) absorb(p *transport.Packet, via *sip.Via, tag string) bool {
	branch := via.Branch()
	n, ours := t.ours(tag)
	if !ours || !unique(branch) {
		return false
	}
	r := roomOf(p.Out)
	if !t.made(&r.via, tag, forRefusal, n, t.keyOf(&r.text, branch, via, sip.MethodInvite)) {
		return false
	}
	t.stripes[n].counts.absorbed.Add(1)
	return true
}

// late reports whether p may have to be refused, as far as a glance at it tells.
func (t *Table) late(p *transport.Packet) bool {
	method, callID := p.Glance()
	switch method {
	case sip.MethodBye, sip.MethodCancel, sip.MethodPrack, sip.MethodUpdate, sip.MethodInfo: // they are inside of something
		return false
	}
	return callID == "" || t.Load.Late(p.Waited, callID)
}

// spare refuses p, whose outline the room holds, if that is to be.
func (s *stripe) spare(p *transport.Packet) bool {
	o := s.room.outline
	branch := o.Via.Branch()
	if !unique(branch) {
		return false
	}
	key := s.table.keyOf(&s.room.text, branch, &o.Via, o.Method)
	if s.index.find(key, &s.slab) != nil || !s.table.Load.Refuse(s.wall(), p.Waited, o) {
		return false
	}
	s.refuseOutlined(p, key)
	return true
}

// evenly is what the length of a refusal is a multiple of: the system takes answers to one peer as one if they are equally long.
const evenly = 32

// refuseOutlined answers 503.
func (s *stripe) refuseOutlined(p *transport.Packet, key fingerprint) {
	const last, end = "Content-Length: ", "0\r\n\r\n"
	o := s.room.outline
	via := p.Complete(o.Via)
	s.room.via = s.table.appendTag(s.room.via[:0], forRefusal, s.number, key)
	b := o.AppendReply(s.out.Tail(), sip.StatusServiceUnavailable, via, s.room.via)
	if s.table.UserAgent != "" {
		b = append(append(append(b, "Server: "...), s.table.UserAgent...), "\r\n"...)
	}
	b = append(append(append(b, "Retry-After: "...), retryAfter(key)), "\r\n"+last...)
	for (len(b)+len(end))%evenly != 0 {
		b = append(b, ' ')
	}
	b = append(b, end...)
	flow := transport.ResponseFlow(p.Flow, via)
	// Without a transaction there is nobody to tell that it could not be sent.
	_ = s.sendBytes(&flow, b, p.Size())
}
