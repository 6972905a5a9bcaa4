// Who gets a request: by method and domain. The names follow net/http.

package sip

import (
	"slices"
	"strings"
)

// Mux is an EventHandler that passes a request to the handler whose pattern fits best. Patterns: "REGISTER example.org" (method and domain of the
// Request-URI), "example.org" (any method), "REGISTER" (any domain), "" (everything). Method and domain beats domain beats method beats "".
// A word without a dot, colon or bracket that is all upper case is a method. The domain of an address literal is written as in a URI.
//
// No fit gives 501 for a method that nobody registered where every pattern names one; 405 with Allow for a known domain, or where no pattern names a domain;
// and 404 otherwise. An ACK goes like its INVITE (to a pattern for ACK, or else for INVITE) and is never answered.
//
// The zero Mux is ready; register all handlers before it is used.
type Mux struct {
	handlers map[muxPattern]EventHandler
}

// muxPattern is a pattern taken apart; "" is any. The domain is in lower case.
type muxPattern struct {
	method Method
	domain string
}

// Handle registers h for pattern. A second registration of a pattern replaces the first.
func (m *Mux) Handle(pattern string, h EventHandler) {
	if m.handlers == nil {
		m.handlers = make(map[muxPattern]EventHandler)
	}
	first, second, both := strings.Cut(pattern, " ")
	p := muxPattern{Method(first), strings.ToLower(second)}
	if !both && (strings.ContainsAny(first, ".:[") || first != strings.ToUpper(first)) {
		p = muxPattern{"", strings.ToLower(first)}
	}
	m.handlers[p] = h
}

// HandleEvent passes ev on. Events of transactions owned by others never come here.
func (m *Mux) HandleEvent(ev *Event) {
	if ev.Kind != EventRequest && ev.Kind != EventAck {
		return
	}
	r := ev.Request
	domain := strings.ToLower(r.URI.Host)
	h := m.lookup(r.Method, domain)
	if h == nil && r.Method == MethodAck {
		h = m.lookup(MethodInvite, domain)
	}
	switch {
	case h != nil:
		h.HandleEvent(ev)
	case ev.Kind == EventRequest:
		// An error means that the transaction is gone: nobody waits for the answer.
		_ = ev.Engine.RespondOnce(ev.Tx, m.refusal(r, domain))
	}
}

func (m *Mux) lookup(method Method, domain string) EventHandler {
	for _, p := range [...]muxPattern{{method, domain}, {"", domain}, {method, ""}, {"", ""}} {
		if h := m.handlers[p]; h != nil {
			return h
		}
	}
	return nil
}

// refusal returns the answer to a request that nobody takes.
func (m *Mux) refusal(r *Request, domain string) *Response {
	var allowed []string
	methodKnown, domainKnown, domains := false, false, false
	for p := range m.handlers {
		methodKnown = methodKnown || p.method == "" || p.method == r.Method
		domainKnown = domainKnown || p.domain != "" && p.domain == domain
		domains = domains || p.domain != ""
		if p.method != "" && (p.domain == "" || p.domain == domain) && !slices.Contains(allowed, string(p.method)) {
			allowed = append(allowed, string(p.method))
		}
	}
	switch {
	case !methodKnown:
		return r.Reply(StatusNotImplemented)
	case !domainKnown && domains:
		return r.Reply(StatusNotFound)
	}
	slices.Sort(allowed)
	res := r.Reply(StatusMethodNotAllowed)
	res.Set(HeaderAllow, strings.Join(allowed, ", "))
	return res
}
