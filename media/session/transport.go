package session

// How one stream goes over the wire: profile and keys, as both sides have said them. RFC 3264 §6 and RFC 3264 §8; RFC 4568 §5; RFC 5761 §5.1; RFC 8643 §3.

import (
	"crypto/rand"
	"errors"
	"slices"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/media/srtp"
)

// errKeys: a description asks for protection, and there is no way to agree on its keys.
var errKeys = errors.New("session: no keys in common")

// keying is where the keys of a stream come from.
type keying uint8

const (
	unkeyed keying = iota // plain RTP
	sdes
)

// terms are how a stream goes over the wire.
type terms struct {
	profile      sdp.Profile
	keying       keying
	mux          bool
	ours, theirs srtp.Crypto // sdes
}

// wire is what one description says of that.
type wire struct {
	profile sdp.Profile
	cryptos []srtp.Crypto
	mux     bool
}

// transport is the carriage of one stream: what is in force, and what is being agreed on.
type transport struct {
	now     terms
	settled bool // now is in force

	proposed terms         // our offer
	offered  []srtp.Crypto // keys in it
	next     terms         // what the offer and the answer so far come to
	cipher   halves        // made of the keys in force
}

// read returns what d says of the carriage of m; false if m is not RTP.
func read(m *sdp.Media) (wire, bool) {
	p, ok := m.Profile()
	if !ok {
		return wire{}, false
	}
	w := wire{profile: p}
	for _, v := range m.Cryptos() {
		if c, err := srtp.ParseCrypto(v); err == nil {
			w.cryptos = append(w.cryptos, c)
		}
	}
	w.mux, _ = m.Mux()
	return w, true
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
	n := terms{profile: w.profile, mux: w.mux}
	switch {
	case !w.profile.DTLS && t.choose(w.cryptos, &n):
		n.keying = sdes
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

// answer writes our answer to the offer heard into m.
func (t *transport) answer(m *sdp.Media) {
	t.next.write(m)
	if t.next.keying == sdes {
		m.Lines.AddAttribute("crypto", t.next.ours.String())
	}
}

// offer writes our offer into m: what is in force, or what suits the kind of the peer.
func (t *transport) offer(m *sdp.Media, k Kind) error {
	n := t.terms(k)
	t.proposed, t.next, t.offered = n, n, nil
	n.write(m)
	switch {
	case n.keying != sdes:
		return nil
	case t.settled:
		t.offered = []srtp.Crypto{{Tag: 1, Key: n.ours.Key}}
	default:
		var err error
		if t.offered, err = srtp.Offer(rand.Reader); err != nil {
			return err
		}
	}
	for _, c := range t.offered {
		m.Lines.AddAttribute("crypto", c.String())
	}
	return nil
}

// terms are those of our next offer.
func (t *transport) terms(k Kind) terms {
	if t.settled {
		return t.now
	}
	return first(k)
}

// first are the terms of our first offer to a peer.
func first(k Kind) terms {
	switch k {
	case Opportunistic:
		return terms{keying: sdes}
	case SDES:
		return terms{keying: sdes, profile: sdp.Profile{Secure: true}}
	}
	return terms{}
}

// write puts into m what offers and answers have in common.
func (n *terms) write(m *sdp.Media) {
	m.Proto = n.profile.String()
	if n.mux {
		m.Lines.AddAttribute("rtcp-mux", "")
	}
}

// accept takes the peer's answer to our offer. The error is errKeys if it leaves a protection that we insist on.
func (t *transport) accept(w wire) error {
	n := t.proposed
	n.mux = n.mux && w.mux
	if n.keying != sdes {
		t.next = n
		return nil
	}
	for _, theirs := range w.cryptos {
		for _, ours := range t.offered {
			if theirs.Tag == ours.Tag && theirs.Key.Suite == ours.Key.Suite {
				n.theirs, n.ours = theirs, ours
				t.next = n
				return nil
			}
		}
	}
	if n.profile.Secure || len(w.cryptos) > 0 {
		return errKeys
	}
	n.keying = unkeyed // RFC 8643 §3: the peer speaks in the clear
	t.next = n
	return nil
}

// settle makes what was agreed on the way of s.
func (t *transport) settle(s *relay.Stream) error {
	n := t.next
	s.Mux(n.mux)
	if n.keying == unkeyed {
		t.cipher = halves{}
		s.Secure(nil)
	} else if err := t.rekey(s, n); err != nil {
		return err
	}
	t.now, t.settled = n, true
	return nil
}

// rekey protects s with the keys agreed on. A direction whose key stays goes on with its cipher, which knows how often the sequence numbers have rolled over.
func (t *transport) rekey(s *relay.Stream, n terms) error {
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
	s.Secure(t.cipher)
	return nil
}

// halves is a cipher whose directions may be of different age.
type halves struct{ seal, open *srtp.Cipher }

// Open implements [relay.Cipher].
func (h halves) Open(b []byte, control bool) ([]byte, bool) { return h.open.Open(b, control) }

// Seal implements [relay.Cipher].
func (h halves) Seal(b []byte, control bool) ([]byte, bool) { return h.seal.Seal(b, control) }

// drop forgets what was being agreed on.
func (t *transport) drop() { t.next, t.offered = t.now, nil }
