package carriage

// What a description says of how a stream goes over the wire, and how we say it. RFC 4568 §5; RFC 5763 §5; RFC 8839 §5; RFC 5761 §5.1.

import (
	"slices"

	"github.com/sipwerk/sipwerk/media/dtls"
	"github.com/sipwerk/sipwerk/media/ice"
	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/media/srtp"
)

// Keying is where the keys of a stream come from.
type Keying uint8

// The sources of keys.
const (
	Unkeyed   Keying = iota // plain RTP
	SDES                    // the description
	Handshake               // DTLS
)

// Terms are how a stream goes over the wire.
type Terms struct {
	Profile  sdp.Profile
	Keying   Keying
	Mux      bool // RTCP goes with RTP
	ICE      bool // it finds the way
	active   bool // Handshake: we begin
	mismatch bool // ICE cannot be, and the peer is to know
	*means        // nil for what goes in the clear, and straight; never changed
}

// means are what keys, handshake and ICE need.
type means struct {
	ours, theirs srtp.Crypto        // SDES
	named        []dtls.Fingerprint // Handshake: of the peer's certificate
	tlsID        string             // Handshake: the peer's name for it
	remote       ice.Remote         // what the peer says for ICE
}

// sameAssociation tells whether the handshake of n is that of o. RFC 8842 §5.1.
func (n *Terms) sameAssociation(o *Terms) bool {
	return n.Keying == Handshake && o.Keying == Handshake && n.means != nil && o.means != nil && n.tlsID == o.tlsID && slices.Equal(n.named, o.named)
}

// A Wire is what one description says of how a stream goes over the wire.
type Wire struct {
	profile  sdp.Profile
	cryptos  []srtp.Crypto
	named    []dtls.Fingerprint
	setup    sdp.Setup
	tlsID    string
	mux      bool
	ice      bool
	mismatch bool
	remote   ice.Remote
}

// Read returns what d says of the carriage of m; false if m is not RTP.
func Read(d *sdp.Description, m *sdp.Media) (Wire, bool) {
	p, ok := m.Profile()
	if !ok {
		return Wire{}, false
	}
	w := Wire{profile: p, setup: d.Setup(m), tlsID: d.TLSID(m)}
	for _, v := range m.Cryptos() {
		if c, err := srtp.ParseCrypto(v); err == nil {
			w.cryptos = append(w.cryptos, c)
		}
	}
	for _, v := range d.Fingerprints(m) {
		if f, err := dtls.ParseFingerprint(v); err == nil {
			w.named = append(w.named, f)
		}
	}
	w.mux, _ = m.Mux()
	w.readICE(d, m)
	return w, true
}

// plain tells whether w says nothing of keys, handshake and ICE.
func (w *Wire) plain() bool {
	return !w.profile.Secure && !w.profile.DTLS && len(w.cryptos) == 0 && len(w.named) == 0 && !w.ice
}

// readICE notes what d says for ICE. Our agents have one component: without RTCP on the port of RTP there is no ICE.
func (w *Wire) readICE(d *sdp.Description, m *sdp.Media) {
	if !w.mux {
		return
	}
	i, ok := d.ICE(m)
	if !ok {
		return
	}
	w.mismatch = d.Mismatched(m)
	w.remote = ice.Remote{Credentials: ice.Credentials{Ufrag: i.Ufrag, Pwd: i.Password}, Lite: i.Lite, Complete: !i.Trickles()}
	w.remote.Candidates = candidates(i)
	w.ice = w.remote.Credentials.Valid() && !w.mismatch
}

// candidates are those that can be understood.
func candidates(i sdp.ICE) (all []ice.Candidate) {
	for _, v := range i.Candidates {
		if c, err := ice.ParseCandidate(v); err == nil {
			all = append(all, c)
		}
	}
	return all
}

// write puts into m what offers and answers have in common.
func (n *Terms) write(m *sdp.Media) {
	m.Proto = n.Profile.String()
	if n.Mux {
		m.Lines.AddAttribute("rtcp-mux", "")
	}
	if n.mismatch {
		m.Lines.AddAttribute("ice-mismatch", "")
	}
}

// writeICE puts what an agent has into m, a stream of d.
func writeICE(d *sdp.Description, m *sdp.Media, a *ice.Agent, lite bool) {
	own := a.Credentials()
	// All that we know now is said now, whatever may follow: a peer that has never heard of trickling loses nothing by it (RFC 8840 §4.1.3).
	i := sdp.ICE{Ufrag: own.Ufrag, Password: own.Pwd, Options: []string{"ice2", "trickle"}, Lite: lite, End: !a.Gathering()}
	for _, c := range a.Candidates() {
		i.Candidates = append(i.Candidates, c.String())
	}
	d.SetICE(m, i)
}
