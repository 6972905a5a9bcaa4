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
func (r *Registrar) HandleEvent(ev *sip.Event) {
	if ev.Kind != sip.EventRequest {
		return
	}
	r.start()
	res, no := r.register(ev)
	if no != nil {
		r.refused.Add(1)
		res = ev.Request.Reply(no.status)
		res.Reason = no.reason
		if no.header != sip.HeaderOther {
			res.Set(no.header, no.value)
		}
	}
	// A transaction that has ended meanwhile needs no answer.
	if no != nil && ev.User == "" && !ev.Trusted {
		_ = ev.Engine.RespondOnce(ev.Tx, res)
		return
	}
	_ = ev.Engine.Respond(ev.Tx, res)
}

// register does what the request asks and returns the 200, or says why not.
func (r *Registrar) register(ev *sip.Event) (*sip.Response, *refusal) {
	req := ev.Request
	if req.Method != sip.MethodRegister {
		return nil, &refusal{status: sip.StatusMethodNotAllowed, header: sip.HeaderAllow, value: string(sip.MethodRegister)}
	}
	if no := unsupported(req); no != nil {
		return nil, no
	}
	name, no := r.authorize(ev)
	if no != nil {
		return nil, no
	}
	u, no := r.update(ev)
	if no != nil {
		return nil, no
	}
	if len(u.wishes) == 0 && !u.star {
		return r.accept(req, r.bindings(name, u.now), u.now), nil
	}
	bindings, changes, no := r.change(name, u)
	if no != nil {
		return nil, no
	}
	if no := r.written(); no != nil {
		return nil, no
	}
	r.tell(name, changes)
	return r.accept(req, bindings, u.now), nil
}

// unsupported refuses extensions that are asked for and not there. RFC 3261 §10.3 step 2, §8.2.2.3.
func unsupported(req *sip.Request) *refusal {
	var names []string
	for option := range req.Values(sip.HeaderRequire) {
		if !strings.EqualFold(option, "path") {
			names = append(names, option)
		}
	}
	if names == nil {
		return nil
	}
	return &refusal{status: sip.StatusBadExtension, header: sip.HeaderUnsupported, value: strings.Join(names, ", ")}
}

// authorize returns the name under which bindings are kept. RFC 3261 §10.3 step 4 and 5. Who exists comes first: 403 says "not you", and needs a "you".
func (r *Registrar) authorize(ev *sip.Event) (string, *refusal) {
	to, err := ev.Request.To()
	if err != nil {
		return "", &refusal{status: sip.StatusBadRequest, reason: "Bad To"}
	}
	if !to.URI.IsSIP() {
		return "", &refusal{status: sip.StatusBadRequest, reason: "Bad To"} // RFC 3261 §10.3 step 5; RFC 4475 §3.3.4
	}
	aor, ok := r.Accounts.AOR(to.URI)
	switch {
	case !ok:
		return "", &refusal{status: sip.StatusNotFound}
	case !ev.Trusted && !r.Accounts.MayBind(ev.User, aor):
		return "", &refusal{status: sip.StatusForbidden}
	}
	return nameOf(aor), nil
}

// nameOf returns the key of an address-of-record. A person is the same person whether called by sip or sips: the contacts say which of them is secure.
func nameOf(aor sip.URI) string {
	aor.Scheme = "sip"
	return aor.AOR()
}

// update reads what the request asks for.
func (r *Registrar) update(ev *sip.Event) (*update, *refusal) {
	req := ev.Request
	cseq, err := req.CSeq()
	via, viaErr := req.Via()
	callID := req.CallID()
	if err != nil || viaErr != nil || callID == "" || len(callID) > maxContact {
		return nil, &refusal{status: sip.StatusBadRequest}
	}
	wishes, star, no := r.wishes(req)
	if no != nil {
		return nil, no
	}
	paths := slices.Collect(req.Values(sip.HeaderPath))
	if len(paths) > maxPaths || slices.ContainsFunc(paths, func(p string) bool { return len(p) > maxContact }) {
		return nil, &refusal{status: sip.StatusBadRequest, reason: "Path Too Long"}
	}
	now := time.Now().Truncate(time.Second)
	agent := req.Get(sip.HeaderUserAgent)
	return &update{
		wishes: wishes, star: star, max: or(r.MaxContacts, DefaultMaxContacts), now: now, via: via,
		origin: Binding{
			Path: paths, Flow: ev.Flow, CallID: callID, CSeq: cseq.Number,
			UserAgent: agent[:min(len(agent), maxUserAgent)], Received: now,
		},
	}, nil
}

// change applies u and stores the outcome in table and journal.
func (r *Registrar) change(name string, u *update) ([]Binding, []Change, *refusal) {
	s := r.table.lock(name)
	defer s.mu.Unlock()
	old := s.oldLocked()
	bindings, changes, no := u.apply(old)
	if no != nil {
		return nil, nil, no
	}
	if len(changes) == 0 {
		return bindings, nil, nil
	}
	s.scratch = appendRecord(s.scratch[:0], name, bindings)
	if len(s.scratch) > maxRecord {
		return nil, nil, &refusal{status: sip.StatusForbidden, reason: "Contacts Too Long"}
	}
	if r.journal != nil {
		if err := r.journal.append(s.scratch); err != nil {
			return nil, nil, r.unstored(err)
		}
	}
	s.storeLocked(len(old), bindings)
	r.flows.move(s.hash, old, bindings)
	r.scheduleLocked(s, old, bindings)
	return bindings, changes, nil
}

// oldLocked returns the bindings that the table holds, the expired included.
func (s slot) oldLocked() []Binding {
	rec := s.getLocked()
	if rec == nil {
		return nil
	}
	_, bindings, _ := parseRecord(rec) // what the table holds was made by appendRecord
	return bindings
}

// storeLocked replaces the record of a name that had so many bindings.
func (s slot) storeLocked(had int, bindings []Binding) {
	var rec []byte
	if len(bindings) > 0 {
		s.scratch = appendRecord(s.scratch[:0], s.aor, bindings)
		rec = s.scratch
	}
	s.putLocked(rec, len(bindings)-had)
}

// scheduleLocked sees to it that the name is looked at when the first of its bindings expires.
func (r *Registrar) scheduleLocked(s slot, old, bindings []Binding) {
	if len(bindings) == 0 {
		return
	}
	if first := earliest(bindings); len(old) == 0 || first.Before(earliest(old)) {
		r.expiry.push(due{at: first.Unix(), hash: s.hash})
	}
}

// written sees to it that the change is on its way to the disk before the answer leaves.
func (r *Registrar) written() *refusal {
	if r.journal == nil || r.Batched && r.journal.certain() {
		return nil
	}
	if err := r.journal.flush(); err != nil {
		return r.unstored(err)
	}
	return nil
}

func (r *Registrar) unstored(err error) *refusal {
	if r.full.Add(1)%1000 == 1 {
		r.Log.Error("a binding cannot be stored", "error", err)
	}
	return &refusal{status: sip.StatusServiceUnavailable, header: sip.HeaderRetryAfter, value: retryAfter}
}

func (r *Registrar) tell(name string, changes []Change) {
	if r.Changed == nil {
		return
	}
	for _, c := range changes {
		c.AOR = name
		r.Changed(c)
	}
}

// accept builds the 200 with all bindings that are in force. RFC 3261 §10.3 step 8.
func (r *Registrar) accept(req *sip.Request, bindings []Binding, now time.Time) *sip.Response {
	res := req.Reply(sip.StatusOK)
	var b []byte
	for i := range bindings {
		left := bindings[i].Expires.Sub(now) / time.Second
		b = append(append(b[:0], bindings[i].Contact...), ";expires="...)
		res.Add(sip.HeaderContact, string(strconv.AppendInt(b, int64(left), 10)))
	}
	// RFC 3327 §5.3: the client learns the path if it understands one.
	if req.HasToken(sip.HeaderSupported, "path") {
		for path := range req.Values(sip.HeaderPath) {
			res.Add(sip.HeaderPath, path)
		}
	}
	res.Set(sip.HeaderSupported, "path")
	res.Set(sip.HeaderDate, sip.FormatDate(now))
	return res
}
