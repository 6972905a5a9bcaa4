// Who we are to the peer when that changes while the call is up: it was connected to somebody else. RFC 4916 §4.

package dialog

import "github.com/sipwerk/sipwerk/sip"

// fromChange is the option tag of who takes another name in From than the dialog began with.
const fromChange = "from-change"

// Become changes who the peer is told that it talks to, from the next re-INVITE or UPDATE on. A peer that knows RFC 4916 finds it in From; asserted says it in
// P-Asserted-Identity too, for a peer that believes that (RFC 3325 §5). Nothing is sent by this.
func (u *Usage) Become(who sip.Address, asserted bool) {
	who.Params = ""
	if asserted {
		u.rare().identity = who.String()
	} else if u.extra != nil {
		u.extra.identity = ""
	}
	if u.renames && u.dialog != nil {
		u.spellOut()
		u.dialog.Local = who.WithTag(u.tag).String()
	}
}

// assert writes into a request that refreshes the session who we are, if that has changed.
func (u *Usage) assert(req *sip.Request) {
	if u.extra != nil && u.extra.identity != "" {
		req.Set(sip.HeaderPAssertedIdentity, u.extra.identity)
	}
}
