// Package dialplan decides where a call goes: from what is known of it (who calls, what was dialled, when), from the settings of a domain, and from nothing else. It opens
// no socket, asks no clock and keeps no state, so that the same decision can be explained, tested and made.
//
// [Compile] reads [Settings] into a [Plan] that never changes: a call that runs keeps the plan with which it began. [Plan.Decide] gives the first [Decision] for a [Call],
// [Plan.After] the next one when nobody was reached, and each says in its steps how it was found. What must wait (a script, a webhook) is a [Question] that is answered from
// outside ([Plan.Answered]).
//
// In the order in which a call meets them: number.go (numbers become E.164), emergency.go (what nothing stops), rule.go and script.go (the rules), decide.go (what a number stands
// for), account.go and group.go (who rings, and who then), gate.go (the brakes on calls to the outside), proof.go (tests beside the plan).
//
// RFC 3966 (numbers as URIs), RFC 5031 (service URNs for emergency), RFC 5806 and RFC 7044 (why a call is where it is). ITU-T E.164.
package dialplan
