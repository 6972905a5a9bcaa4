// Parameters behind semicolons. RFC 3261 §25.1 generic-param, uri-parameter.

package sip

import "iter"

// Params is a list of parameters as written: ";transport=tcp;lr". It is decoded when asked; names compare without case.
type Params string

// Lookup returns the value of the first parameter called name, unquoted, and whether it is present (a parameter without value gives "", true).
func (p Params) Lookup(name string) (value string, ok bool) { return "", false }

// Get returns the value of the first parameter called name, unquoted, or "".
func (p Params) Get(name string) string { v, _ := p.Lookup(name); return v }

// Has reports whether a parameter called name is present.
func (p Params) Has(name string) bool { _, ok := p.Lookup(name); return ok }

// All yields names and values in order.
func (p Params) All() iter.Seq2[string, string] { return func(yield func(string, string) bool) {} }

// With returns p with the parameter set; an empty value writes the name alone. The value is quoted if it must be.
func (p Params) With(name, value string) Params { return p }

// Without returns p with every parameter called name removed.
func (p Params) Without(name string) Params { return p }
