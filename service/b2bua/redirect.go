package b2bua

// A device that answers with another address. RFC 3261 §8.1.3.4, §21.3.

import (
	"slices"

	"github.com/sipwerk/sipwerk/sip"
)

// maxRedirects is how many redirections of one call are followed, whoever sends them.
const maxRedirects = 5

// maxContacts is how many addresses of one response are looked at.
const maxContacts = 10

// follow calls the accounts to which a 3xx leads, and reports whether there is any with a device. Everything else is not followed: whoever answers a call
// with another address could make us call anything. Each account is called once, so that two that point at each other come to an end.
func (c *call) follow(res *sip.Response) bool {
	if res == nil {
		return false
	}
	called, looked := 0, 0
	for contact, err := range res.Addresses(sip.HeaderContact) {
		if c.left == 0 || c.hops == 0 || looked == maxContacts {
			break
		}
		looked++
		if err != nil {
			continue
		}
		account, ok := c.account(contact.URI)
		if !ok {
			continue
		}
		c.note(Move{Kind: Redirect, To: account.AOR()})
		c.left--
		c.hops--
		called += c.ring(account, c.offerer().said)
	}
	return called > 0
}

// account asks the router whose devices an address means, as if the caller had called it.
func (c *call) account(uri sip.URI) (sip.URI, bool) {
	req := c.caller.usage.Invitation().Clone()
	req.URI = uri
	route := c.b.Router.Route(req)
	if route.Application != nil || route.Account.Host == "" || slices.ContainsFunc(c.asked, func(a sip.URI) bool { return a.AOR() == route.Account.AOR() }) {
		return sip.URI{}, false
	}
	return route.Account.Clone(), true
}
