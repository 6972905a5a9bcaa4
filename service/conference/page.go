// Paging: a room whose members are called all at once, and answer by themselves. RFC 5373 §4.

package conference

import (
	"iter"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Page makes of a room a call to many: each call to it is a room of its own, the members are called in it, and it ends with the one who called.
type Page struct {
	Members []sip.URI // accounts; who calls is left out, and who is busy ([Conference.Busy])
	OneWay  bool      // only who calls is heard
	// Loudspeakers are multicast groups that hear everything, beside the members. [Conference.Multicast] leads there.
	Loudspeakers []netip.AddrPort
	Source       netip.Addr // of this machine, from which they are sent to; the zero value: [Conference.Multicast] chooses
	// Callers are the URIs of the accounts that may call; nil: every account. Whoever has not proved who it is may not.
	Callers []string
}

// AutoAnswer yields the headers by which an INVITE asks a telephone to answer by itself: Answer-Mode (RFC 5373 §4.1), and for telephones that do not know it what they
// listen to instead: a parameter of Call-Info, and a word in Alert-Info. host stands in the two URIs; nothing is fetched from there. Whoever sends them answers for the caller: they turn
// a telephone into a microphone.
func AutoAnswer(host string) iter.Seq2[sip.Header, string] {
	return func(yield func(sip.Header, string) bool) {
		_ = yield(sip.HeaderAnswerMode, "Auto") && yield(sip.HeaderCallInfo, "<sip:"+host+">;answer-after=0") &&
			yield(sip.HeaderAlertInfo, "<http://"+host+"/>;info=alert-autoanswer;delay=0")
	}
}

// pageTime is how long members ring who do not answer by themselves.
const pageTime = 15 * time.Second

// pageReason is told to whoever cannot be left alone with a loudspeaker.
const pageReason = `SIP;cause=200;text="The announcement is over"`

// allows reports whether somebody may page.
func (p *Page) allows(who caller) bool {
	return who.proven && (p.Callers == nil || slices.Contains(p.Callers, who.entity))
}

// guests are whom who calls has called.
func (p *Page) guests(c *Conference, who caller) (list []sip.URI) {
	for _, uri := range p.Members {
		if uri.AOR() != who.entity && (c.Busy == nil || !c.Busy(uri)) {
			list = append(list, uri)
		}
	}
	return list
}

// page makes of the settings of a page those of the room of one call.
func (c *Conference) page(m *member, set Settings) (Settings, sip.Status) {
	if !set.Page.allows(m.caller) || strings.HasPrefix(set.URI.User, madePrefix) { // one that goes on is for those who were called
		return set, sip.StatusForbidden
	}
	set.Factory, set.Quiet, set.MuteOnEntry = true, true, set.Page.OneWay
	m.guests = set.Page.guests(c, m.caller)
	if len(m.guests) == 0 && (len(set.Page.Loudspeakers) == 0 || c.Multicast == nil) {
		return set, sip.StatusBusyHere
	}
	return set, 0
}

// leaves ends a page when the one who called has gone.
func (r *room) leaves(m *member) {
	if r.set.Page != nil && !m.invited {
		r.each(func(other *member) { other.bye(pageReason) })
	}
}
