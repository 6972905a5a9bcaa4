package session

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

// share lets a stream of which the peer knows nothing yet share a port, if its first offer w says that ICE finds it.
func (t *transport) share(p Peer, w wire) {
	if w.ice && !t.site.FullICE && !t.settled && t.agent == nil && t.stream.Share(context.Background()) {
		at, _ := t.stream.Local()
		t.local = t.site.advertise(p, at)
	}
}

// find makes the agent, if there is none.
func (t *transport) find(offerer bool) (err error) {
	if t.agent != nil {
		return nil
	}
	box := new(inbox)
	t.agent, err = ice.New(ice.Config{
		Stream: t.stream, Lite: !t.site.FullICE, Offerer: offerer, Local: []netip.AddrPort{t.local},
		DTLS: box.take, Selected: func(netip.AddrPort) { box.found() }, Failed: t.failed,
		Gathered: func(ice.Candidate) { t.tell(false) }, Complete: func() { t.tell(true) },
	})
	if t.inbox = box; err == nil {
		t.ask()
	}
	return err
}

// tell says that a candidate of ours, or the end of them, has become known.
func (t *transport) tell(end bool) {
	if t.more != nil {
		t.more(end)
	}
}

// connect gives the agent what the peer has said, or ends it if the peer goes on without.
func (t *transport) connect(n terms) error {
	if n.ice && t.agent != nil {
		return t.agent.Remote(n.remote)
	}
	t.lose()
	return nil
}

// lose goes back to what descriptions and packets say about the way.
func (t *transport) lose() {
	if t.agent != nil {
		t.agent.Close()
		t.agent, t.inbox = nil, nil
		t.stream.Fix(netip.AddrPort{})
	}
}

// associate begins the handshake of n with p, unless it is the one that was begun before. Until it has ended nothing is heard or said.
func (t *transport) associate(n terms, p relay.Peer) error {
	if t.association != nil && n.sameAssociation(&t.now) && n.active == t.now.active {
		return nil
	}
	t.part()
	identity, err := t.site.certificate()
	if err != nil {
		return err
	}
	t.stream.Secure(keyless{})
	s := t.stream
	c := dtls.Config{Identity: identity, Active: n.active, Secure: func(c *srtp.Cipher) { s.Secure(c) }, Failed: t.failed}
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
func (t *transport) part() {
	if t.association == nil {
		return
	}
	if t.inbox != nil {
		t.inbox.association.Store(nil)
	} else {
		t.stream.Aside(nil)
	}
	t.association.Close()
	t.association = nil
}

// close ends what runs for the stream. It is called before the stream is closed.
func (t *transport) close() {
	t.part()
	t.lose()
}

// keyless is the cipher of a stream whose keys have not come.
type keyless struct{}

// Open implements [relay.Cipher].
func (keyless) Open([]byte, bool) ([]byte, bool) { return nil, false }

// Seal implements [relay.Cipher].
func (keyless) Seal([]byte, bool) ([]byte, bool) { return nil, false }
