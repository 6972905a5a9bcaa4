// Who gets a request: by method and domain. The names follow net/http.

package sip

// Mux is an EventHandler that passes a request to the handler whose pattern fits best. Patterns: "REGISTER example.org" (method and domain of the
// Request-URI), "example.org" (any method), "REGISTER" (any domain), "" (everything). Method and domain beats domain beats method beats "".
// The domain of an address literal is written as in a URI. No fit gives 404 for a foreign or unknown domain; a known domain or "" with methods registered but
// not this one gives 405 with Allow; a method nobody registered and no catch-all gives 501. An ACK goes like its INVITE and is never answered.
//
// The zero Mux is ready; register all handlers before it is used.
type Mux struct {
	handlers map[string]EventHandler
}

// Handle registers h for pattern. A second registration of a pattern replaces the first.
func (m *Mux) Handle(pattern string, h EventHandler) {}

// HandleEvent passes ev on. Events of transactions owned by others never come here.
func (m *Mux) HandleEvent(ev *Event) {}
