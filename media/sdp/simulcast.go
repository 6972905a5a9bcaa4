package sdp

// Several encodings of one picture, the layers, and how each is named. RFC 8853 §5, RFC 8851 §4.

import (
	"slices"
	"strings"
)

const (
	// maxLayers is how many layers of a line are taken; browsers make three.
	maxLayers = 8
	// maxRID is the longest name of one: it stands in every packet.
	maxRID = 16
)

// Layers returns the names of the layers that the author sends on the stream, in its order of preference; nil if it sends one encoding. Of those between which it leaves the choice the first counts.
// RFC 8853 §5.1.
func (m *Media) Layers() []string { return m.layers("send") }

// TakenLayers returns the names of those that the author is willing to receive.
func (m *Media) TakenLayers() []string { return m.layers("recv") }

func (m *Media) layers(direction string) (rids []string) {
	v, _ := m.Lines.Attribute("simulcast")
	f := strings.Fields(v)
	at := slices.Index(f, direction)
	if at < 0 || at+1 >= len(f) {
		return nil
	}
	for stream := range strings.SplitSeq(f[at+1], ";") {
		rid, _, _ := strings.Cut(stream, ",")
		rid = strings.TrimPrefix(rid, "~") // paused, at the moment
		if len(rids) < maxLayers && isRID(rid) && m.named(rid, direction) && !slices.Contains(rids, rid) {
			rids = append(rids, rid)
		}
	}
	return rids
}

// isRID tells whether it is a name that we take: letters, digits, - and _. RFC 8851 §10.
func isRID(s string) bool {
	return s != "" && len(s) <= maxRID && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_'
	})
}

// named tells whether a name is explained. RFC 8853 §5.1: one that is not is as if it were not there.
func (m *Media) named(rid, direction string) bool {
	for v := range m.Lines.Attributes("rid") {
		if f := strings.Fields(v); len(f) >= 2 && f[0] == rid && f[1] == direction {
			return true
		}
	}
	return false
}

// TakeLayers says that the author is willing to receive these layers; none: one encoding.
func (m *Media) TakeLayers(rids []string) {
	m.Lines.RemoveAttribute("rid", "simulcast")
	if len(rids) == 0 {
		return
	}
	for _, rid := range rids {
		m.Lines.AddAttribute("rid", rid+" recv")
	}
	m.Lines.AddAttribute("simulcast", "recv "+strings.Join(rids, ";"))
}
