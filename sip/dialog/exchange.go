// One request of ours inside a dialog, from Start to its outcome, challenges included. RFC 3261 §12.2.1, §22.2.

package dialog

import "github.com/sipwerk/sipwerk/sip"

// outcome is how a request of ours ended, and the dialog at hand.
type outcome struct {
	status   sip.Status
	response *sip.Response // nil if there was none
	err      error
	dialog   *Dialog
	again    bool // a 2xx seen before

	cancelled bool // the owner had given up
}

// gone reports whether the outcome means that the peer knows nothing of the dialog any more. RFC 3261 §12.2.1.2.
func (o outcome) gone() bool {
	return o.response == nil || o.status == sip.StatusCallDoesNotExist || o.status == sip.StatusRequestTimeout
}

// exchange is a request under way.
type exchange struct {
	usage   *Usage
	dialog  *Dialog
	request *sip.Request
	done    func(outcome)
	tx      sip.TransactionID
	tries   int
	ended   bool
}

// exchange sends req inside d; done is called once with the outcome, for an INVITE again with each further 2xx.
func (u *Usage) exchange(d *Dialog, req *sip.Request, done func(outcome)) (*exchange, error) {
	x := &exchange{usage: u, dialog: d, request: req, done: done}
	return x, x.start()
}

func (x *exchange) start() error {
	var err error
	x.tries++
	x.tx, err = x.usage.engine.Start(x.usage.stripe, x.request, x.dialog.Destination(), x)
	return err
}

// HandleEvent takes the events of the client transaction.
func (x *exchange) HandleEvent(ev *sip.Event) {
	if ev.Tx != x.tx {
		return
	}
	switch ev.Kind {
	case sip.EventResponse:
		x.response(ev.Response)
	case sip.EventTimeout:
		x.end(outcome{status: sip.StatusRequestTimeout, err: ev.Err})
	case sip.EventFailure:
		x.end(outcome{status: sip.StatusServiceUnavailable, err: ev.Err})
	}
}

func (x *exchange) response(res *sip.Response) {
	switch {
	case res.Status.Provisional():
	case x.ended:
		if res.Status.Success() {
			x.done(outcome{status: res.Status, response: res, dialog: x.dialog, again: true})
		}
	case challenged(res.Status) && x.authorize(res):
	default:
		x.end(outcome{status: res.Status, response: res})
	}
}

func (x *exchange) end(o outcome) {
	if !x.ended {
		x.ended, o.dialog = true, x.dialog
		x.done(o)
	}
}

// authorize sends the request again with credentials, if there are any.
func (x *exchange) authorize(res *sip.Response) bool {
	again, ok := x.usage.authorize(x.request, res, x.tries)
	if !ok {
		return false
	}
	x.request = again
	x.dialog.LocalSeq++
	setCSeq(again, x.dialog.LocalSeq)
	return x.start() == nil
}

// challenged reports whether a final response asks for credentials.
func challenged(s sip.Status) bool {
	return s == sip.StatusUnauthorized || s == sip.StatusProxyAuthRequired
}

// authorize asks the authorizer for the next attempt of a request that was sent tries times.
func (u *Usage) authorize(req *sip.Request, res *sip.Response, tries int) (*sip.Request, bool) {
	if u.extra == nil || u.extra.auth == nil || tries >= maxTries {
		return nil, false
	}
	again, ok := u.extra.auth.Authorize(req, res)
	if ok {
		again.Remove(sip.HeaderVia) // of the attempt before
	}
	return again, ok
}

// setCSeq writes the sequence number of a request.
func setCSeq(req *sip.Request, seq uint32) {
	req.SetCSeq(sip.CSeq{Number: seq, Method: req.Method})
}
