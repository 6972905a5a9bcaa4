package carriage

// Candidates that become known after a description was sent. RFC 8838, RFC 8840 §4.

import (
	"slices"

	"github.com/sipwerk/sipwerk/media/ice"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// Trickled takes what a fragment of the peer says of m, a line that goes over t.
func (t *Transport) Trickled(fragment *sdp.Description, m *sdp.Media) {
	if i, ok := fragment.ICE(m); ok && t.agent != nil {
		t.agent.Trickled(ice.Remote{Credentials: ice.Credentials{Ufrag: i.Ufrag, Pwd: i.Password}, Candidates: candidates(i), Complete: i.End})
	}
}

// ask asks STUN servers how they see the stream, as far as they have its family.
func (t *Transport) ask() {
	for _, server := range t.STUN {
		if server.Addr().Is4() == t.Local.Addr().Is4() {
			t.agent.Gather(server)
		}
	}
}

// Gathering tells whether candidates of ours may still become known.
func (t *Transport) Gathering() bool { return t.agent != nil && t.agent.Gathering() }

// Untold returns what said, of a description of ours, does not tell the peer of our candidates; false if there is nothing, or it is of another generation: then the next description says it all.
func (t *Transport) Untold(said sdp.ICE) (sdp.ICE, bool) {
	if t.agent == nil {
		return sdp.ICE{}, false
	}
	own := t.agent.Credentials()
	if said.Ufrag != own.Ufrag {
		return sdp.ICE{}, false
	}
	news := sdp.ICE{Ufrag: own.Ufrag, Password: own.Pwd, End: !said.End && !t.agent.Gathering()}
	for _, c := range t.agent.Candidates() {
		if v := c.String(); !slices.Contains(said.Candidates, v) {
			news.Candidates = append(news.Candidates, v)
		}
	}
	return news, news.End || len(news.Candidates) > 0
}

// Restart lets the next offer begin ICE anew; the way in use stays until another is found. It reports false if ICE does not find the peer. RFC 8445 §9, RFC 8839 §4.4.1.1.
func (t *Transport) Restart() bool { return t.agent != nil && t.agent.Restart() == nil }
