// Bulk registrations: a telephone system registers one contact for all numbers of its account, and is called at the number that was dialled. RFC 6140 §5.2, §7.1.1.
//
// Nothing is kept for a number: the contact is expanded when somebody calls one, so that a system with ten thousand numbers has one binding.

package registrar

import (
	"slices"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// optionGIN is the option tag of bulk registrations.
const optionGIN = "gin"

// How [Registrar.Resolve] says in an address-of-record which number of it was called, and which telephone behind the system.
const (
	numberParam = "number"
	deviceParam = "sg"
)

// bulk reports whether the contact stands for all numbers of its account.
func (b *Binding) bulk() bool {
	if !strings.Contains(b.Contact, "bnc") && !strings.Contains(b.Contact, "BNC") {
		return false
	}
	a, err := sip.ParseAddress(b.Contact)
	return err == nil && a.URI.Bulk()
}

// called is what an address-of-record says beside the account.
type called struct {
	gruu             bool
	instance, number string
	device           string
	all              bool // every binding, bulk ones as they are
}

// calledBy reads the parameters of an address-of-record of [Registrar.Resolve].
func calledBy(aor *sip.URI) (c called) {
	if aor.Params == "" {
		return c
	}
	c.instance, c.gruu = aor.GRUU()
	c.number, _ = aor.Param(numberParam)
	c.device, _ = aor.Param(deviceParam)
	return c
}

// reaches reports whether a binding leads to who is called, and notes which number it is to be expanded for. Nobody is reached at a bulk contact by the name of the account.
func (c *called) reaches(b *Binding) bool {
	if c.all {
		return true
	}
	if c.gruu && !strings.EqualFold(b.Instance, c.instance) {
		return false
	}
	if !b.bulk() {
		return true
	}
	b.Number, b.Device = c.number, c.device
	return c.number != ""
}

// Behind reports whether uri is a number that is reached by a bulk registration: who is registered there is known to the system behind it, and not here. RFC 6140 §7.2.2.
func (r *Registrar) Behind(uri sip.URI) bool {
	var res Result
	return r.Locate(&res, uri) && slices.ContainsFunc(res.Bindings, func(b Binding) bool { return b.Number != "" })
}

// mark notes in an address-of-record which number was called by uri.
func mark(aor *sip.URI, uri sip.URI) {
	number, ok := uri.GlobalNumber()
	if !ok {
		return
	}
	_, gruu := aor.GRUU()
	if aor.Params = aor.Params.With(numberParam, number); !gruu {
		return
	}
	if device, ok := uri.Param("sg"); ok {
		aor.Params = aor.Params.With(deviceParam, device)
	}
}

// line is the address-of-record of a number alone: a telephone that registers one number of many keeps a binding of its own, whatever becomes of the bulk registration.
// ok is false if it is the same as the account's.
func line(aor sip.URI, number string) (_ sip.URI, ok bool) {
	if number == "" || aor.User == number {
		return sip.URI{}, false
	}
	return sip.URI{Scheme: "sip", User: number, Host: aor.Host}, true
}
