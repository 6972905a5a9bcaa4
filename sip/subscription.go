// Event and Subscription-State: what a subscription is to, and how it stands. RFC 6665 §8.2.1, §8.2.3.

package sip

import "time"

// EventPackage is the value of Event: the package and, in Params, what tells subscriptions of one dialog apart.
type EventPackage struct {
	Name   string // "presence", "presence.winfo", "dialog"
	Params Params
}

// ParseEventPackage parses a value of Event. The error is a [*ParseError].
func ParseEventPackage(s string) (EventPackage, error) {
	name, p, err := splitParams("Event", s, classToken)
	return EventPackage{name, p}, err
}

// ID returns the id parameter.
func (e EventPackage) ID() string { return e.Params.Get("id") }

// String prints the value.
func (e EventPackage) String() string {
	return string(appendParams([]byte(e.Name[:classToken.span(e.Name)]), e.Params))
}

// SubscriptionState is the value of Subscription-State.
type SubscriptionState struct {
	State  string // "active", "pending", "terminated" or an extension
	Params Params
}

// ParseSubscriptionState parses a value. The error is a [*ParseError].
func ParseSubscriptionState(s string) (SubscriptionState, error) {
	state, p, err := splitParams("Subscription-State", s, classToken)
	return SubscriptionState{state, p}, err
}

// Terminated reports whether the subscription has ended.
func (s SubscriptionState) Terminated() bool { return sameFold(s.State, "terminated") }

// Reason returns why it ended: "deactivated", "probation", "rejected", "timeout", "giveup", "noresource", "invariant".
func (s SubscriptionState) Reason() string { return s.Params.Get("reason") }

// Expires returns how long the subscription still lasts; ok is false if that is not said.
func (s SubscriptionState) Expires() (d time.Duration, ok bool) { return s.Params.seconds("expires") }

// RetryAfter returns when to subscribe again after the end; ok is false if that is not said.
func (s SubscriptionState) RetryAfter() (d time.Duration, ok bool) {
	return s.Params.seconds("retry-after")
}

// String prints the value.
func (s SubscriptionState) String() string {
	return string(appendParams([]byte(s.State[:classToken.span(s.State)]), s.Params))
}

// seconds returns a parameter that is a number of seconds; more than 32 bits hold is what they hold.
func (p Params) seconds(name string) (time.Duration, bool) {
	s, ok := p.Lookup(name)
	n, digits, _ := number(s)
	if !ok || digits == 0 || digits < len(s) {
		return 0, false
	}
	return time.Duration(n) * time.Second, true
}
