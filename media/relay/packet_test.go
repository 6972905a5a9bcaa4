package relay

import (
	"net/netip"
	"testing"
)

// FuzzPacket: whatever comes to an open port, nothing panics, and what is passed on is a whole packet.
func FuzzPacket(f *testing.F) {
	for _, b := range [][]byte{nil, rtpPacket(1, 2, "x"), rtcpPacket(3), {0x80}, {22, 254, 253, 0}} {
		f.Add(b, false)
		f.Add(b, true)
	}
	f.Fuzz(func(t *testing.T, b []byte, opaque bool) {
		s := &Stream{relay: new(Relay), opaque: opaque}
		s.latches[media].open(sdpAddress, netip.Addr{})
		for range 2 {
			if _, _, ok := s.admit(media, b, &arrival{from: sdpAddress}); ok && !opaque && (len(b) < 8 || b[0]>>6 != 2) {
				t.Errorf("%x was taken for RTP", b)
			}
		}
	})
}
