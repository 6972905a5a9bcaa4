// Messages whose memory is used again: what a call says once and never repeats, or has stopped repeating.

package dialog

import (
	"sync"

	"github.com/sipwerk/sipwerk/sip"
)

// messages are those that wait for their next use.
type messages struct {
	requests  sync.Pool // of *sip.Request: ACK and BYE
	responses sync.Pool // of *sip.Response: to an INVITE, and to a BYE
}

// request returns a request of which nothing is set, and response a response.
func (m *messages) request() *sip.Request {
	if r, ok := m.requests.Get().(*sip.Request); ok {
		return r
	}
	return new(sip.Request)
}

func (m *messages) response() *sip.Response {
	if r, ok := m.responses.Get().(*sip.Response); ok {
		return r
	}
	return new(sip.Response)
}

// reuseRequest takes back a request that nobody needs any more, and reuse a response, or nil.
func (m *messages) reuseRequest(r *sip.Request) {
	r.Reset("", sip.URI{}) // it holds nothing of the call
	m.requests.Put(r)
}

func (m *messages) reuse(r *sip.Response) {
	if r != nil {
		r.SetBody("", nil)
		m.responses.Put(r)
	}
}
