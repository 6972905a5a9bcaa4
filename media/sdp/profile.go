package sdp

// The transport of an RTP stream, as the proto of its m= line says it. RFC 3551 §8, RFC 3711 §12, RFC 4585 §9, RFC 5124 §4, RFC 5764 §8.

import "strings"

// A Profile is the transport of an RTP stream over UDP. The zero Profile is RTP/AVP.
type Profile struct {
	Secure   bool // SAVP: the packets are those of SRTP
	Feedback bool // AVPF: RTCP may come early, and holds feedback (RFC 4585)
	DTLS     bool // UDP/TLS/: the keys come by DTLS (RFC 5764 §8)
}

// String returns the proto of the m= line.
func (p Profile) String() string {
	proto := "RTP/AVP"
	if p.Secure {
		proto = "RTP/SAVP"
	}
	if p.Feedback {
		proto += "F"
	}
	if p.DTLS {
		proto = "UDP/TLS/" + proto
	}
	return proto
}

// Profile returns the profile of m; false if m is not RTP over UDP.
func (m *Media) Profile() (Profile, bool) {
	rest, dtls := strings.CutPrefix(m.Proto, "UDP/TLS/")
	p := Profile{DTLS: dtls}
	switch rest {
	case "RTP/AVP":
	case "RTP/AVPF":
		p.Feedback = true
	case "RTP/SAVP":
		p.Secure = true
	case "RTP/SAVPF":
		p.Secure, p.Feedback = true, true
	default:
		return Profile{}, false
	}
	return p, p.Secure || !dtls
}
