// Bodies of several parts: what each is, which to take, and what may not be left out. RFC 5621 §4 to §9; RFC 2046 §5.1.

package sip

import (
	"bytes"
	"iter"
	"strings"
)

const (
	maxParts     = 16 // of one body, multiparts in it included
	maxPartDepth = 4  // multiparts in each other
	maxBoundary  = 70 // RFC 2046 §5.1.1
)

// Part is the body of a message, or a part of it that is no multipart itself. It shares the memory of the message.
type Part struct {
	Type        MediaType
	Disposition Disposition // "session" for application/sdp and "render" for others where none is written (RFC 3261 §20.11)
	Required    bool        // whoever does not know Type or Disposition must refuse the message, unless it knows another part of the same Choice
	Choice      int         // not 0: parts with this number say the same, and the last one that is known counts (multipart/alternative)
	Referenced  bool        // means something only where another part or a header points at it: not the root of a multipart/related, or by-reference
	Encoded     bool        // not as it is: there is a Content-Encoding or a Content-Transfer-Encoding
	Body        []byte

	fields string // of the part; "" if it is the body of the message
}

// Parts yields the body part by part, those of nested multiparts too; a body that is no multipart is its only part, and a message without body
// has none. A malformed multipart ends with an error, which is a [*ParseError].
func (m *Message) Parts() iter.Seq2[Part, error] {
	return func(yield func(Part, error) bool) {
		if len(m.body) == 0 {
			return
		}
		whole, err := newPart(m.Get, m.body)
		if err != nil {
			yield(Part{}, err)
			return
		}
		w := partWalk{yield: yield}
		if err := w.walk(whole, 0); err != nil {
			yield(Part{}, err)
		}
	}
}

// Part returns the part of the body that is of a type such as "application/sdp", of several alternatives the last. ok is false if there is none, or the body is malformed.
func (m *Message) Part(mediaType string) (found Part, ok bool) {
	kind, sub, _ := strings.Cut(mediaType, "/")
	for p, err := range m.Parts() {
		if err != nil {
			return Part{}, false
		}
		if p.Referenced || p.Encoded || p.Type.fits(kind, sub) < 3 || ok && (p.Choice == 0 || p.Choice != found.Choice) {
			continue
		}
		found, ok = p, true
	}
	return found, ok
}

// Understood reports whether every part that must be understood is: one that is not makes a UAS answer 415 (RFC 5621 §8.4). A malformed body is not understood.
func (m *Message) Understood(known func(Part) bool) bool {
	var required, met uint32 // sets of choices
	for p, err := range m.Parts() {
		if err != nil {
			return false
		}
		understands := !p.Required || !p.Encoded && known(p)
		switch {
		case p.Choice == 0 && !understands:
			return false
		case p.Choice != 0:
			required |= 1 << p.Choice
			if understands {
				met |= 1 << p.Choice
			}
		}
	}
	return required == met
}

// newPart reads what get says about a body.
func newPart(get func(Header) string, body []byte) (p Part, err error) {
	p = Part{Type: MediaType{Type: "text", Subtype: "plain"}, Body: body}
	if s := get(HeaderContentType); s != "" {
		if p.Type, err = ParseMediaType(s); err != nil {
			return Part{}, err
		}
	}
	p.Disposition = Disposition{Type: "render", Required: true}
	if p.Type.Type == "application" && p.Type.Subtype == "sdp" {
		p.Disposition.Type = "session"
	}
	if s := get(HeaderContentDisposition); s != "" {
		if p.Disposition, err = ParseDisposition(s); err != nil {
			return Part{}, err
		}
	}
	p.Required = p.Disposition.Required
	p.Referenced = p.Disposition.Type == "by-reference" // RFC 5621 §9.4
	coding := get(HeaderContentEncoding)
	p.Encoded = coding != "" && !sameFold(coding, "identity")
	return p, nil
}

// Get returns the value of a field of a part of a multipart, such as Content-ID; "" if there is none. The body of a message has the fields of the message.
func (p Part) Get(name string) string {
	for line := range strings.Lines(p.fields) {
		n, value, ok := strings.Cut(line, ":")
		if ok && sameFold(trimRight(n), name) {
			return strings.Trim(value, " \t\r\n")
		}
	}
	return ""
}

// partWalk walks over the tree of parts.
type partWalk struct {
	yield   func(Part, error) bool
	parts   int
	choices int
	stopped bool
}

func partError(why string) error { return &ParseError{What: "multipart", Reason: why} }

// walk yields p, or if it is a multipart its parts.
func (w *partWalk) walk(p Part, depth int) error {
	if depth > 0 {
		w.parts++
	}
	if w.parts > maxParts {
		return partError("too many parts")
	}
	if p.Type.Type != "multipart" {
		w.stopped = !w.yield(p, nil)
		return nil
	}
	if depth == maxPartDepth {
		return partError("too many multiparts in each other")
	}
	if p.Type.Subtype == "alternative" && p.Choice == 0 {
		w.choices++
		p.Choice = w.choices
	}
	s := partSplitter{rest: p.Body, mark: "--" + p.Type.Params.Get("boundary")}
	if n := len(s.mark) - 2; n == 0 || n > maxBoundary {
		return partError("boundary expected")
	}
	for first := true; !w.stopped; first = false {
		b, ok := s.next()
		if !ok {
			return s.err
		}
		child, err := readPart(b)
		if err != nil {
			return err
		}
		child.inherit(p, first)
		if err := w.walk(child, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// inherit makes p a part of the multipart parent.
func (p *Part) inherit(parent Part, first bool) {
	p.Choice = parent.Choice
	if parent.Choice != 0 {
		p.Required = true // RFC 5621 §8.3: whether one of them must be known says the multipart
	}
	if parent.Type.Subtype == "related" && !p.root(parent, first) {
		p.Referenced = true
	}
	p.Required = p.Required && parent.Required && !p.Referenced
	p.Referenced = p.Referenced || parent.Referenced
}

// root reports whether p is what a multipart/related is about: what its start names, or the first part. RFC 2387 §3.2.
func (p *Part) root(parent Part, first bool) bool {
	if start := parent.Type.Params.Get("start"); start != "" {
		return p.Get("Content-ID") == start
	}
	return first
}

// readPart reads the fields of a part.
func readPart(b []byte) (Part, error) {
	head, body := b, []byte(nil)
	if i := bytes.Index(b, []byte("\r\n\r\n")); i >= 0 {
		head, body = b[:i+2], b[i+4:]
	} else if i := bytes.Index(b, []byte("\n\n")); i >= 0 {
		head, body = b[:i+1], b[i+2:]
	}
	if bytes.HasPrefix(b, []byte("\r\n")) || bytes.HasPrefix(b, []byte("\n")) { // no field at all
		head, body = nil, b[bytes.IndexByte(b, '\n')+1:]
	}
	fields := Part{fields: unfold(text(head))}
	p, err := newPart(func(h Header) string { return fields.Get(h.String()) }, body)
	if err != nil {
		return Part{}, err
	}
	p.fields = fields.fields
	switch transfer := fields.Get("Content-Transfer-Encoding"); {
	case transfer == "", sameFold(transfer, "binary"), sameFold(transfer, "8bit"), sameFold(transfer, "7bit"):
	default:
		p.Encoded = true
	}
	return p, nil
}

// unfold makes one line of each folded one.
func unfold(s string) string {
	if !strings.Contains(s, "\n ") && !strings.Contains(s, "\n\t") {
		return s
	}
	return strings.NewReplacer("\r\n ", " ", "\r\n\t", " ", "\n ", " ", "\n\t", " ").Replace(s)
}

// partSplitter takes a body apart at the lines of its boundary. RFC 2046 §5.1.1.
type partSplitter struct {
	rest   []byte
	mark   string // "--" and the boundary
	inside bool   // behind the first mark
	ended  bool   // behind the last one
	err    error
}

// next returns the bytes of the next part; ok is false at the end, or when err is set.
func (s *partSplitter) next() (part []byte, ok bool) {
	if !s.inside {
		if _, ok := s.cut(); !ok {
			return nil, false
		}
		s.inside = true
	}
	if s.ended {
		return nil, false
	}
	return s.cut()
}

// cut returns what stands before the next line of the boundary and goes behind that.
func (s *partSplitter) cut() ([]byte, bool) {
	for at := 0; ; {
		i := bytes.Index(s.rest[at:], []byte(s.mark))
		if i < 0 {
			s.err = partError("boundary is missing")
			return nil, false
		}
		start := at + i
		end, last, ok := s.lineEnd(start)
		if !ok {
			at = start + 1
			continue
		}
		before := bytes.TrimSuffix(bytes.TrimSuffix(s.rest[:start], []byte("\n")), []byte("\r"))
		s.rest, s.ended = s.rest[end:], last
		return before, true
	}
}

// lineEnd returns the index behind the line of the boundary that starts at s.rest[start:], and whether it is the last one; ok is false if it is no such line.
func (s *partSplitter) lineEnd(start int) (end int, last, ok bool) {
	if start > 0 && s.rest[start-1] != '\n' {
		return 0, false, false
	}
	line := s.rest[start+len(s.mark):]
	end = len(s.rest)
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		end = start + len(s.mark) + i + 1
		line = line[:i]
	}
	line = bytes.TrimRight(line, " \t\r")
	return end, string(line) == "--", len(line) == 0 || string(line) == "--"
}
