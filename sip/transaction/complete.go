// What the engine adds to a message on its way out. RFC 3261 §8.1.1, §8.2.6.2, §12.1, §18.1.1.

package transaction

import (
	"strconv"
	"strings"
	"unsafe"

	"github.com/sipwerk/sipwerk/sip"
)

// stamp is what our Via says beside our address.
type stamp struct {
	tx    sip.TransactionID
	nonce uint64
	mark  uint32
	load  string
}

// compose prints req as it goes over flow for the stripe's outbox, with a Via whose branch names a transaction. req stays as it is.
func (s *stripe) compose(req *sip.Request, flow *sip.Flow, v stamp) []byte {
	w := &s.room.work
	w.Borrow(req)
	forwarded := w.Has(sip.HeaderVia)
	s.prependVia(w, flow, v)
	if !w.Has(sip.HeaderMaxForwards) {
		w.Set(sip.HeaderMaxForwards, "70")
	}
	if s.table.UserAgent != "" && !forwarded && !w.Has(sip.HeaderUserAgent) {
		w.Set(sip.HeaderUserAgent, s.table.UserAgent)
	}
	if !forwarded && !w.Has(sip.HeaderContact) && formsDialog(w.Method) {
		w.Set(sip.HeaderContact, defaultContact(w.URI.Scheme))
	}
	s.nameOurselves(&w.Message, flow)
	return w.AppendTo(s.out.Tail())
}

func (s *stripe) prependVia(w *sip.Request, flow *sip.Flow, v stamp) {
	host, port := s.table.Wire.Advertised(*flow)
	b := append(s.room.via[:0], ";branch="...)
	b = appendBranch(b, s.table.Node, v.tx, v.nonce)
	b = append(b, ";rport"...) // RFC 3581 §3
	if v.mark != 0 {
		b = strconv.AppendUint(append(b, ";loop="...), uint64(v.mark), 16)
	}
	if flow.Transport == sip.TLS && s.table.Alias != nil && s.table.Alias(*flow) {
		b = append(b, ";alias"...) // RFC 5923 §5
	}
	b = append(b, v.load...)
	s.room.via = b
	// PrependVia copies them.
	params := unsafe.String(&b[0], len(b))
	w.PrependVia(sip.Via{Transport: flow.Transport.String(), Host: host, Port: port, Params: sip.Params(params)})
}

// formsDialog reports whether requests of this method, and their 2xx, carry a Contact. RFC 3261 §12.1; RFC 6665 §8.2; RFC 3515 §2.2; RFC 3311 §5.
func formsDialog(m sip.Method) bool {
	switch m {
	case sip.MethodInvite, sip.MethodSubscribe, sip.MethodRefer, sip.MethodUpdate, sip.MethodNotify:
		return true
	}
	return false
}

// defaultContact names this stack. RFC 3261 §8.1.1.8: sips if the Request-URI is.
func defaultContact(scheme string) string {
	if scheme == "sips" {
		return "<sips:" + sip.AnyHost + ">"
	}
	return "<sip:" + sip.AnyHost + ">"
}

// completeResponse adds To tag, Contact and Server where they are missing. key is that of the request.
func (s *stripe) completeResponse(res *sip.Response, key fingerprint, flow *sip.Flow) {
	s.completeTag(res, key, forTag)
	if s.table.UserAgent != "" && !res.Has(sip.HeaderServer) {
		res.Add(sip.HeaderServer, s.table.UserAgent)
	}
	if !res.Has(sip.HeaderContact) && (res.Status.Success() || res.Status.Provisional()) {
		cseq, _ := res.CSeq()
		if formsDialog(cseq.Method) && (res.Status.Success() || cseq.Method == sip.MethodInvite) {
			res.Add(sip.HeaderContact, defaultContact(""))
		}
	}
	s.nameOurselves(&res.Message, flow)
}

// completeTag adds the To tag if that is missing.
func (s *stripe) completeTag(res *sip.Response, key fingerprint, purpose byte) {
	if res.ToTag() != "" {
		return
	}
	s.room.via = s.table.appendTag(s.room.via[:0], purpose, s.number, key)
	// AddTag copies it.
	res.AddTag(sip.HeaderTo, unsafe.String(&s.room.via[0], len(s.room.via)))
}

// nameOurselves replaces [sip.AnyHost] by the address at which peers of flow reach us.
func (s *stripe) nameOurselves(m *sip.Message, flow *sip.Flow) {
	for _, h := range [...]sip.Header{sip.HeaderContact, sip.HeaderRecordRoute, sip.HeaderPath} {
		switch value := m.Get(h); {
		case !strings.Contains(value, sip.AnyHost):
		case h == sip.HeaderContact || strings.Count(value, sip.AnyHost) > 1 || strings.IndexByte(value, ',') >= 0:
			s.nameEach(m, h, flow)
		default:
			s.nameTop(m, h, flow)
		}
	}
}

// nameTop replaces it in a field of one value, the first of its name.
func (s *stripe) nameTop(m *sip.Message, h sip.Header, flow *sip.Flow) {
	a, err := sip.ParseAddress(m.Get(h))
	if err != nil || a.URI.Host != sip.AnyHost {
		return
	}
	m.PopFirst(h)
	a.URI = s.reached(a.URI, flow)
	s.room.text = a.AppendTo(s.room.text[:0])
	if h != sip.HeaderRecordRoute || !startsWith(m.Get(h), s.room.text) {
		m.PrependAddress(h, a)
	}
}

// startsWith reports whether the first value of a comma list is first.
func startsWith(list string, first []byte) bool {
	n := len(first)
	return len(list) >= n && list[:n] == string(first) && (len(list) == n || list[n] == ',' || list[n] == ' ')
}

// nameEach replaces it wherever it stands.
func (s *stripe) nameEach(m *sip.Message, h sip.Header, flow *sip.Flow) {
	var room [4]string
	values := room[:0]
	for v := range m.Values(h) {
		if a, err := sip.ParseAddress(v); err == nil && a.URI.Host == sip.AnyHost {
			a.URI = s.reached(a.URI, flow)
			v = a.String()
		}
		values = append(values, v)
	}
	m.Set(h, values[0])
	for _, v := range values[1:] {
		m.Add(h, v)
	}
}

// reached is u with our address on flow. A sips URI implies TLS, so its transport parameter names what runs on top of that (RFC 3261 §26.2.2, RFC 7118 §5.2).
func (s *stripe) reached(u sip.URI, flow *sip.Flow) sip.URI {
	u.Host, u.Port = s.table.Wire.Advertised(*flow)
	named := ""
	switch t := flow.Transport; {
	case t == sip.UDP || u.Params.Has("transport"):
	case t == sip.WSS:
		named = sip.WS.Param()
	case u.Scheme != "sips":
		named = t.Param()
	}
	switch {
	case named == "":
	case u.Params == ";lr" && named == "tcp":
		u.Params = ";lr;transport=tcp"
	case u.Params == ";lr" && named == "tls":
		u.Params = ";lr;transport=tls"
	default:
		u.Params = u.Params.With("transport", named)
	}
	return u
}
