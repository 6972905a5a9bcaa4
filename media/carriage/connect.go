package carriage

// The agent that finds the way of a stream, and the handshake that agrees on its keys. RFC 8445, RFC 5763 §6.

import (
	"context"
	"net/netip"
	"sync/atomic"

	"github.com/sipwerk/sipwerk/media/dtls"
	"github.com/sipwerk/sipwerk/media/ice"
	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/srtp"
)

// inbox is where an agent leaves what it finds for the association, which comes later.
type inbox struct {
	association atomic.Pointer[dtls.Association]
	open        atomic.Bool // a way was found
}

// found says that the peer can be reached.
func (i *inbox) found() {
	i.open.Store(true)
	if a := i.association.Load(); a != nil {
		a.Connect()
	}
}

// take gives DTLS to the association. What comes before there is one is sent again.
func (i *inbox) take(b []byte) {
	if a := i.association.Load(); a != nil {
		a.Receive(b)
	}
}

// Share lets a stream of which the peer knows nothing yet share a port, if its first offer w says that ICE finds it. seen tells how the peer sees an address of ours.
func (t *Transport) Share(w Wire, seen func(netip.AddrPort) netip.AddrPort) {
	if w.ice && !t.FullICE && !t.settled && t.agent == nil && t.Stream.Share(context.Background()) {
		at, _ := t.Stream.Local()
		t.Local = seen(at)
	}
}

// find makes the agent, if there is none.
func (t *Transport) find(offerer bool) (err error) {
	if t.agent != nil {
		return nil
	}
	box := new(inbox)
	t.agent, err = ice.New(ice.Config{
		Stream: t.Stream, Lite: !t.FullICE, Offerer: offerer, Local: []netip.AddrPort{t.Local},
		DTLS: box.take, Selected: func(netip.AddrPort) { box.found() }, Failed: t.Failed,
		Gathered: func(ice.Candidate) { t.tell(false) }, Complete: func() { t.tell(true) },
	})
	if t.inbox = box; err == nil {
		t.ask()
	}
	return err
}

// tell says that a candidate of ours, or the end of them, has become known.
func (t *Transport) tell(end bool) {
	if t.More != nil {
		t.More(end)
	}
}

// connect gives the agent what the peer has said, or ends it if the peer goes on without.
func (t *Transport) connect(n Terms) error {
	if n.ICE && t.agent != nil {
		return t.agent.Remote(n.remote)
	}
	t.lose()
	return nil
}

// lose goes back to what descriptions and packets say about the way.
func (t *Transport) lose() {
	if t.agent != nil {
		t.agent.Close()
		t.agent, t.inbox = nil, nil
		t.Stream.Fix(netip.AddrPort{})
	}
}

// associate begins the handshake of n with p, unless it is the one that was begun before. Until it has ended nothing is heard or said.
func (t *Transport) associate(n Terms, p relay.Peer) error {
	if t.association != nil && n.sameAssociation(&t.now) && n.active == t.now.active {
		return nil
	}
	t.part()
	identity, err := t.Identity.certificate()
	if err != nil {
		return err
	}
	t.Stream.Secure(keyless{})
	s := t.Stream
	c := dtls.Config{Identity: identity, Active: n.active, Secure: func(c *srtp.Cipher) { s.Secure(c) }, Failed: t.Failed}
	if t.agent != nil {
		c.Send = t.agent.Send
		t.association = dtls.Start(c)
		t.association.Trust(n.named)
		if t.inbox.association.Store(t.association); t.inbox.open.Load() {
			t.association.Connect()
		}
		return nil
	}
	t.association = dtls.Over(s, dtls.Peer{Described: p.RTP, Signalled: p.Signalled}, c)
	t.association.Trust(n.named)
	t.association.Connect()
	return nil
}

// part ends the handshake that is no longer wanted.
func (t *Transport) part() {
	if t.association == nil {
		return
	}
	if t.inbox != nil {
		t.inbox.association.Store(nil)
	} else {
		t.Stream.Aside(nil)
	}
	t.association.Close()
	t.association = nil
}

// Close ends what runs for the stream. It is called before the stream is closed.
func (t *Transport) Close() {
	t.part()
	t.lose()
}

// keyless is the cipher of a stream whose keys have not come.
type keyless struct{}

// Open implements [relay.Cipher].
func (keyless) Open([]byte, bool) ([]byte, bool) { return nil, false }

// Seal implements [relay.Cipher].
func (keyless) Seal([]byte, bool) ([]byte, bool) { return nil, false }
