package carriage

// How one stream goes over the wire: what is in force and what is being agreed on, by offer and answer. RFC 3264 §6 and RFC 3264 §8; RFC 4568 §7; RFC 5763 §6;
// RFC 8643 §3; RFC 8842 §5.

import (
	"crypto/rand"
	"errors"
	"net/netip"
	"slices"

	"github.com/sipwerk/sipwerk/media/dtls"
	"github.com/sipwerk/sipwerk/media/ice"
	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/media/srtp"
)

// ErrKeys says that a description leaves out a protection that we insist on.
var ErrKeys = errors.New("carriage: no keys in common")

// Config is what a transport has to know. The functions are called from any goroutine, and must neither block nor call the transport.
type Config struct {
	Stream   *relay.Stream
	Local    netip.AddrPort   // of Stream, as peers see it
	Identity *Identity        // of all handshakes of a server
	FullICE  bool             // look for the way ourselves, and do not leave that to the peer
	STUN     []netip.AddrPort // servers that tell how the stream is seen
	Failed   func(error)      // told that keys or a way will not come
	More     func(end bool)   // told that a candidate of ours, or the end of them, has become known; may be nil
}

// A Transport is the carriage of one stream, and of those that ride on it. The zero Transport has none yet: it hears what is said of it, and all else comes after [Transport.Attach]. One goroutine at a time uses it.
type Transport struct {
	Config

	now     Terms
	settled bool // now is in force

	proposed Terms         // our offer
	offered  []srtp.Crypto // keys in it
	next     Terms         // what the offer and the answer so far come to

	cipher      halves // SDES: made of the keys in force
	agent       *ice.Agent
	association *dtls.Association
	inbox       *inbox // where the agent's DTLS goes
}

// Attach says over which stream it all goes.
func (t *Transport) Attach(c Config) { t.Config = c }

// Settled tells whether terms are in force, which are then [Transport.Now].
func (t *Transport) Settled() bool { return t.settled }

// Now are the terms in force.
func (t *Transport) Now() Terms { return t.now }

// Next are the terms that the offer and the answer so far come to.
func (t *Transport) Next() Terms { return t.next }

// Hear takes an offer of the peer. It reports false if we have no answer to it.
func (t *Transport) Hear(w Wire) bool {
	n, ok := t.Weigh(w)
	if ok {
		t.next = n
	}
	return ok
}

// Weigh returns the terms on which we can take an offer; false if there are none.
func (t *Transport) Weigh(w Wire) (Terms, bool) {
	n := Terms{Profile: w.profile, Mux: w.mux, ICE: w.ice, mismatch: w.mismatch}
	if w.plain() {
		return n, true
	}
	n.means = &means{remote: w.remote}
	switch {
	case !w.profile.DTLS && t.choose(w.cryptos, &n):
		n.Keying = SDES
	case t.shake(w, &n):
		n.Keying = Handshake
	case w.profile.Secure:
		return n, false
	}
	return n, true
}

// choose takes one of the keys that the peer offers, if any can be: the one in force, if it is among them, with ours in force. RFC 4568 §7.1.4.
func (t *Transport) choose(offer []srtp.Crypto, n *Terms) (ok bool) {
	i := slices.IndexFunc(offer, func(c srtp.Crypto) bool { return t.settled && t.now.Keying == SDES && c.Key.Equal(t.now.theirs.Key) })
	if i < 0 {
		n.theirs, n.ours, ok = srtp.Choose(offer, rand.Reader)
		return ok
	}
	n.theirs, n.ours = offer[i], srtp.Crypto{Tag: offer[i].Tag, Key: t.now.ours.Key}
	return true
}

// shake takes an offer of DTLS. The roles of an association that is up stay, unless the peer asks for others. RFC 8842 §5.3.
func (t *Transport) shake(w Wire, n *Terms) bool {
	if len(w.named) == 0 || w.setup == sdp.HoldConn {
		return false
	}
	n.named, n.tlsID, n.active = w.named, w.tlsID, w.setup.Answer() == sdp.Active
	asked := Terms{Keying: Handshake, means: n.means}
	if t.settled && asked.sameAssociation(&t.now) && w.setup == sdp.ActPass {
		n.active = t.now.active
	}
	return true
}

// Answer writes our answer to the offer heard into m, a stream of d.
func (t *Transport) Answer(d *sdp.Description, m *sdp.Media) error {
	n := &t.next
	n.write(m)
	switch n.Keying {
	case SDES:
		m.Lines.AddAttribute("crypto", n.ours.String())
	case Handshake:
		setup := sdp.Passive
		if n.active {
			setup = sdp.Active
		}
		if err := t.certify(m, setup); err != nil {
			return err
		}
	}
	if !n.ICE {
		return nil
	}
	if err := t.find(false); err != nil {
		return err
	}
	if err := t.agent.Remote(n.remote); err != nil {
		return err
	}
	writeICE(d, m, t.agent, !t.FullICE)
	return nil
}

// Proposal are the terms of our next offer: those in force, or else n.
func (t *Transport) Proposal(n Terms) Terms {
	if t.settled {
		return t.now
	}
	if n.Keying != Unkeyed || n.ICE {
		n.means = new(means) // an answer may leave the stream out
	}
	return n
}

// Offer writes our offer into m, a stream of d: on the terms in force, or else on first.
func (t *Transport) Offer(d *sdp.Description, m *sdp.Media, first Terms) (err error) {
	n := t.Proposal(first)
	t.proposed, t.next, t.offered = n, n, nil
	n.write(m)
	switch {
	case n.Keying == Handshake:
		err = t.certify(m, sdp.ActPass)
	case n.Keying == SDES && t.settled:
		t.offered = []srtp.Crypto{{Tag: 1, Key: n.ours.Key}}
	case n.Keying == SDES:
		t.offered, err = srtp.Offer(rand.Reader)
	}
	if err != nil {
		return err
	}
	for _, c := range t.offered {
		m.Lines.AddAttribute("crypto", c.String())
	}
	if !n.ICE {
		return nil
	}
	if err := t.find(true); err != nil {
		return err
	}
	writeICE(d, m, t.agent, !t.FullICE)
	return nil
}

// certify puts our certificate into m.
func (t *Transport) certify(m *sdp.Media, setup sdp.Setup) error {
	identity, err := t.Identity.certificate()
	if err != nil {
		return err
	}
	m.Lines.AddAttribute("fingerprint", identity.Fingerprint().String())
	m.Lines.AddAttribute("setup", string(setup))
	return nil
}

// Accept takes the peer's answer to our offer. The error is [ErrKeys] if it leaves a protection that we insist on.
func (t *Transport) Accept(w Wire) error {
	n := t.proposed
	n.Mux = n.Mux && w.mux
	n.ICE, n.mismatch = n.ICE && w.ice, false
	if n.Keying == Unkeyed && w.plain() {
		n.means, t.next = nil, n
		return nil
	}
	n.means = &means{remote: w.remote}
	var ok bool
	switch n.Keying {
	case SDES:
		n.ours, n.theirs, ok = taken(t.offered, w.cryptos)
	case Handshake:
		ok = len(w.named) > 0 && w.setup != sdp.HoldConn
		n.named, n.tlsID, n.active = w.named, w.tlsID, w.setup == sdp.Passive
	default:
		ok = true
	}
	if !ok {
		if n.Profile.Secure || len(w.cryptos) > 0 {
			return ErrKeys
		}
		n.Keying = Unkeyed // RFC 8643 §3: the peer speaks in the clear
	}
	t.next = n
	return nil
}

// taken finds the key of ours that an answer takes.
func taken(offered, answered []srtp.Crypto) (ours, theirs srtp.Crypto, ok bool) {
	for _, theirs := range answered {
		for _, ours := range offered {
			if theirs.Tag == ours.Tag && theirs.Key.Suite == ours.Key.Suite {
				return ours, theirs, true
			}
		}
	}
	return srtp.Crypto{}, srtp.Crypto{}, false
}

// Drop forgets what was being agreed on.
func (t *Transport) Drop() {
	t.next, t.offered = t.now, nil
	if !t.settled {
		t.Close()
	}
}

// Settle makes what was agreed on the way of the stream. p is who is at the other end.
func (t *Transport) Settle(p relay.Peer) error {
	n := t.next
	t.Stream.Mux(n.Mux)
	if err := t.connect(n); err != nil {
		return err
	}
	var err error
	switch n.Keying {
	case Unkeyed:
		t.part()
		t.cipher = halves{}
		t.Stream.Secure(nil)
	case SDES:
		t.part()
		err = t.rekey(n)
	case Handshake:
		t.cipher = halves{}
		err = t.associate(n, p)
	}
	if err != nil {
		return err
	}
	t.now, t.settled = n, true
	return nil
}

// rekey protects the stream with keys of the descriptions. A direction whose key stays goes on with its cipher, which knows how often the sequence numbers have
// rolled over.
func (t *Transport) rekey(n Terms) error {
	keepSeal := t.cipher.seal != nil && n.ours.Key.Equal(t.now.ours.Key)
	keepOpen := t.cipher.open != nil && n.theirs.Key.Equal(t.now.theirs.Key)
	if keepSeal && keepOpen {
		return nil
	}
	c, err := srtp.New(n.ours.Key, n.theirs.Key)
	if err != nil {
		return err
	}
	if !keepSeal {
		t.cipher.seal = c
	}
	if !keepOpen {
		t.cipher.open = c
	}
	t.Stream.Secure(t.cipher)
	return nil
}

// halves is a cipher whose directions may be of different age.
type halves struct{ seal, open *srtp.Cipher }

// Open implements [relay.Cipher].
func (h halves) Open(b []byte, control bool) ([]byte, bool) { return h.open.Open(b, control) }

// Seal implements [relay.Cipher].
func (h halves) Seal(b []byte, control bool) ([]byte, bool) { return h.seal.Seal(b, control) }
