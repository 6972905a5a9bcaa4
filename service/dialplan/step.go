// The steps of a decision, for people to read.

package dialplan

import (
	"fmt"
	"strings"
)

// Step is one thing that was looked at.
type Step struct {
	Say  Saying
	A, B string // what stands in its places
}

// String is the step in English.
func (s Step) String() string { return s.In(string(s.Say)) }

// In is the step in another language: format is the translation of its Saying.
func (s Step) In(format string) string {
	switch strings.Count(format, "%s") {
	case 0:
		return format
	case 1:
		return fmt.Sprintf(format, s.A)
	}
	return fmt.Sprintf(format, s.A, s.B)
}

// Saying is what a step says, with %s where something is put in.
type Saying string

// What steps say.
const (
	sayCaller      Saying = "%s calls %s"
	sayStranger    Saying = "somebody outside calls %s"
	sayTrunk       Saying = "a call to %s comes in by the trunk %s"
	sayTransfer    Saying = "%s transfers a call to %s"
	sayDeflect     Saying = "a telephone of %s sends a call on to %s"
	sayEmergency   Saying = "%s is an emergency number: no rule and no limit applies"
	saySOS         Saying = "%s was asked for: that is %s here"
	sayShort       Saying = "the short number %s stands for %s"
	sayRule        Saying = "rule %s: its condition holds"
	sayNoRule      Saying = "rule %s: its condition does not hold"
	sayBadRule     Saying = "rule %s fails: %s"
	sayAsk         Saying = "rule %s asks its %s"
	sayAnswer      Saying = "rule %s says %s"
	saySilent      Saying = "rule %s says nothing"
	sayOtherwise   Saying = "rule %s falls back to %s"
	sayPlace       Saying = "%s is the %s"
	sayNumber      Saying = "%s is the number %s"
	sayCountry     Saying = "it belongs to %s, class %s"
	sayInbound     Saying = "the trunk sends calls to %s to %s"
	sayDefault     Saying = "the trunk sends every other call to %s"
	sayUnknown     Saying = "nothing is called %s"
	sayNoTrunk     Saying = "there is no trunk that leads outside"
	sayForward     Saying = "%s forwards every call to %s"
	sayOwnForward  Saying = "%s forwards every call to the caller, who reaches it all the same"
	sayDND         Saying = "%s does not want to be disturbed"
	sayRing        Saying = "%s rings for %s"
	sayRingOn      Saying = "%s rings"
	sayOutcome     Saying = "%s: %s"
	sayDivert      Saying = "the call goes on to %s"
	sayMailbox     Saying = "the call goes to the voicemail of %s"
	sayNoMailbox   Saying = "%s has no voicemail"
	sayGroup       Saying = "the group %s rings: %s"
	sayMemberDND   Saying = "%s is left out: it does not want to be disturbed"
	sayMemberCalls Saying = "%s is left out: it calls itself"
	sayMemberNone  Saying = "%s is left out: nothing is called so"
	sayMemberOut   Saying = "%s is left out: it may not be called"
	sayNobody      Saying = "nobody of the group %s can ring"
	sayOpen        Saying = "the hours %s: open (%s)"
	sayClosed      Saying = "the hours %s: closed (%s)"
	sayEnter       Saying = "the %s %s takes the call"
	sayRefuse      Saying = "the call is refused with %s: %s"
	sayLoop        Saying = "the call comes to %s again: it is not diverted in a circle"
	sayTooOften    Saying = "the call has been diverted %s times: that is enough"
	sayGive        Saying = "nothing more is to be tried"
	sayAllowed     Saying = "%s may be called"
	sayAllowedOpen Saying = "%s may be called: its beginning %s is open"
	sayNight       Saying = "the night lock holds: %s"
)

// Sayings returns everything that steps say: whoever translates it needs it all.
func Sayings() []Saying {
	return []Saying{sayCaller, sayStranger, sayTrunk, sayTransfer, sayDeflect, sayEmergency, saySOS, sayShort, sayRule, sayNoRule, sayBadRule, sayAsk, sayAnswer, saySilent,
		sayOtherwise, sayPlace, sayNumber, sayCountry, sayInbound, sayDefault, sayUnknown, sayNoTrunk, sayForward, sayOwnForward, sayDND, sayRing, sayRingOn, sayOutcome, sayDivert,
		sayMailbox, sayNoMailbox, sayGroup, sayMemberDND, sayMemberCalls, sayMemberNone, sayMemberOut, sayNobody, sayOpen, sayClosed, sayEnter, sayRefuse, sayLoop, sayTooOften,
		sayGive, sayAllowed, sayAllowedOpen, sayNight}
}
