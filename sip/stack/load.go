// Both sides of overload control, as the transaction layer asks for them. RFC 7339 §5.

package stack

import (
	"net/netip"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/overload"
)

// load is the gate before what comes in, and the memory for what neighbours have asked.
type load struct {
	*overload.Gate
	overload.Neighbours
	known func(netip.Addr) bool
}

// Mark implements [transaction.Load].
func (l *load) Mark(to netip.Addr) string {
	if l.known == nil || !l.known(to) {
		return ""
	}
	return overload.Mark
}

// Heard implements [transaction.Load]. Who was not asked is not heeded.
func (l *load) Heard(now time.Time, from netip.AddrPort, via sip.Via) {
	if l.known != nil && l.known(from.Addr()) {
		l.Neighbours.Heard(now, from, via)
	}
}
