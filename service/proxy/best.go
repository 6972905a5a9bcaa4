// The final response when every branch has refused. RFC 3261 §16.7 steps 6 and 7.

package proxy

import (
	"errors"

	"github.com/sipwerk/sipwerk/sip"
)

// outcome is the best refusal so far.
type outcome struct {
	status     sip.Status    // 0: none yet
	response   *sip.Response // a copy; nil: the proxy says it
	challenges []challenge   // of every branch that wants credentials
}

// challenge is one value of WWW-Authenticate or Proxy-Authenticate.
type challenge struct {
	header sip.Header
	value  string
}

// rank orders refusals: the lowest is best. 6xx wins; then the lowest class; within 4xx what tells the caller how to come again, then what a person said, then what says that nobody
// could be asked. RFC 3261 §16.7 step 6.
func rank(status sip.Status) int {
	switch status {
	case sip.StatusUnauthorized, sip.StatusProxyAuthRequired, sip.StatusUnsupportedMediaType, sip.StatusBadExtension, sip.StatusAddressIncomplete:
		return 20
	case sip.StatusTemporarilyUnavailable, sip.StatusNotFound, sip.StatusLoopDetected, sip.StatusTooManyHops, sip.StatusMaxBreadthExceeded, sip.StatusFlowFailed:
		return 22
	case sip.StatusRequestTimeout, sip.StatusRequestTerminated:
		return 23
	case sip.StatusServiceUnavailable:
		return 31
	}
	switch {
	case status >= 600:
		return 0
	case status >= 500:
		return 30
	case status >= 400:
		return 21
	}
	return 10
}

// failed is the status of a branch that could not be sent.
func failed(err error) sip.Status {
	switch {
	case errors.Is(err, sip.ErrFlowLost):
		return sip.StatusFlowFailed
	case errors.Is(err, sip.ErrTimeout):
		return sip.StatusRequestTimeout
	}
	return sip.StatusServiceUnavailable
}

// consider takes a refusal; res, if any, is valid until the event is over.
func (f *fork) consider(status sip.Status, res *sip.Response) {
	if f.best.status == 0 && f.pending == 0 && len(f.queue) == 0 && res != nil {
		f.best = outcome{status: status, response: res} // it goes out before the event is over
		return
	}
	if res != nil && wantsCredentials(status) {
		f.best.collect(res)
	}
	if f.best.status != 0 && rank(f.best.status) <= rank(status) {
		return
	}
	f.best.status, f.best.response = status, nil
	if res != nil {
		f.best.response = res.Clone()
	}
}

func wantsCredentials(status sip.Status) bool {
	return status == sip.StatusUnauthorized || status == sip.StatusProxyAuthRequired
}

// collect keeps the challenges of a response. RFC 3261 §16.7 step 7.
func (o *outcome) collect(res *sip.Response) {
	res = res.Clone()
	for _, h := range [...]sip.Header{sip.HeaderWWWAuthenticate, sip.HeaderProxyAuthenticate} {
		for value := range res.Values(h) {
			o.challenges = append(o.challenges, challenge{h, value})
		}
	}
}

// finish answers the caller when no branch is left.
func (f *fork) finish() {
	status, res := f.best.status, f.best.response
	switch {
	case status == 0:
		status = sip.StatusTemporarilyUnavailable
	case f.cancelled && status < 600 && res == nil:
		status = sip.StatusRequestTerminated
	case f.expired && (status == sip.StatusRequestTerminated || res == nil):
		status, res = sip.StatusRequestTimeout, nil
	case res == nil && status == sip.StatusFlowFailed && !f.edge:
		// RFC 5626 §5.3.1: 430 is for the registrar's proxy; a caller cannot do anything with it.
		status = sip.StatusTemporarilyUnavailable
	case status == sip.StatusServiceUnavailable:
		// RFC 3261 §16.7 step 6: it is the branch that is overloaded, not we.
		status = sip.StatusServerInternalError
	}
	if res == nil {
		f.say(status)
	} else {
		f.pass(status, res)
	}
	f.release()
}

// pass forwards the best refusal, with the challenges of the others.
func (f *fork) pass(status sip.Status, res *sip.Response) {
	if res.Status != status {
		res.Status, res.Reason = status, ""
		res.Remove(sip.HeaderRetryAfter)
	}
	if len(f.best.challenges) > 1 && wantsCredentials(status) {
		res.Remove(sip.HeaderWWWAuthenticate)
		res.Remove(sip.HeaderProxyAuthenticate)
		for _, c := range f.best.challenges {
			res.Add(c.header, c.value)
		}
	}
	f.respond(res)
}

// say answers the caller with a response of our own.
func (f *fork) say(status sip.Status) {
	l := &f.proxy.lanes[f.stripe]
	if l.request.Parse(f.request) != nil {
		return
	}
	l.reply.ReplyTo(&l.request, status)
	f.respond(&l.reply)
	l.counts.refused.Add(1)
}
