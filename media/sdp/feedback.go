package sdp

// What receivers may ask of senders: a=rtcp-fb. RFC 4585 §4.2, RFC 5104 §7.1.

import (
	"iter"
	"strings"
)

// A Feedback is one a=rtcp-fb line.
type Feedback struct {
	Payload string // payload type, or "*" for all
	Type    string // "nack", "ccm", "goog-remb", "transport-cc"
	Detail  string // "pli", "fir"; empty for a bare "nack"
}

// Feedbacks goes through the a=rtcp-fb lines of m.
func (m *Media) Feedbacks() iter.Seq[Feedback] {
	return func(yield func(Feedback) bool) {
		for v := range m.Lines.Attributes("rtcp-fb") {
			f := strings.Fields(v)
			if len(f) >= 2 && !yield(Feedback{Payload: f[0], Type: f[1], Detail: strings.Join(f[2:], " ")}) {
				return
			}
		}
	}
}

// Refreshes tells whether the author makes a whole picture when it is asked to by RTCP: PLI (RFC 4585 §6.3.1) or FIR (RFC 5104 §4.3.1).
func (m *Media) Refreshes() (pli, fir bool) {
	for f := range m.Feedbacks() {
		pli = pli || f.Type == "nack" && f.Detail == "pli"
		fir = fir || f.Type == "ccm" && f.Detail == "fir"
	}
	return pli, fir
}

// AddFeedback appends an a=rtcp-fb line.
func (m *Media) AddFeedback(f Feedback) {
	m.Lines.AddAttribute("rtcp-fb", strings.TrimSpace(f.Payload+" "+f.Type+" "+f.Detail))
}
