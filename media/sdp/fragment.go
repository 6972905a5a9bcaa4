package sdp

// What is trickled: a part of a description that names further candidates. application/trickle-ice-sdpfrag, RFC 8840 §9.

import "errors"

// FragmentType is the media type of a fragment. RFC 8840 §9.4.
const FragmentType = "application/trickle-ice-sdpfrag"

// maxFragment is how long a fragment may be, in bytes: some hundred candidates.
const maxFragment = 1 << 14

// ParseFragment reads a fragment: a description that begins without v=, whose lines of media say which they mean by a=mid, and what is new of them. What is no fragment but a description is read, too;
// b is not kept. The error is a *[ParseError].
func ParseFragment(b []byte) (*Description, error) {
	if len(b) > maxFragment {
		return nil, &ParseError{Reason: "too large"}
	}
	const head = "v=0\n"
	d, err := Parse(append([]byte(head), b...))
	if wrong, ok := errors.AsType[*ParseError](err); ok && wrong.Line > 0 {
		wrong.Line--
	}
	return d, err
}

// AppendFragment appends what i says anew of the line m, whose tag (a=mid) the peer knows.
func (m *Media) AppendFragment(b []byte, i ICE) []byte {
	d := Description{Lines: Lines{{'a', "ice-ufrag:" + i.Ufrag}, {'a', "ice-pwd:" + i.Password}}}
	b = d.Lines.appendTo(b)
	b = append(append(append(b, "m="...), m.Type...), " 9 "...)
	b = append(append(b, m.Proto...), " 0\r\n"...)
	lines := Lines{{'a', "mid:" + m.MID()}}
	for _, c := range i.Candidates {
		lines = append(lines, Line{'a', "candidate:" + c})
	}
	if i.End {
		lines = append(lines, Line{'a', "end-of-candidates"})
	}
	return lines.appendTo(b)
}
