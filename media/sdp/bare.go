package sdp

// A description without what belongs to one side alone: what a back-to-back user agent hands on, to be dressed for the other side. RFC 7092 §3.1.

import "slices"

// own tells which attributes are about the transport of one side: keys, connectivity, multiplexing.
func own(name string) bool {
	switch name {
	case "crypto", "fingerprint", "setup", "tls-id", "connection", "identity",
		"candidate", "end-of-candidates", "remote-candidates", "ice-ufrag", "ice-pwd", "ice-options", "ice-pacing", "ice-mismatch", "ice-lite",
		"rtcp", "rtcp-mux", "rtcp-mux-only", "bundle-only", "source-filter":
		return true
	}
	return false
}

// ownOrFeedback tells of those too that only mean something to a side with the AVPF profiles, and among them of those that browsers know.
func ownOrFeedback(name string) bool {
	switch name {
	case "rtcp-fb", "rtcp-rsize", "ssrc", "ssrc-group", "msid", "msid-semantic", "extmap", "extmap-allow-mixed", "rid", "simulcast", "mid":
		return true
	}
	return own(name)
}

// Strip takes out what belongs to the author's side alone, from the session and from each RTP stream: the profile becomes RTP/AVP, or RTP/AVPF where it was one with
// feedback and rich is set. Then feedback, sources, header extensions and simulcast stay: the other side knows them, and they mean the same to both. Codecs,
// directions and whatever is not known stay; a hold that was said by the address 0.0.0.0 is said by direction afterwards. Streams other than RTP are not touched.
func (d *Description) Strip(rich bool) {
	d.holdByDirection()
	drop := own
	if !rich {
		drop = ownOrFeedback
	}
	d.Lines.removeAttributes(drop)
	d.Lines = slices.DeleteFunc(d.Lines, func(l Line) bool { return l.isAttribute("group") })
	for i := range d.Media {
		m := &d.Media[i]
		p, ok := m.Profile()
		if !ok {
			continue
		}
		m.Lines.removeAttributes(drop)
		m.Proto = Profile{Feedback: p.Feedback && rich}.String()
	}
}

// holdByDirection says a hold by address as one by direction, and takes unspecified addresses out: without ICE, that of a browser which has found none yet would
// look like a hold.
func (d *Description) holdByDirection() {
	unspecified := func(l Line) bool {
		return l.Type == 'c' && Address{Host: parseConnection(l.Value)}.IsUnspecified()
	}
	for i := range d.Media {
		m := &d.Media[i]
		if d.heldByAddress(m) {
			m.SetDirection(d.Direction(m))
		}
	}
	d.Lines = slices.DeleteFunc(d.Lines, unspecified)
	for i := range d.Media {
		m := &d.Media[i]
		m.Lines = slices.DeleteFunc(m.Lines, unspecified)
	}
}
