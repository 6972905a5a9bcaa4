// A call that comes in to take the place of one that we have. RFC 3891 §3.

package phone

import (
	"context"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// replacing looks for the call that an INVITE names. That one lives in another stripe, so the INVITE waits meanwhile.
func (p *Phone) replacing(ev *sip.Event) {
	which, err := ev.Request.Replaces()
	if err != nil {
		refuse(ev, sip.StatusBadRequest)
		return
	}
	if p.open(context.Background()) != nil {
		refuse(ev, sip.StatusServiceUnavailable)
		return
	}
	later := *ev
	later.Request = ev.Request.Clone()
	p.line.table.Match(ev.Engine, which, func(u *dialog.Usage, status sip.Status) {
		var call *Call
		if status == 0 {
			call, _ = u.Owner().(*Call)
		}
		later.Engine.Do(later.Stripe, func() {
			switch {
			case status != 0:
				refuse(&later, status)
			case call == nil || call.phone != p:
				refuse(&later, sip.StatusCallDoesNotExist)
			default:
				p.invited(&later, call)
			}
		})
	})
}
