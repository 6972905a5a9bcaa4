package session

// Candidates that become known after a description was sent: of the peer, and of ours. RFC 8838, RFC 8840 §4.

import (
	"context"
	"slices"

	"github.com/sipwerk/sipwerk/media/sdp"
)

// Trickled takes a fragment of the leg's peer: more candidates of lines that both have described. What is of other lines, or of a generation that is over, changes nothing.
func (l *Leg) Trickled(fragment *sdp.Description) {
	for i := range fragment.Media {
		m := &fragment.Media[i]
		at := slices.IndexFunc(l.lines, func(n line) bool { return n.mid != "" && n.mid == m.MID() })
		if at >= 0 {
			l.lines[at].way.Trickled(fragment, m)
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
			e.wayLocked(at).Trickled(fragment, m)
		}
	}
}

// Gathered waits until all [Voice].STUN have answered, or will not, or ctx ends. They are asked with the first offer or answer that ICE is part of; what becomes known before a description is part of it, what comes later
// is told to [Voice].Trickle.
func (e *Endpoint) Gathered(ctx context.Context) {
	done := make(chan struct{})
	e.gathered.Store(&done)
	e.mu.Lock()
	gathering := e.way.Gathering()
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
	if at < 0 {
		return nil
	}
	m := &e.said.Media[at]
	said, ok := e.said.ICE(m)
	if !ok || m.MID() == "" {
		return nil
	}
	news, ok := e.way.Untold(said)
	if !ok {
		return nil
	}
	for _, v := range news.Candidates {
		m.Lines.AddAttribute("candidate", v)
	}
	if news.End {
		m.Lines.AddAttribute("end-of-candidates", "")
	}
	return m.AppendFragment(nil, news)
}

// Restart lets the next offer begin ICE anew: the way has broken, or leads over another network now. The one in use stays until another is found. It reports false if ICE does not find the peer. RFC 8445 §9, RFC 8839 §4.4.1.1.
func (e *Endpoint) Restart() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.way.Restart()
}
