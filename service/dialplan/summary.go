// A decision in a word.

package dialplan

import "strings"

// Summary is a decision in a word, for tests and logs: "account:200", "group:600/account:200+account:201", "out:+33123456789@telco", "emergency:112", "queue:610",
// "voicemail:200", "refuse:country", "give".
func (d *Decision) Summary() string {
	switch d.Action {
	case Enter:
		return string(d.Place.Kind) + ":" + d.Place.Name
	case Ask:
		return "ask:" + d.Question.Rule
	case Give:
		return "give"
	case Refuse:
		return "refuse:" + string(d.Refusal.Why)
	}
	legs := make([]string, len(d.Legs))
	for i := range d.Legs {
		legs[i] = d.Legs[i].String()
	}
	all := strings.Join(legs, "+")
	if f := d.way.frame; f != nil && f.place.Kind == KindGroup {
		return "group:" + f.place.Name + "/" + all
	}
	return all
}

// String is the leg in a word.
func (l *Leg) String() string {
	switch {
	case l.Out == nil:
		return "account:" + l.Account
	case l.Out.Emergency:
		return "emergency:" + l.Out.Number.Text()
	case len(l.Out.Trunks) > 0:
		return "out:" + l.Out.Number.Text() + "@" + strings.Join(l.Out.Trunks, ",")
	}
	return "out:" + l.Out.Number.Text()
}
