// How a REGISTER is answered. RFC 3261 §10.3, RFC 3327 §5.3.

package registrar

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// retryAfter is when a client may come again if its binding could not be stored.
const retryAfter = "30"

// HandleEvent answers a REGISTER. The sender is who the event says; a trusted source may bind every account that exists.
//
// A trusted source needs no transaction (RFC 3261 §8.2.7): a copy of a REGISTER finds its own bindings and gets the same answer; what it asked to be removed is not there any more.
func (r *Registrar) HandleEvent(ev *sip.Event) {
	if ev.Kind != sip.EventRequest {
		return
	}
	r.start()
	w := r.work()
	defer r.works.Put(w)
	res := &w.response
	if no := r.register(w, ev); no != nil {
		r.refused.Add(1)
		res = ev.Request.Reply(no.status)
		res.Reason = no.reason
		if no.header != sip.HeaderOther {
			res.Set(no.header, no.value)
		}
	}
	// A transaction that has ended meanwhile needs no answer. A copy of the request is taken for one by whoever checks proofs, and gets the same answer.
	_ = ev.Engine.RespondOnce(ev.Tx, res)
	r.tell(w)
}

// register does what the request asks and writes the 200, or says why not.
func (r *Registrar) register(w *work, ev *sip.Event) *refusal {
	req := ev.Request
	w.state.changes = w.state.changes[:0]
	if req.Method != sip.MethodRegister {
		return &refusal{status: sip.StatusMethodNotAllowed, header: sip.HeaderAllow, value: string(sip.MethodRegister)}
	}
	if no := unsupported(req); no != nil {
		return no
	}
	if no := r.authorize(w, ev); no != nil {
		return no
	}
	if no := r.readUpdate(w, ev); no != nil {
		return no
	}
	if no := r.readExtensions(w, req); no != nil {
		return no
	}
	if no := r.change(w); no != nil {
		return no
	}
	if no := r.written(); no != nil {
		return no
	}
	r.accept(w, req)
	return nil
}

// unsupported refuses extensions that are asked for and not there. RFC 3261 §10.3 step 2, §8.2.2.3.
func unsupported(req *sip.Request) *refusal {
	if !req.Has(sip.HeaderRequire) {
		return nil
	}
	var names []string
	for option := range req.Values(sip.HeaderRequire) {
		switch strings.ToLower(option) {
		case optionPath, optionOutbound, optionGRUU, optionGIN:
		default:
			names = append(names, option)
		}
	}
	if names == nil {
		return nil
	}
	return &refusal{status: sip.StatusBadExtension, header: sip.HeaderUnsupported, value: strings.Join(names, ", ")}
}

// authorize finds the name under which bindings are kept. RFC 3261 §10.3 step 4 and 5. Who exists comes first: 403 says "not you", and needs a "you".
func (r *Registrar) authorize(w *work, ev *sip.Event) *refusal {
	to, err := ev.Request.To()
	if err != nil || !to.URI.IsSIP() {
		return &refusal{status: sip.StatusBadRequest, reason: "Bad To"} // RFC 3261 §10.3 step 5; RFC 4475 §3.3.4
	}
	aor, ok := r.Accounts.AOR(to.URI)
	switch {
	case !ok:
		return &refusal{status: sip.StatusNotFound}
	case !ev.Trusted && !r.Accounts.MayBind(ev.User, aor):
		return &refusal{status: sip.StatusForbidden}
	}
	if number, ok := to.URI.GlobalNumber(); ok {
		// RFC 6140 §5.2: who registers one number of a bulk registration neither renews nor removes that.
		if own, ok := line(aor, number); ok {
			aor = own
		}
	}
	if w.name = appendName(w.name[:0], aor); len(w.name) > maxName {
		return &refusal{status: sip.StatusBadRequest, reason: "Bad To"}
	}
	return nil
}

// appendName appends the key of an address-of-record. A person is the same person whether called by sip or sips: the contacts say which of them is secure.
func appendName(b []byte, aor sip.URI) []byte {
	aor.Scheme = "sip"
	return aor.AppendAOR(b)
}

// readUpdate reads what the request asks for.
func (r *Registrar) readUpdate(w *work, ev *sip.Event) *refusal {
	req := ev.Request
	cseq, err := req.CSeq()
	via, viaErr := req.Via()
	callID := req.CallID()
	if err != nil || viaErr != nil || callID == "" || len(callID) > maxContact {
		return &refusal{status: sip.StatusBadRequest}
	}
	now := time.Unix(time.Now().Unix(), 0)
	agent := req.Get(sip.HeaderUserAgent)
	w.contacts = w.contacts[:0]
	w.update = update{
		wishes: w.update.wishes, max: or(r.MaxContacts, DefaultMaxContacts), now: now, via: via,
		origin: Binding{
			Flow: ev.Flow, CallID: callID, CSeq: cseq.Number,
			UserAgent: agent[:min(len(agent), maxUserAgent)], Received: now,
		},
	}
	if req.Has(sip.HeaderPath) {
		paths := slices.Collect(req.Values(sip.HeaderPath))
		if len(paths) > maxPaths || slices.ContainsFunc(paths, func(p string) bool { return len(p) > maxContact }) {
			return &refusal{status: sip.StatusBadRequest, reason: "Path Too Long"}
		}
		w.update.origin.Path = paths
	}
	return w.readContacts(r, req)
}

// change applies the update to the table, and the journal. A request without contacts only looks.
func (r *Registrar) change(w *work) *refusal {
	s := r.table.lock(w.name)
	defer s.mu.Unlock()
	old := w.loadLocked(&s)
	if no := w.state.apply(&w.update, old); no != nil {
		w.state.changes = w.state.changes[:0]
		return no
	}
	if len(w.state.changes) == 0 {
		return nil
	}
	if w.record = appendBindings(w.record[:0], w.state.bindings); len(w.record) > maxRecord {
		w.state.changes = w.state.changes[:0]
		return &refusal{status: sip.StatusForbidden, reason: "Contacts Too Long"}
	}
	if r.journal != nil {
		if err := r.journal.append(w.name, w.record); err != nil {
			w.state.changes = w.state.changes[:0]
			return r.unstored(err)
		}
	}
	r.storeLocked(w, &s, old)
	return nil
}

// storeLocked puts what apply has made of old, and w.record holds, into the table.
func (r *Registrar) storeLocked(w *work, s *slot, old []Binding) {
	bindings, record := w.state.bindings, w.record
	var first time.Time
	if len(bindings) == 0 {
		record = nil
	} else {
		first = earliest(bindings)
	}
	s.putLocked(record, len(bindings)-len(old), seconds(first))
	r.flows.move(s.hash, old, bindings)
	if len(bindings) > 0 {
		r.wakeFor(first.Unix())
	}
}

// written sees to it that the change is on its way to the disk before the answer leaves.
func (r *Registrar) written() *refusal {
	if r.journal == nil || r.journal.staged.Load() || r.Batched && r.journal.certain() {
		return nil
	}
	if err := r.journal.flush(); err != nil {
		return r.unstored(err)
	}
	return nil
}

func (r *Registrar) unstored(err error) *refusal {
	if r.full.Add(1)%1000 == 1 {
		r.Log.Error("a binding cannot be stored", "err", err)
	}
	return &refusal{status: sip.StatusServiceUnavailable, header: sip.HeaderRetryAfter, value: retryAfter}
}

func (r *Registrar) tell(w *work) {
	watched := r.Events != nil && r.watches.some.Load()
	if r.Changed == nil && !watched {
		return
	}
	for i := range w.state.changes {
		c := &w.state.changes[i]
		if c.AOR = text(w.name); r.Changed != nil {
			r.Changed(*c)
		}
		if !watched {
			continue
		}
		for _, name := range r.watches.note(c) {
			r.Events.Changed(regPackage, name)
		}
	}
}

// accept builds the 200 with all bindings that are in force. RFC 3261 §10.3 step 8.
//
// Deviates: no Date, which that step recommends: telephones set their clocks by other means, and a copy of the request gets the same answer.
func (r *Registrar) accept(w *work, req *sip.Request) {
	res := &w.response
	res.ReplyTo(req, sip.StatusOK)
	for i := range w.state.bindings {
		b := &w.state.bindings[i]
		if own := w.state.touched[i]; own || !strings.Contains(b.Contact, pushPrefix) {
			w.value = append(w.value[:0], b.Contact...)
		} else {
			w.value = appendWithoutPush(w.value[:0], b.Contact)
		}
		if w.update.gruu {
			w.value = r.appendGRUUs(w.value, w, b, w.state.touched[i])
		}
		left := b.Expires.Unix() - w.update.now.Unix()
		w.value = strconv.AppendInt(append(w.value, ";expires="...), left, 10)
		res.Add(sip.HeaderContact, text(w.value))
	}
	// RFC 3327 §5.3: the client learns the path if it understands one.
	if len(w.update.origin.Path) > 0 && req.HasToken(sip.HeaderSupported, optionPath) {
		for _, path := range w.update.origin.Path {
			res.Add(sip.HeaderPath, path)
		}
	}
	for _, route := range r.ServiceRoute {
		res.Add(sip.HeaderServiceRoute, route)
	}
	res.Set(sip.HeaderSupported, offered)
	w.confirmFlow(res, or(r.FlowTimer, DefaultFlowTimer))
	r.offerPush(w, res)
}

// readExtensions reads what the request asks for beyond RFC 3261.
func (r *Registrar) readExtensions(w *work, req *sip.Request) *refusal {
	for i := range w.update.wishes {
		if r.isLoop(w, w.update.wishes[i].uri) {
			return &refusal{status: sip.StatusForbidden, reason: "Contact Is A GRUU Of Its Own"}
		}
	}
	w.update.gruu = req.HasToken(sip.HeaderSupported, optionGRUU) || req.HasToken(sip.HeaderRequire, optionGRUU)
	if no := w.readOutbound(req); no != nil {
		return no
	}
	return r.readPush(w)
}
