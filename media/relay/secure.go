package relay

// What a secured or ICE-checked leg adds to a stream: a cipher, a way aside for STUN and DTLS, a fixed target, one port for both.
// RFC 3711 §3, RFC 7983 §7, RFC 8445 §12, RFC 5761 §5.1.

import "net/netip"

// Overhead is the most bytes that a [Cipher] may add to a packet.
const Overhead = 64

// A Cipher protects the packets of one stream: SRTP. A stream calls Open and Seal one at a time each.
type Cipher interface {
	// Open removes the protection of b in place and returns the plain packet, a part of b. It reports false for a packet that is
	// forged or replayed, or for which there is no key (yet).
	Open(b []byte, control bool) ([]byte, bool)
	// Seal protects b in place; cap(b)-len(b) is at least [Overhead]. It returns the protected packet, which begins where b begins; false: there is no
	// key, and nothing is sent.
	Seal(b []byte, control bool) ([]byte, bool)
}

// Secure makes c protect the stream from the next packet on; nil makes it plain. With a cipher only packets that open are heard, and who sends one
// is at once the source, whatever the learning window has come to: RFC 7362 §4. A leg whose keys come later is given a cipher that opens
// and seals nothing until then, so that nobody speaks in the clear.
func (s *Stream) Secure(c Cipher) {
	s = s.base()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cipher = c
	s.halt()
}

// An Aside gets what is neither RTP nor RTCP but STUN or DTLS by its first byte (0 to 3, 20 to 63: RFC 7983 §7), from anybody, on the goroutine that
// read it. It must neither block nor keep b; it may call the methods of the stream. control tells that it came on the RTCP socket.
type Aside func(b []byte, from netip.AddrPort, control bool)

// Aside gives STUN and DTLS to f, which then does not count as refused; nil ends that.
func (s *Stream) Aside(f Aside) {
	s = s.base()
	if f == nil {
		s.aside.Store(nil)
		return
	}
	s.aside.Store(&f)
}

// SendTo sends b as it is, for STUN and DTLS. An error is that of the system, or net.ErrClosed.
func (s *Stream) SendTo(b []byte, to netip.AddrPort, control bool) error {
	m := s.relay.batch()
	defer s.relay.batches.Put(m)
	return m.sendTo(&s.base().sockets[componentOf(control)], b, to)
}

func componentOf(isControl bool) component {
	if isControl {
		return control
	}
	return media
}

// Fix makes to the only target and the only source that is heard, whatever descriptions say: ICE has chosen (RFC 8445 §12). An invalid address
// gives the choice back to descriptions and the learning window.
func (s *Stream) Fix(to netip.AddrPort) {
	s = s.base()
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.halt()
	s.collectLocked()
	if s.latches[media].fixed = nil; to.IsValid() {
		s.latches[media].fixed = &to
	}
	if s.berth != nil {
		s.berth.fix(to)
	}
}

// Mux makes RTCP go out on the RTP port, and come in there (RFC 5761). It is what this peer and we have agreed; the partner of a joined stream may do otherwise, and gets RTCP
// where its own agreement says.
func (s *Stream) Mux(on bool) {
	s = s.base()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mux = on
}

// isAside tells STUN and DTLS from RTP by the first byte. RFC 7983 §7.
func isAside(b []byte) bool {
	return len(b) > 0 && (b[0] <= 3 || b[0] >= 20 && b[0] <= 63)
}
