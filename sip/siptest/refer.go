// What a phone asks of others by REFER, and what it says of that which it was asked. RFC 3515 §2.4; RFC 4538 §3.

package siptest

import (
	"fmt"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// Refer asks the peer to call somebody; the event "Referred" holds its final response, and "Notified" what it says then. RFC 3515 §2.4.
func (c *Call) Refer(to sip.URI) {
	c.Phone.bench.T.Helper()
	c.Order("refer", func() error {
		req := c.Usage.NewRequest(sip.MethodRefer)
		if req == nil {
			return dialog.ErrState
		}
		req.Set(sip.HeaderReferTo, "<"+to.String()+">")
		return c.Usage.SendRequest(req, c.referred)
	})
}

// referred notes the final response to a REFER.
func (c *Call) referred(res *sip.Response, err error) {
	if err != nil || res == nil {
		c.note("Referred in vain")
		return
	}
	c.note(fmt.Sprintf("Referred %d", res.Status))
}

// Report tells whoever has sent a REFER how far it has come. RFC 3515 §2.4.5.
func (c *Call) Report(status sip.Status) {
	c.Phone.bench.T.Helper()
	c.Order("report", func() error {
		req := c.Usage.NewRequest(sip.MethodNotify)
		if req == nil {
			return dialog.ErrState
		}
		req.Set(sip.HeaderEvent, "refer")
		state := "active;expires=60"
		if status.Final() {
			state = "terminated;reason=noresource"
		}
		req.Set(sip.HeaderSubscriptionState, state)
		req.SetBody("message/sipfrag;version=2.0", fmt.Appendf(nil, "SIP/2.0 %d %s\r\n", status, status.Reason()))
		return c.Usage.SendRequest(req, func(*sip.Response, error) {})
	})
}

// ReferOutside is Refer outside the dialog of the call, which the request names: the reports come in a dialog of their own. It waits for the final response. RFC 4538 §3; RFC 5589 §6.1.
func (c *Call) ReferOutside(to sip.URI) {
	p := c.Phone
	p.bench.T.Helper()
	which := c.Replaces()
	var target sip.URI
	c.Order("name the peer", func() (err error) {
		target, err = sip.ParseURI(c.Usage.Dialog().Target)
		return err
	})
	if p.Auth != nil {
		target.Host, target.Port = p.Auth.Host, 0 // the credentials are for that name of the server
	}
	req := sip.NewRequest(sip.MethodRefer, target)
	req.Set(sip.HeaderTo, "<"+target.String()+">")
	req.Set(sip.HeaderContact, "<"+p.contact().String()+">")
	req.Set(sip.HeaderReferTo, "<"+to.String()+">")
	req.Set(sip.HeaderRequire, "tdialog")
	req.Set(sip.HeaderTargetDialog, sip.TargetDialog{CallID: which.CallID, LocalTag: which.FromTag, RemoteTag: which.ToTag}.String())
	req.Set(sip.HeaderCallID, p.Stack.NewID(sip.StripeOf(p.Name)))
	p.mu.Lock()
	if p.referred == nil {
		p.referred = make(map[string]*Call)
	}
	p.referred[req.CallID()] = c
	p.mu.Unlock()
	c.referred(p.Send(req))
}

// reported takes a NOTIFY outside the dialogs of calls: of a REFER that was sent outside one.
func (p *Phone) reported(ev *sip.Event) {
	p.mu.Lock()
	c := p.referred[ev.Request.CallID()]
	p.mu.Unlock()
	if c == nil {
		_ = ev.Engine.Respond(ev.Tx, ev.Request.Reply(sip.StatusCallDoesNotExist))
		return
	}
	_ = ev.Engine.Respond(ev.Tx, ev.Request.Reply(sip.StatusOK))
	c.note(Describe(&dialog.Request{Request: ev.Request}))
}
