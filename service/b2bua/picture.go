package b2bua

// Whole pictures: a side that asks for one by INFO and a side that is asked by RTCP, brought together. RFC 5168; RFC 4585 §6.3.1.

import (
	"time"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// pictureInterval is how often a side is asked by INFO: a browser asks by every packet until it has its picture.
const pictureInterval = time.Second

// refresh asks the far side by RTCP for what an INFO demands, if it can be asked so, and reports whether it was.
func (c *call) refresh(l, far *leg, r *dialog.Request) bool {
	if !description.DemandsPicture(r.Request) || !far.media.RefreshPicture() {
		return false
	}
	l.usage.Respond(r, l.usage.ReplyTo(r.Request, sip.StatusOK))
	return true
}

// watch has demands that come by RTCP and cannot be handed on as such go on by INFO, and so digits for a side that takes them so.
func (l *leg) watch(m *session.Leg) *session.Leg {
	c := l.call
	m.Inform = func(digit byte) { c.engine.Do(c.stripe, func() { l.inform(digit) }) }
	m.PictureWanted = func() { c.engine.Do(c.stripe, l.demandPicture) }
	return m
}

// demandPicture asks the far side for a whole picture.
func (l *leg) demandPicture() {
	far := l.far()
	if far == nil || l.call.over || time.Since(l.informing().demanded) < pictureInterval {
		return
	}
	req := far.usage.NewRequest(sip.MethodInfo)
	if req == nil {
		return
	}
	l.informing().demanded = time.Now()
	description.DemandPicture(req)
	// One that refuses, or a dialog that ends, sends no picture: nothing is to be done about it.
	_ = far.usage.SendRequest(req, func(*sip.Response, error) {})
}
