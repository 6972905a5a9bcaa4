// What the calling side makes of an answer, and what it says to it. RFC 3261 §8.1.3.3, §12.1.2, §13.2.2.4, §17.1.1.3, §17.1.3.

package load

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// identify appends what stands in branch, Call-ID and tag of an operation: slot, generation and the name of the worker.
func (w *worker) identify(b []byte, op *operation) []byte {
	b = strconv.AppendUint(b, uint64(op.generation)<<32|uint64(op.slot), 36)
	b = append(b, '.')
	return append(b, w.name...)
}

// operationNamed returns the operation that an identifier names, if it is still under way.
func (w *worker) operationNamed(id string) *operation {
	number, name, _ := strings.Cut(id, ".")
	if name != w.name {
		return nil
	}
	n, err := strconv.ParseUint(number, 36, 64)
	if err != nil {
		return nil
	}
	return w.operationAt(n)
}

// operationAt is operationNamed for the number alone.
func (w *worker) operationAt(n uint64) *operation {
	slot := uint32(n)
	if int(slot) >= len(w.ops) || w.ops[slot].generation != uint32(n>>32) || w.ops[slot].phase == phaseFree {
		return nil
	}
	return &w.ops[slot]
}

// operationOf returns the operation whose branch a response carries.
func (w *worker) operationOf(res *sip.Response) *operation {
	via, err := res.Via()
	if err != nil {
		return nil
	}
	branch, ok := strings.CutPrefix(via.Branch(), sip.MagicCookie)
	if !ok {
		return nil
	}
	id, _, _ := strings.Cut(branch, "-")
	return w.operationNamed(id)
}

// judge finds out what a response means; relevant is false for a copy of an older answer.
func (w *worker) judge(op *operation, ev *event) (relevant bool) {
	res := ev.res
	cseq, err := res.CSeq()
	final := res.Status.Final()
	switch {
	case err != nil || cseq.Number > op.cseq:
		return ev.wrong(FaultCSeq)
	case cseq.Method == sip.MethodInvite && op.invite == cseq.Number && op.invite > 0:
		ev.happening = happenRepeated
		return res.Status.Success()
	case cseq.Number < op.cseq:
		if cseq.Method == sip.MethodInvite && final {
			w.concede(op, ev)
		}
		return false
	case cseq.Method != op.method.method():
		return ev.wrong(FaultCSeq)
	}
	if fault := w.inspect(op, res); fault != FaultNone {
		return ev.wrong(fault)
	}
	switch {
	case !final:
		ev.happening = happenProvisional
	case res.Status.Success():
		if fault := w.inspectSuccess(op, res); fault != FaultNone {
			return ev.wrong(fault)
		}
		ev.happening = happenSuccess
	default:
		w.judgeRefusal(op, ev)
	}
	return true
}

func (ev *event) wrong(f Fault) bool {
	ev.happening, ev.fault = happenWrong, f
	return true
}

// inspect checks what every answer must have.
func (w *worker) inspect(op *operation, res *sip.Response) Fault {
	vias := 0
	for range res.Values(sip.HeaderVia) {
		vias++
	}
	w.scratch = w.identify(w.scratch[:0], op)
	switch {
	case vias != 1:
		return FaultVia
	case res.FromTag() != string(w.scratch):
		return FaultTag
	case !op.lasting && res.CallID() != string(w.scratch):
		return FaultCallID
	}
	return FaultNone
}

// inspectSuccess checks what a 2xx must have.
func (w *worker) inspectSuccess(op *operation, res *sip.Response) Fault {
	if res.ToTag() == "" {
		return FaultTag
	}
	switch op.method {
	case kindRegister:
		if !res.Has(sip.HeaderContact) { // RFC 3261 §10.3 step 8
			return FaultContact
		}
	case kindInvite:
		if c, ok := res.Contact(); !ok || !c.URI.IsSIP() {
			return FaultContact
		}
		if len(res.Body()) == 0 {
			return FaultBody
		}
		return w.inspectRoute(op, res)
	}
	return FaultNone
}

// inspectRoute checks the route set that a 2xx brings.
func (w *worker) inspectRoute(op *operation, res *sip.Response) Fault {
	n := 0
	for route, err := range res.Addresses(sip.HeaderRecordRoute) {
		if n++; err != nil || !route.URI.Loose() {
			return FaultStrictRoute
		}
	}
	if op.routes > 0 && op.routes != n+1 {
		return FaultRecordRoute
	}
	return FaultNone
}

// judgeRefusal tells a challenge that can be answered from what ends the operation.
func (w *worker) judgeRefusal(op *operation, ev *event) {
	ev.happening, ev.fault = happenRefusal, FaultStatus
	if s := ev.res.Status; s != sip.StatusUnauthorized && s != sip.StatusProxyAuthRequired {
		return
	}
	ev.fault = FaultCredentials
	ch, answer, ok := challengeOf(ev.res)
	if !ok || op.proofs == mostProofs || op.proofs > 0 && !ch.Stale || w.plan.Users.password(op.user) == "" {
		return
	}
	ev.happening, ev.challenge, ev.answer = happenChallenge, ch, answer
}

// render appends a message of an operation. What only some have (route, target, To tag, credentials) is in w.fields already.
func (w *worker) render(b []byte, op *operation, k kind, v variant) []byte {
	users, f := &w.plan.Users, &w.fields
	s := w.scratch[:0]
	cut := func(field field, from int) { f[field] = s[from:len(s):len(s)] }
	s = w.identify(s, op)
	cut(fieldCallID, 0)
	cut(fieldFromTag, 0)
	at := len(s)
	s = strconv.AppendUint(s, uint64(op.cseq), 10)
	cut(fieldCSeq, at)
	at = len(s)
	s = append(s, sip.MagicCookie...)
	s = append(s, f[fieldCallID]...)
	s = append(s, '-')
	s = append(s, f[fieldCSeq]...)
	if k == kindAck {
		s = append(s, 'a') // RFC 3261 §13.2.2.4: a transaction of its own
	}
	cut(fieldBranch, at)
	at = len(s)
	s = users.part(s, op.user)
	cut(fieldUser, at)
	at = len(s)
	s = users.part(s, op.callee)
	cut(fieldCallee, at)
	if op.lasting {
		at = len(s)
		s = append(s, w.name...)
		s = append(s, '.')
		s = strconv.AppendInt(s, int64(op.user), 10)
		cut(fieldCallID, at)
	}
	f[fieldLocal] = op.port.local
	w.scratch = s
	return w.forms[k][v].fill(b, f)
}

// follow takes target, route set and tag out of a 2xx to an INVITE. RFC 3261 §12.1.2. The strings are good as long as the response is.
func (w *worker) follow(res *sip.Response) variant {
	c, _ := res.Contact()
	f := &w.fields
	f[fieldToTag] = append(f[fieldToTag][:0], res.ToTag()...)
	f[fieldTarget] = c.URI.AppendTo(f[fieldTarget][:0])
	w.routes = slices.AppendSeq(w.routes[:0], res.Values(sip.HeaderRecordRoute))
	if len(w.routes) == 0 {
		return 0
	}
	f[fieldRoute] = f[fieldRoute][:0]
	for i, route := range slices.Backward(w.routes) {
		if f[fieldRoute] = append(f[fieldRoute], route...); i > 0 {
			f[fieldRoute] = append(f[fieldRoute], ", "...)
		}
	}
	return routed
}

// acknowledge answers a 2xx to an INVITE.
func (w *worker) acknowledge(op *operation, ev *event) {
	v := w.follow(ev.res)
	now := op.cseq
	if ev.happening == happenRepeated {
		op.cseq = op.invite
	} else {
		op.invite = op.cseq
	}
	w.message = w.render(w.message[:0], op, kindAck, v)
	op.cseq = now
	w.say(op, ev)
	op.dialog = v
}

// concede answers a refusal of an INVITE within its transaction. RFC 3261 §17.1.1.3.
func (w *worker) concede(op *operation, ev *event) {
	cseq, err := ev.res.CSeq()
	if err != nil {
		return
	}
	w.fields[fieldToTag] = append(w.fields[fieldToTag][:0], ev.res.ToTag()...)
	now := op.cseq
	op.cseq = cseq.Number
	w.message = w.render(w.message[:0], op, kindConcede, 0)
	op.cseq = now
	w.say(op, ev)
}

// say sends an ACK. If its connection is gone the operation hears of it anyway.
func (w *worker) say(op *operation, ev *event) { _ = w.send(op.port, ev.out, op.port.flow, w.message) }

// prepareBye makes the BYE the request of the operation; the fields are those of the ACK.
func (w *worker) prepareBye(op *operation) {
	op.cseq++
	op.proofs = 0
	op.request = w.render(op.request[:0], op, kindBye, op.dialog)
}

// prove sends the request again with the answer to a challenge. RFC 3261 §22.2.
func (w *worker) prove(op *operation, ev *event) {
	op.proofs++
	op.cseq++
	users := &w.plan.Users
	u := &User{Name: string(users.name(nil, op.user)), Password: users.password(op.user)}
	if op.method == kindBye {
		w.proveBye(op, ev, u)
	} else {
		w.fields[fieldCredentials] = appendProof(nil, &ev.challenge, u, op.method.method(), w.uri(op))
		op.request = w.render(op.request[:0], op, op.method, ev.answer)
	}
	w.launch(op, ev.out, ev.now)
}

// uri is the Request-URI of the first request of an operation.
func (w *worker) uri(op *operation) string {
	u := sip.URI{Scheme: "sip", Host: w.plan.Domain}
	if op.kind == kindInvite || op.kind == kindMessage {
		u.User = string(w.plan.Users.part(nil, op.callee))
	}
	return u.String()
}

// proveBye is prove for the BYE, whose target and route stand in the request only.
func (w *worker) proveBye(op *operation, ev *event, u *User) {
	req, err := sip.ParseRequest(slices.Clone(op.request))
	if err != nil {
		return // we printed it
	}
	header := sip.HeaderAuthorization
	if ev.answer == provenProxy {
		header = sip.HeaderProxyAuthorization
	}
	req.Set(sip.HeaderCSeq, sip.CSeq{Number: op.cseq, Method: sip.MethodBye}.String())
	if via, err := req.Via(); err == nil {
		via.Params = via.Params.With("branch", sip.MagicCookie+string(w.identify(nil, op))+"-"+strconv.Itoa(int(op.cseq)))
		req.SetFirst(sip.HeaderVia, via.String())
	}
	req.Set(header, string(appendProof(nil, &ev.challenge, u, sip.MethodBye, req.URI.String())))
	op.request = req.AppendTo(op.request[:0])
}
