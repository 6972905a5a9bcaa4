package sdp

// The offer is made from capabilities: for a call of our own, or for an INVITE that came without one. RFC 3264 §5,
// RFC 6337 §5.2.

import "slices"

// Offer returns an offer of all we can do, without o= line: see [Originator.Stamp]. To change a session that exists,
// clone the description sent last and change that, so that every stream keeps its slot (RFC 3264 §8).
func (c *Capabilities) Offer() *Description {
	name := c.Name
	if name == "" {
		name = "-"
	}
	o := &Description{Lines: Lines{{'v', "0"}, {'s', name}, {'t', "0 0"}}, Media: make([]Media, len(c.Media))}
	places := make([]Place, len(c.Media))
	for i := range c.Media {
		o.Media[i], places[i] = c.Media[i].offer(), c.Media[i].Place
	}
	o.setConnections(places)
	return o
}

func (c *Capability) offer() Media {
	m := Media{Type: c.Type, Port: c.Place.RTP.Port(), Proto: "RTP/AVP"}
	if len(c.Protos) > 0 {
		m.Proto = c.Protos[0]
	}
	for _, codec := range withCompanions(slices.Clone(c.Codecs)) {
		m.AddCodec(codec)
	}
	if c.RTCPMux {
		// RFC 5761 §5.1.1: the answerer may refuse to share the port, so the other one is named too.
		m.setRTCP(c.Place)
	}
	c.finish(&m, c.Direction, c.RTCPMux)
	m.setPacketTime(c.PacketTime, 0)
	return m
}
