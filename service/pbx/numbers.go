// Which numbers there are, and what they stand for.

package pbx

import (
	"slices"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// Feature is something that a number stands for.
type Feature string

// The features.
const (
	Echo    Feature = "echo"  // says back what it hears
	Music   Feature = "music" // plays a melody
	Parking Feature = "park"  // keeps a call for whoever dials its slot: [Park]
)

// Intercom is no application: whoever routes leads [IntercomCode] and an extension to the telephones of that.
const (
	Intercom     Feature = "intercom"
	IntercomCode string  = "*80"
)

// What leads to calls of others is no application either: whoever routes sees to it.
const (
	Pickup          Feature = "pickup"
	GroupPickup     Feature = "group-pickup"
	Supervise       Feature = "supervise"
	PickupCode              = "**" // and an extension
	GroupPickupCode         = "*8"
	JoinCode                = "*5"  // and one of JoinModes, and an extension
	JoinModes               = "123" // in the order of [b2bua.JoinMode]
)

// parkNumber is the number of the lot in [DefaultNumbers].
const parkNumber = "*500"

// Number is a feature number in force.
type Number struct {
	Feature     Feature
	Dial        string   // what is dialled on a keypad
	Names       []string // user parts of URIs that mean the same, in lower case
	Description string
	Argument    bool // digits may follow: they are [Facts.Argument]
}

// DefaultNumbers are the numbers in force unless others are given. They begin with a star, so that they cannot be extensions.
func DefaultNumbers() []Number {
	return append([]Number{
		{Feature: Echo, Dial: "*43", Names: []string{"echo"}, Description: "says back what it hears"},
		{Feature: Music, Dial: "*44", Names: []string{"music"}, Description: "plays a melody"},
		{Feature: Mailbox, Dial: "*97", Names: []string{"mailbox"}, Description: "plays the messages of one's own mailbox"},
		{Feature: MailboxOf, Dial: "*98", Names: []string{"mailboxes"}, Description: "opens any mailbox by its number and PIN"},
	}, append(slices.Concat(callNumbers(), agentNumbers(), callbackNumbers()), Number{Feature: Intercom, Dial: IntercomCode, Names: []string{"intercom"}, Argument: true, Description: "and an extension: its telephone answers by itself, if you may do that"})...)
}

// Table returns the numbers in force. It is the caller's.
func (p *PBX) Table() []Number {
	if p.Numbers == nil {
		return DefaultNumbers()
	}
	return slices.Clone(p.Numbers)
}

// Application returns the handler of the feature that user, the user part of a Request-URI with its escapes decoded, stands for; nil if it stands for none.
func (p *PBX) Application(user string) sip.EventHandler {
	p.start()
	if app, ok := p.applications[strings.ToLower(user)]; ok {
		return app
	}
	if code, rest := argument(p.Table(), user); code != "" {
		if app, ok := p.applications[code].(*application); ok {
			with := *app
			with.argument = strings.Clone(rest)
			return &with
		}
	}
	return nil
}

// SendsOn reports whether what answers a number may send its caller on: whoever routes makes it a branch of a call, for not every telephone takes a REFER.
func (p *PBX) SendsOn(user string) bool {
	app, ok := p.Application(user).(*application)
	return ok && (app.feature == Mailbox || app.feature == MailboxOf)
}

// Changes reports whether what answers a number changes something for whoever calls it: whoever routes leads nobody there who has not dialled it.
func (p *PBX) Changes(user string) bool {
	app, ok := p.Application(user).(*application)
	return ok && slices.Contains(changing, app.feature)
}

// changing are the features of [PBX.Changes].
var changing = []Feature{AgentLogin, AgentBreak, CallBack, CallBackCancel}

// start makes the table of applications.
func (p *PBX) start() {
	p.once.Do(func() {
		p.applications = make(map[string]sip.EventHandler)
		for _, n := range p.Table() {
			play := p.player(n.Feature)
			if play == nil {
				continue
			}
			for _, user := range append(n.Names, n.Dial) {
				p.applications[strings.ToLower(user)] = &application{pbx: p, feature: n.Feature, player: play}
			}
		}
	})
}

// player returns the application of a feature, nil for an unknown one.
func (p *PBX) player(f Feature) Player {
	switch f {
	case Echo:
		return PlayerFunc(echo)
	case Music:
		return PlayerFunc(p.tune.play)
	}
	return p.Players[f]
}
