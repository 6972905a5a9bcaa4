package carriage

// Whether the peer shows all the time that it is there. RFC 7675 §5.1.

import (
	"time"

	"github.com/sipwerk/sipwerk/media/ice"
)

// ConsentEnd is after how long without a sign of the peer's its consent is over. RFC 7675 §5.1.
const ConsentEnd = 30 * time.Second

// Heard returns when the peer showed last by ICE that it is there, the zero time if it never did. consents tells whether it has to show that all the time: it goes on to check the way, or it is a browser by its terms that
// did so until its last description and has not been there without checks since. Of whoever was never seen to, nothing follows from the end of its checks: some that speak WebRTC ask for no consent.
func (t *Transport) Heard() (last time.Time, consents bool) {
	if t.agent == nil {
		return time.Time{}, false
	}
	last, habit := t.agent.Heard()
	return last, habit == ice.Steady || habit == ice.Former && t.now.browser()
}

// browser tells whether these are the terms of those that speak WebRTC: nobody else wants all of this.
func (n *Terms) browser() bool {
	return n.Keying == Handshake && n.ICE && n.Mux && n.Profile.Feedback
}
