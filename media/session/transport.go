package session

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

// errKeys: a description leaves out a protection that we insist on.
var errKeys = errors.New("session: no keys in common")

// transport is the carriage of one stream. One goroutine at a time uses it.
type transport struct {
	site   *Site
	stream *relay.Stream
	local  netip.AddrPort // of stream, as peers see it
	failed func(error)    // told that keys or a way will not come; from any goroutine
	more   func(end bool) // told that a candidate of ours, or the end of them, has become known; the same. May be nil

	servers []netip.AddrPort // STUN servers that tell how the stream is seen

	now     terms
	settled bool // now is in force

	proposed terms         // our offer
	offered  []srtp.Crypto // keys in it
	next     terms         // what the offer and the answer so far come to

	cipher      halves // sdes: made of the keys in force
	agent       *ice.Agent
	association *dtls.Association
	inbox       *inbox // where the agent's DTLS goes
}

// attach says over which stream it all goes.
func (t *transport) attach(site *Site, s *relay.Stream, local netip.AddrPort) {
	t.site, t.stream, t.local = site, s, local
}

// hear takes an offer of the peer. It reports false if we have no answer to it.
func (t *transport) hear(w wire) bool {
	n, ok := t.weigh(w)
	if ok {
		t.next = n
	}
	return ok
}

// weigh returns the terms on which we can take an offer; false if there are none.
func (t *transport) weigh(w wire) (terms, bool) {
	n := terms{profile: w.profile, mux: w.mux, ice: w.ice, mismatch: w.mismatch}
	if w.plain() {
		return n, true
	}
	n.means = &means{remote: w.remote}
	switch {
	case !w.profile.DTLS && t.choose(w.cryptos, &n):
		n.keying = sdes
	case t.shake(w, &n):
		n.keying = handshake
	case w.profile.Secure:
		return n, false
	}
	return n, true
}

// choose takes one of the keys that the peer offers, if any can be: the one in force, if it is among them, with ours in force. RFC 4568 §7.1.4.
func (t *transport) choose(offer []srtp.Crypto, n *terms) (ok bool) {
	i := slices.IndexFunc(offer, func(c srtp.Crypto) bool { return t.settled && t.now.keying == sdes && c.Key.Equal(t.now.theirs.Key) })
	if i < 0 {
		n.theirs, n.ours, ok = srtp.Choose(offer, rand.Reader)
		return ok
	}
	n.theirs, n.ours = offer[i], srtp.Crypto{Tag: offer[i].Tag, Key: t.now.ours.Key}
	return true
}

// shake takes an offer of DTLS. The roles of an association that is up stay, unless the peer asks for others. RFC 8842 §5.3.
func (t *transport) shake(w wire, n *terms) bool {
	if len(w.named) == 0 || w.setup == sdp.HoldConn {
		return false
	}
	n.named, n.tlsID, n.active = w.named, w.tlsID, w.setup.Answer() == sdp.Active
	asked := terms{keying: handshake, means: n.means}
	if t.settled && asked.sameAssociation(&t.now) && w.setup == sdp.ActPass {
		n.active = t.now.active
	}
	return true
}

// answer writes our answer to the offer heard into m, a stream of d.
func (t *transport) answer(d *sdp.Description, m *sdp.Media) error {
	n := &t.next
	n.write(m)
	switch n.keying {
	case sdes:
		m.Lines.AddAttribute("crypto", n.ours.String())
	case handshake:
		setup := sdp.Passive
		if n.active {
			setup = sdp.Active
		}
		if err := t.certify(m, setup); err != nil {
			return err
		}
	}
	if !n.ice {
		return nil
	}
	if err := t.find(false); err != nil {
		return err
	}
	if err := t.agent.Remote(n.remote); err != nil {
		return err
	}
	writeICE(d, m, t.agent, !t.site.FullICE)
	return nil
}

// terms are those of our next offer: what is in force, or what suits the kind of the peer.
func (t *transport) terms(k Kind) terms {
	if t.settled {
		return t.now
	}
	n := k.terms()
	if n.keying != unkeyed || n.ice {
		n.means = new(means) // an answer may leave the stream out
	}
	return n
}

// offer writes our offer to a peer of kind k into m, a stream of d.
func (t *transport) offer(d *sdp.Description, m *sdp.Media, k Kind) (err error) {
	n := t.terms(k)
	t.proposed, t.next, t.offered = n, n, nil
	n.write(m)
	switch {
	case n.keying == handshake:
		err = t.certify(m, sdp.ActPass)
	case n.keying == sdes && t.settled:
		t.offered = []srtp.Crypto{{Tag: 1, Key: n.ours.Key}}
	case n.keying == sdes:
		t.offered, err = srtp.Offer(rand.Reader)
	}
	if err != nil {
		return err
	}
	for _, c := range t.offered {
		m.Lines.AddAttribute("crypto", c.String())
	}
	if !n.ice {
		return nil
	}
	if err := t.find(true); err != nil {
		return err
	}
	writeICE(d, m, t.agent, !t.site.FullICE)
	return nil
}

// certify puts our certificate into m.
func (t *transport) certify(m *sdp.Media, setup sdp.Setup) error {
	identity, err := t.site.certificate()
	if err != nil {
		return err
	}
	m.Lines.AddAttribute("fingerprint", identity.Fingerprint().String())
	m.Lines.AddAttribute("setup", string(setup))
	return nil
}

// accept takes the peer's answer to our offer. The error is errKeys if it leaves a protection that we insist on.
func (t *transport) accept(w wire) error {
	n := t.proposed
	n.mux = n.mux && w.mux
	n.ice, n.mismatch = n.ice && w.ice, false
	if n.keying == unkeyed && w.plain() {
		n.means, t.next = nil, n
		return nil
	}
	n.means = &means{remote: w.remote}
	var ok bool
	switch n.keying {
	case sdes:
		n.ours, n.theirs, ok = taken(t.offered, w.cryptos)
	case handshake:
		ok = len(w.named) > 0 && w.setup != sdp.HoldConn
		n.named, n.tlsID, n.active = w.named, w.tlsID, w.setup == sdp.Passive
	default:
		ok = true
	}
	if !ok {
		if n.profile.Secure || len(w.cryptos) > 0 {
			return errKeys
		}
		n.keying = unkeyed // RFC 8643 §3: the peer speaks in the clear
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

// drop forgets what was being agreed on.
func (t *transport) drop() {
	t.next, t.offered = t.now, nil
	if !t.settled {
		t.close()
	}
}

// settle makes what was agreed on the way of the stream. p is who is at the other end.
func (t *transport) settle(p relay.Peer) error {
	n := t.next
	t.stream.Mux(n.mux)
	if err := t.connect(n); err != nil {
		return err
	}
	var err error
	switch n.keying {
	case unkeyed:
		t.part()
		t.cipher = halves{}
		t.stream.Secure(nil)
	case sdes:
		t.part()
		err = t.rekey(n)
	case handshake:
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
func (t *transport) rekey(n terms) error {
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
	t.stream.Secure(t.cipher)
	return nil
}

// halves is a cipher whose directions may be of different age.
type halves struct{ seal, open *srtp.Cipher }

// Open implements [relay.Cipher].
func (h halves) Open(b []byte, control bool) ([]byte, bool) { return h.open.Open(b, control) }

// Seal implements [relay.Cipher].
func (h halves) Seal(b []byte, control bool) ([]byte, bool) { return h.seal.Seal(b, control) }
