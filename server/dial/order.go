// Codes by which people set their forwards and do not disturb at the telephone: *21*NUMBER and its like, as mobile and office telephones know them (ETSI EN 300 738, 3GPP TS 22.030).

package dial

import (
	"strings"

	"github.com/sipwerk/sipwerk/server/object"
)

// Code is one code: *DIGITS*NUMBER sets, *DIGITS sets what goes without a number, #DIGITS takes back, *#DIGITS asks. A "#" at the end is as good as none.
type Code struct {
	Digits      string
	Name        string // user part that means *DIGITS
	Description string
	field       func(*object.Account) *string // the forward; nil for do not disturb
}

// Codes are the codes in force.
func Codes() []Code {
	return []Code{
		{"21", "forward", "forwards every call to NUMBER (*21*NUMBER), or to the voicemail", func(a *object.Account) *string { return &a.ForwardAlways }},
		{"61", "forward-no-answer", "forwards calls that nobody answers to NUMBER (*61*NUMBER), or to the voicemail", func(a *object.Account) *string { return &a.ForwardNoAnswer }},
		{"62", "forward-offline", "forwards calls without a telephone to NUMBER (*62*NUMBER), or to the voicemail", func(a *object.Account) *string { return &a.ForwardOffline }},
		{"67", "forward-busy", "forwards calls during a call to NUMBER (*67*NUMBER), or to the voicemail", func(a *object.Account) *string { return &a.ForwardBusy }},
		{"26", "do-not-disturb", "does not disturb: callers hear that the line is busy (#26 ends it, *#26 tells)", nil},
	}
}

// Order is what somebody has dialled with a code.
type Order struct {
	Code
	Verb   Verb
	Number string // of TurnOn; "": the voicemail
}

// Verb is what is to be done.
type Verb uint8

// The verbs.
const (
	TurnOn Verb = iota
	TurnOff
	Tell
)

// ReadOrder reads what was dialled; ok is false if it is none of the codes.
func ReadOrder(dialled string) (o Order, ok bool) {
	s := strings.TrimSuffix(dialled, "#")
	switch {
	case strings.HasPrefix(s, "*#"):
		o.Verb, s = Tell, s[2:]
	case strings.HasPrefix(s, "#"):
		o.Verb, s = TurnOff, s[1:]
	case strings.HasPrefix(s, "*"):
		s = s[1:]
	default:
		for _, c := range Codes() {
			if strings.EqualFold(s, c.Name) {
				return Order{Code: c}, true
			}
		}
		return o, false
	}
	digits, number, more := strings.Cut(s, "*")
	for _, c := range Codes() {
		if c.Digits == digits && (!more || number != "" && o.Verb == TurnOn && c.field != nil) {
			o.Code, o.Number = c, number
			return o, true
		}
	}
	return Order{}, false
}

// Disturbs reports whether the order is about do not disturb, and not about a forward.
func (o *Order) Disturbs() bool { return o.field == nil }

// Target is where calls are to be forwarded.
func (o *Order) Target() string {
	if o.Number == "" {
		return "voicemail"
	}
	return o.Number
}

// Apply changes the settings of an account.
func (o *Order) Apply(a *object.Account) {
	switch {
	case o.field == nil:
		a.DND = o.Verb == TurnOn
	case o.Verb == TurnOn:
		*o.field(a) = o.Target()
	default:
		*o.field(a) = ""
	}
}

// Forward is where the account forwards those calls; "" for nowhere.
func (o *Order) Forward(a *object.Account) string { return *o.field(a) }
