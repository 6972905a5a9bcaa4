// The numbers that reach the house itself, and the house as its dial plan sees it.

package setup

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sipwerk/sipwerk/server/dial"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/service/pbx"
)

// What logs and records call the codes for forwards, and the night switch.
const (
	CodeFeature  = "forward"
	NightFeature = "night"
)

// Number is a number that reaches the house itself instead of a person.
type Number struct {
	Dial        string   `json:"dial"`  // on a keypad
	Names       []string `json:"names"` // user parts that mean the same
	Feature     string   `json:"feature"`
	Description string   `json:"description"`
}

// Numbers returns the feature numbers that every domain has, unless one of its accounts is called the same.
func Numbers() []Number {
	var ns []Number
	for _, n := range pbx.DefaultNumbers() {
		ns = append(ns, Number{Dial: n.Dial, Names: slices.Clone(n.Names), Feature: string(n.Feature), Description: n.Description})
	}
	for _, c := range dial.Codes() {
		ns = append(ns, Number{Dial: "*" + c.Digits, Names: []string{c.Name}, Feature: CodeFeature, Description: c.Description})
	}
	return append(ns, Number{Dial: dial.NightCode, Names: []string{dial.NightName}, Feature: NightFeature, Description: "and the code of opening hours: opens or closes by hand, or goes by the times again"})
}

// Features are the numbers and names of the features of every domain.
func Features() dial.Features {
	f := make(dial.Features)
	for _, n := range Numbers() {
		f[strings.ToLower(n.Dial)] = true
		for _, name := range n.Names {
			f[strings.ToLower(name)] = true
		}
	}
	return f
}

// House is a house without a server that runs in it.
func House(accounts dial.Accounts, set *object.Settings) *dial.House {
	return &dial.House{Set: set, Accounts: accounts, Features: Features(), Numbers: houseNumbers()}
}

// houseNumbers are the numbers of the features, with what telephones dial that no list needs to name: single slots, whispering. Those of calls of others and of agents come before the plan.
func houseNumbers() (all []dial.Number) {
	for _, n := range Numbers() {
		all = append(all, dial.Number{Dial: n.Dial, Names: n.Names, Description: n.Description, Ahead: slices.Contains(ahead, pbx.Feature(n.Feature))})
		switch pbx.Feature(n.Feature) {
		case pbx.Parking:
			for slot := range pbx.DefaultSlots {
				all = append(all, dial.Number{Dial: n.Dial[:len(n.Dial)-1] + strconv.Itoa(slot+1), Description: n.Description, Ahead: true})
			}
		case pbx.Supervise:
			for _, mode := range pbx.JoinModes {
				all = append(all, dial.Number{Dial: pbx.JoinCode + string(mode), Description: n.Description, Ahead: true})
			}
		}
	}
	return all
}

// ahead are the features that the router looks for before it asks the plan.
var ahead = []pbx.Feature{pbx.Parking, pbx.Pickup, pbx.GroupPickup, pbx.Supervise, pbx.Intercom}
