// The feature numbers in force.

package server

import (
	"slices"

	"github.com/sipwerk/sipwerk/service/pbx"
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
	return ns
}
