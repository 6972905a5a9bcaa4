// Who may join calls of others, and the codes for it. RFC 3911 §4.

package server

import (
	"slices"
	"strings"

	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
)

// joinModes are what stands behind joinCode, before the number of whoever's call is to be joined.
const (
	joinCode  = "*5"
	joinModes = "123" // in the order of [b2bua.JoinMode]
)

// MayJoin implements [b2bua.Supervisors] by the setting of the account.
func (ds *domains) MayJoin(who b2bua.Caller, account sip.URI) bool {
	d, supervisor, ok := ds.account(who.Address.URI)
	other, user, known := ds.account(account)
	if !ok || !known || d != other {
		return false
	}
	set, _ := ds.directory.Settings(d.name).Account(supervisor)
	return slices.Contains(set.Supervise, user) || slices.Contains(set.Supervise, "*")
}

// joins leads the dialler of *51NUMBER, *52NUMBER or *53NUMBER to the call; false if nothing of the kind was dialled.
func (r *router) joins(req *sip.Request) (b2bua.Route, bool) {
	dialled, ok := strings.CutPrefix(req.URI.UserName(), joinCode)
	if !ok || len(dialled) < 2 {
		return b2bua.Route{}, false
	}
	mode := strings.IndexByte(joinModes, dialled[0])
	if mode < 0 {
		return b2bua.Route{}, false
	}
	there := req.URI
	there.User = dialled[1:]
	account, ok := r.registrar.Resolve(there)
	if !ok {
		return b2bua.Route{Refuse: sip.StatusNotFound}, true
	}
	return b2bua.Route{Join: b2bua.Join{Account: account, Mode: b2bua.JoinMode(mode)}}, true
}
