// Package description is where SIP messages and session descriptions meet: the description in a message, one put in the place of another, and the status of
// what goes wrong with them.
//
// It decides nothing about media and sends nothing: media/session makes the descriptions, sip/dialog carries them. RFC 3261 §13.2.1; RFC 5621.
package description

import (
	"errors"
	"strings"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/sip"
)

// Type is the media type of a session description.
const Type = "application/sdp"

// Read returns the description that a message holds for us; nil if it holds none. The error is a [sip.Status]: 415 if something else in the body must be
// understood (RFC 5621 §8.4), 400 for what is no description.
func Read(m *sip.Message) (*sdp.Description, error) {
	if !m.Understood(isDescription) {
		return nil, sip.StatusUnsupportedMediaType
	}
	return Find(m)
}

// Find is [Read] for whoever hands the other parts of the body on: they are not its business. A malformed body is 400.
func Find(m *sip.Message) (*sdp.Description, error) {
	if len(m.Body()) == 0 {
		return nil, nil
	}
	part, ok := part(m)
	if !ok {
		for _, err := range m.Parts() {
			if err != nil {
				return nil, sip.StatusBadRequest
			}
		}
		return nil, nil
	}
	d, err := sdp.Parse(part.Body)
	if err != nil {
		return nil, sip.StatusBadRequest
	}
	return d, nil
}

// part returns the part of a body that describes the session. One that describes something else, such as early-session (RFC 3959), does not count.
func part(m *sip.Message) (sip.Part, bool) {
	p, ok := m.Part(Type)
	return p, ok && isDescription(p)
}

func isDescription(p sip.Part) bool {
	return p.Type.Type == "application" && p.Type.Subtype == "sdp" && p.Disposition.Type == "session"
}

// Replace returns the body of a message with our description in the place of its own, all other parts as they are; without other parts, ours alone.
// A message whose body has no description keeps it. RFC 5621 §3.
func Replace(m *sip.Message, ours []byte) (contentType string, body []byte) {
	whole := m.Body()
	p, ok := part(m)
	if !ok || !strings.HasPrefix(m.ContentType(), "multipart/") {
		return Type, ours
	}
	start := cap(whole) - cap(p.Body) // the part is a piece of the body
	body = make([]byte, 0, len(whole)-len(p.Body)+len(ours))
	body = append(body, whole[:start]...)
	body = append(body, ours...)
	body = append(body, whole[start+len(p.Body):]...)
	return strings.Clone(m.Get(sip.HeaderContentType)), body
}

// Status returns the answer to an offer that cannot be taken: the [sip.Status] that err wraps, 488 if the sides have nothing in common, 503 if there is no port,
// 500 for what else goes wrong here.
func Status(err error) sip.Status {
	var status sip.Status
	switch {
	case errors.As(err, &status):
		return status
	case errors.Is(err, sdp.ErrNothingCommon):
		return sip.StatusNotAcceptableHere
	case errors.Is(err, relay.ErrPorts):
		return sip.StatusServiceUnavailable
	}
	return sip.StatusServerInternalError
}
