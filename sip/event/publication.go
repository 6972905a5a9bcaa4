// What PUBLISH does to one publication, without clock or socket. RFC 3903 §6, §4.1.

package event

import "github.com/sipwerk/sipwerk/sip"

// publishKind is what a PUBLISH asks for. RFC 3903 §4.1, table 1.
type publishKind uint8

const (
	publishInitial publishKind = iota // a body, no SIP-If-Match
	publishRefresh                    // SIP-If-Match, no body
	publishModify                     // both
	publishRemove                     // SIP-If-Match and Expires 0
	publishNothing                    // neither: there is nothing to publish
)

// kindOf tells what a PUBLISH asks for. One that is to last no time and knows no entity tag is told as it would be kept, and forgotten at once.
func kindOf(matched, body, ends bool) publishKind {
	switch {
	case matched && ends:
		return publishRemove
	case matched && body:
		return publishModify
	case matched:
		return publishRefresh
	case body:
		return publishInitial
	}
	return publishNothing
}

// publishAction is what to do with it.
type publishAction uint8

const (
	publishKeep   publishAction = iota // keep the document under a new entity tag
	publishExtend                      // keep the old document under a new entity tag
	publishForget
	publishRefuse
)

// step decides what a PUBLISH of a kind does where the publication that it names is known, or not; refused is the answer if it is refused.
func (k publishKind) step(known bool) (a publishAction, refused sip.Status) {
	switch {
	case k == publishNothing:
		return publishRefuse, sip.StatusBadRequest // RFC 3903 §6 step 5
	case k == publishInitial:
		return publishKeep, 0
	case !known:
		// RFC 3903 §6 step 2: the publisher begins anew.
		return publishRefuse, sip.StatusConditionalRequestFailed
	case k == publishRefresh:
		return publishExtend, 0
	case k == publishModify:
		return publishKeep, 0
	}
	return publishForget, 0
}
