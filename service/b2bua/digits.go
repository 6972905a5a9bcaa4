package b2bua

// Digits that come by INFO, and those that are to go so. There is no standard for either body; telephones and gateways send and take them all the same. What sound can say of digits is media/session's.

import (
	"fmt"
	"time"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// maxDigits is how many digits wait for the answer to an INFO before; further ones are lost.
const maxDigits = 64

// informing is what is said to a side, or asked, by INFO: digits go one after another.
type informing struct {
	waiting  []byte
	sent     bool      // the first of them is under way
	demanded time.Time // when its far side was asked for a whole picture
}

// digitOf returns the digit in an INFO, 0 if it holds none.
func digitOf(req *sip.Request) byte {
	if req.Method != sip.MethodInfo {
		return 0
	}
	return req.DTMF()
}

// press takes a digit that l has sent by INFO to the far side, if that takes it otherwise, and reports whether it did. A side that names telephone events and sends INFO besides has sent both, or
// means what the far side alone can tell.
func (c *call) press(l, far *leg, r *dialog.Request) bool {
	digit := digitOf(r.Request)
	if digit == 0 {
		return false
	}
	l.media.Informs()
	if l.media.Digits() == session.DigitsEvents || !far.media.Dial(digit, false) {
		return false
	}
	l.usage.Respond(r, l.usage.ReplyTo(r.Request, sip.StatusOK))
	return true
}

// untaken reports whether a response to an INFO says that such a digit is not taken.
func untaken(s sip.Status) bool {
	switch s {
	case sip.StatusMethodNotAllowed, sip.StatusNotAcceptable, sip.StatusUnsupportedMediaType, sip.StatusBadInfoPackage, sip.StatusNotAcceptableHere, sip.StatusNotImplemented:
		return true
	}
	return false
}

// retell gives the far side in the sound a digit that it has refused as INFO, and returns what its status is then.
func (c *call) retell(l, far *leg, digit byte, s sip.Status) sip.Status {
	if digit == 0 || !untaken(s) || c.over || l.far() != far {
		return s
	}
	far.media.Uninformed()
	if far.media.Dial(digit, true) {
		return sip.StatusOK
	}
	return s
}

// informing returns what l gets by INFO, and makes it.
func (l *leg) informing() *informing {
	if l.informs == nil {
		l.informs = new(informing)
	}
	return l.informs
}

// inform gives l a digit by INFO.
func (l *leg) inform(digit byte) {
	n := l.informing()
	if l.call.over || len(n.waiting) >= maxDigits {
		return
	}
	n.waiting = append(n.waiting, digit)
	l.informNext()
}

// informNext sends the next digit, when the one before has been answered: they must not overtake each other.
func (l *leg) informNext() {
	n := l.informing()
	if n.sent || len(n.waiting) == 0 || l.usage == nil {
		return
	}
	req := l.usage.NewRequest(sip.MethodInfo)
	if req == nil {
		return
	}
	digit := n.waiting[0]
	req.SetBody("application/dtmf-relay", fmt.Appendf(nil, "Signal=%c\r\nDuration=160\r\n", digit))
	err := l.usage.SendRequest(req, func(res *sip.Response, _ error) {
		n.sent = false
		n.waiting = n.waiting[1:]
		if far := l.far(); res != nil && far != nil {
			l.call.retell(far, l, digit, res.Status)
		}
		l.informNext()
	})
	n.sent = err == nil
}
