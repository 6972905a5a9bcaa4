// Calls that are taken where they ring: the codes for it. RFC 5359 §2.16.

package server

import (
	"strings"

	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
)

// pickupCode stands before the number of whoever's call is to be taken.
const pickupCode = "**"

// pickUp leads the dialler of **NUMBER to the call that rings there; false if nothing of the kind was dialled.
func (r *router) pickUp(req *sip.Request) (b2bua.Route, bool) {
	number, ok := strings.CutPrefix(req.URI.UserName(), pickupCode)
	if !ok || number == "" {
		return b2bua.Route{}, false
	}
	there := req.URI
	there.User = number
	account, ok := r.registrar.Resolve(there)
	if !ok {
		return b2bua.Route{Refuse: sip.StatusNotFound}, true
	}
	return b2bua.Route{PickUp: []sip.URI{account}}, true
}
