// What a host may say after what it has said before: one final answer to a request, and requests in order. RFC 3261 §8.1.1.5, §12.2.1.1, §17.2.

package siptest

import (
	"fmt"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// conduct is what the hosts have said so far, as far as it binds them.
type conduct struct {
	finals map[exchange]sip.Status
	last   map[speaker]request
}

// exchange is a request as the host that answers it knows it. RFC 3261 §17.2.3.
type exchange struct {
	host, peer, branch, callID string
	cseq                       sip.CSeq
}

// speaker is one side of a dialog.
type speaker struct{ host, callID, fromTag, toTag string }

// request is the last one of a speaker. An ACK and a CANCEL are part of another.
type request struct {
	number uint32
	branch string
}

func newConduct() *conduct {
	return &conduct{finals: make(map[exchange]sip.Status), last: make(map[speaker]request)}
}

// forget lets a host begin anew: it has crashed.
func (c *conduct) forget(host string) {
	for k := range c.finals {
		if k.host == host {
			delete(c.finals, k)
		}
	}
	for k := range c.last {
		if k.host == host {
			delete(c.last, k)
		}
	}
}

// answers checks a response: the same request has had no other final response, but for further 2xx to an INVITE, which a proxy hands on in any case (RFC 3261 §16.7 step 5).
func (c *conduct) answers(from, to string, res *sip.Response) error {
	if !res.Status.Final() {
		return nil
	}
	cseq, err := res.CSeq()
	if err != nil {
		return err
	}
	via, err := res.Via()
	if err != nil {
		return err
	}
	if res.ToTag() == "" {
		return fmt.Errorf("no To tag") // RFC 3261 §8.2.6.2
	}
	cseq.Method = sip.Method(strings.Clone(string(cseq.Method)))
	k := exchange{from, to, strings.Clone(via.Branch()), strings.Clone(res.CallID()), cseq}
	was, again := c.finals[k]
	c.finals[k] = res.Status
	if again && was != res.Status && !mayChange(cseq.Method, was, res.Status) {
		return fmt.Errorf("its second final answer, after %d", was)
	}
	return nil
}

// mayChange reports whether a copy of a request may get another answer: a CANCEL, a request of a dialog that is not there or comes late, and one to
// somebody who has no device, are answered without a transaction, and meanwhile that may have changed. So is a REGISTER: the copy that comes behind a
// later one is out of order, and nobody waits for its answer, because the later one was sent when there was one (RFC 3261 §10.2).
func mayChange(m sip.Method, was, is sip.Status) bool {
	gone := func(s sip.Status) bool { return s == sip.StatusCallDoesNotExist || s == sip.StatusServerInternalError }
	switch {
	case m == sip.MethodInvite && is.Success(), m == sip.MethodCancel && is == sip.StatusCallDoesNotExist:
		return true
	case was == sip.StatusTemporarilyUnavailable, m != sip.MethodInvite && was == sip.StatusCallDoesNotExist:
		return true
	case m == sip.MethodRegister && was == sip.StatusOK:
		return is == sip.StatusServerInternalError
	}
	return gone(was) && gone(is)
}

// asks checks a request inside a dialog: its number is above that of the one before.
func (c *conduct) asks(from string, req *sip.Request) error {
	if req.Method == sip.MethodAck || req.Method == sip.MethodCancel || req.ToTag() == "" {
		return nil
	}
	cseq, err := req.CSeq()
	if err != nil {
		return err
	}
	via, err := req.Via()
	if err != nil {
		return err
	}
	k := speaker{from, strings.Clone(req.CallID()), strings.Clone(req.FromTag()), strings.Clone(req.ToTag())}
	was, before := c.last[k]
	switch {
	case before && via.Branch() == was.branch, before && cseq.Number < was.number:
		return nil // a copy: of the last one, or of one that still waits for its answer
	case before && cseq.Number == was.number:
		return fmt.Errorf("CSeq %d in two requests", cseq.Number)
	}
	c.last[k] = request{cseq.Number, strings.Clone(via.Branch())}
	return nil
}
