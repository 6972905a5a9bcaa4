// Push notifications: what a device says of how it is woken is kept in its contact, for whoever wakes it and nobody else. RFC 8599.

package registrar

import (
	"slices"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// Push says how a sleeping device is woken. RFC 8599 §4.1, §14.2.
type Push struct {
	Provider string // pn-provider: apns, fcm, webpush …
	Param    string // pn-param
	PRID     string // pn-prid: names the device to the provider
}

// pushPrefix begins the names of the parameters.
const pushPrefix = "pn-"

// Push returns how the device is woken; ok is false if it did not say.
func (b *Binding) Push() (p Push, ok bool) {
	if !strings.Contains(b.Contact, pushPrefix) {
		return p, false
	}
	a, err := sip.ParseAddress(b.Contact)
	if err != nil {
		return p, false
	}
	p.Provider, _ = a.URI.Param("pn-provider")
	p.Param, _ = a.URI.Param("pn-param")
	p.PRID, _ = a.URI.Param("pn-prid")
	return p, p.Provider != "" && p.PRID != ""
}

// readPush refuses a device that asks for a provider which nobody here can reach. RFC 8599 §5.6.1.
func (r *Registrar) readPush(w *work) *refusal {
	if len(r.Push) == 0 {
		return nil
	}
	for i := range w.update.wishes {
		provider, ok := w.update.wishes[i].uri.Param("pn-provider")
		if !ok || w.update.wishes[i].expires == 0 {
			continue
		}
		w.update.push = true
		if provider != "" && !slices.Contains(r.Push, provider) {
			return &refusal{status: sip.StatusPushNotSupported}
		}
	}
	return nil
}

// offerPush names the providers to a device that asks. RFC 8599 §5.6.1, §8.1.
func (r *Registrar) offerPush(w *work, res *sip.Response) {
	if !w.update.push {
		return
	}
	for _, provider := range r.Push {
		res.Add(sip.HeaderFeatureCaps, `*;+sip.pns="`+provider+`"`)
	}
}

// appendWithoutPush appends a contact, its push parameters left out.
func appendWithoutPush(b []byte, contact string) []byte {
	a, err := sip.ParseAddress(contact)
	if err != nil {
		return b
	}
	a.URI.Params = withoutPush(a.URI.Params)
	return a.AppendTo(b)
}

func withoutPush(p sip.Params) sip.Params {
	for name := range p.All() {
		if len(name) > len(pushPrefix) && strings.EqualFold(name[:len(pushPrefix)], pushPrefix) {
			p = p.Without(name)
		}
	}
	return p
}
