package session

// Candidates that become known after a description was sent: of the peer, and of ours. RFC 8838, RFC 8840 §4.

import (
	"context"
	"slices"

	"github.com/sipwerk/sipwerk/media/ice"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// trickled gives the agent what a fragment of the peer says of m, a line that goes over t.
func (t *transport) trickled(fragment *sdp.Description, m *sdp.Media) {
	if i, ok := fragment.ICE(m); ok && t.agent != nil {
		t.agent.Trickled(ice.Remote{Credentials: ice.Credentials{Ufrag: i.Ufrag, Pwd: i.Password}, Candidates: candidates(i), Complete: i.End})
	}
}

// Trickled takes a fragment of the leg's peer: more candidates of lines that both have described. What is of other lines, or of a generation that is over, changes nothing.
func (l *Leg) Trickled(fragment *sdp.Description) {
	for i := range fragment.Media {
		m := &fragment.Media[i]
		at := slices.IndexFunc(l.lines, func(n line) bool { return n.mid != "" && n.mid == m.MID() })
		if at >= 0 {
			l.lines[at].way.trickled(fragment, m)
		}
	}
}

// Trickled is [Leg.Trickled] for the peer of an endpoint.
func (e *Endpoint) Trickled(fragment *sdp.Description) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.said == nil {
		return
	}
	for i := range fragment.Media {
		m := &fragment.Media[i]
		at := slices.IndexFunc(e.said.Media, func(n sdp.Media) bool { return n.MID() != "" && n.MID() == m.MID() })
		if at >= 0 {
			e.wayLocked(at).trickled(fragment, m)
		}
	}
}

// ask asks STUN servers how they see the stream, as far as they have its family.
func (t *transport) ask() {
	for _, server := range t.servers {
		if server.Addr().Is4() == t.local.Addr().Is4() {
			t.agent.Gather(server)
		}
	}
}

// Gathered waits until all [Voice].STUN have answered, or will not, or ctx ends. They are asked with the first offer or answer that ICE is part of; what becomes known before a description is part of it, what comes later
// is told to [Voice].Trickle.
func (e *Endpoint) Gathered(ctx context.Context) {
	done := make(chan struct{})
	e.gathered.Store(&done)
	e.mu.Lock()
	gathering := e.way.agent != nil && e.way.agent.Gathering()
	e.mu.Unlock()
	if !gathering {
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// more takes note that a candidate of ours, or the end of them, has become known. The endpoint may be locked by who waits for that.
func (e *Endpoint) more(end bool) {
	if end {
		if done := e.gathered.Swap(nil); done != nil {
			close(*done)
		}
	}
	if e.voice.Trickle != nil {
		e.voice.Trickle()
	}
}

// Fragment returns what is to be told to the peer of candidates that our descriptions and fragments before do not name, for an INFO (RFC 8840 §4.4); nil: there is nothing.
func (e *Endpoint) Fragment() []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	at := -1
	if e.said != nil {
		at = soundLine(e.said)
	}
	if at < 0 || e.way.agent == nil {
		return nil
	}
	m := &e.said.Media[at]
	said, ok := e.said.ICE(m)
	own := e.way.agent.Credentials()
	if !ok || said.Ufrag != own.Ufrag || m.MID() == "" {
		return nil // the next description says it all
	}
	news := sdp.ICE{Ufrag: own.Ufrag, Password: own.Pwd, End: !said.End && !e.way.agent.Gathering()}
	for _, c := range e.way.agent.Candidates() {
		if v := c.String(); !slices.Contains(said.Candidates, v) {
			news.Candidates = append(news.Candidates, v)
			m.Lines.AddAttribute("candidate", v)
		}
	}
	if news.End {
		m.Lines.AddAttribute("end-of-candidates", "")
	}
	if len(news.Candidates) == 0 && !news.End {
		return nil
	}
	return m.AppendFragment(nil, news)
}

// Restart lets the next offer begin ICE anew: the way has broken, or leads over another network now. The one in use stays until another is found. It reports false if ICE does not find the peer. RFC 8445 §9, RFC 8839 §4.4.1.1.
func (e *Endpoint) Restart() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.way.agent != nil && e.way.agent.Restart() == nil
}
