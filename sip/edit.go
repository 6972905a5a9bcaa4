// Edits of a message: lines are written behind what was edited before, and the list of fields points at them. RFC 3261 §7.3.

package sip

import (
	"slices"
	"strings"
)

// write appends a line to made and returns its field; a value of a comma list may come in two parts.
func (m *Message) write(h Header, name string, values ...string) field {
	f := m.open(h, name)
	for _, v := range values {
		m.made = append(m.made, safe(v)...)
	}
	return m.close(f)
}

// close ends the line of f, whose value has been appended to made.
func (m *Message) close(f field) field {
	f.value.end = uint32(len(m.made))
	m.made = append(m.made, '\r', '\n')
	f.end = uint32(len(m.made))
	return f
}

// Set replaces all fields called h by one with this value, in the place of the first, or at the end.
// A value with CR, LF or NUL is cut before it: no caller can smuggle a header in.
func (m *Message) Set(h Header, value string) {
	if h != HeaderOther {
		m.set(m.find(h, 0), m.write(h, h.String(), trim(value)))
	}
}

// SetAddress is Set for a From, To, Contact or another name-addr, without the allocation of its text.
func (m *Message) SetAddress(h Header, a Address) {
	f := m.open(h, h.String())
	m.made = a.AppendTo(m.made)
	m.set(m.find(h, 0), m.close(f))
}

// SetCSeq is Set for a CSeq, without the allocation of its text.
func (m *Message) SetCSeq(c CSeq) {
	f := m.open(HeaderCSeq, HeaderCSeq.String())
	m.made = c.AppendTo(m.made)
	m.set(m.find(HeaderCSeq, 0), m.close(f))
}

// SetSessionID is Set for a Session-ID, without the allocation of its text.
func (m *Message) SetSessionID(id SessionID) {
	f := m.open(HeaderSessionID, HeaderSessionID.String())
	m.made = id.AppendTo(m.made)
	m.set(m.find(HeaderSessionID, 0), m.close(f))
}

// AddTag puts a tag behind the value of a From or To that has none, without taking the value apart.
func (m *Message) AddTag(h Header, tag string) {
	i := m.find(h, 0)
	if i < 0 || h == HeaderOther {
		return
	}
	before := m.known & knownTags
	m.set(i, m.write(h, h.String(), m.valueOf(&m.fields[i]), ";tag=", tag))
	if before == 0 || !classToken.holds(tag) {
		return
	}
	value := m.valueOf(&m.fields[i])
	tag = value[len(value)-len(tag):]
	switch {
	case h == HeaderTo && m.toTag == "":
		m.toTag = tag
	case h == HeaderFrom && m.fromTag == "":
		m.fromTag = tag
	default: // it had one, and that counts
	}
	m.known |= knownTags
}

// SetName is [Message.Set] for a name outside the table. A name that is no token changes nothing.
func (m *Message) SetName(name, value string) {
	if classToken.holds(name) {
		m.set(m.findName(name, 0), m.write(LookupHeader(name), name, trim(value)))
	}
}

// set puts f in the place of field i and deletes the later ones of its name.
func (m *Message) set(i int, f field) {
	m.forget(f.header)
	if i < 0 {
		*m.next() = f
		return
	}
	m.fields[i] = f
	if f.header != HeaderOther {
		m.removeFrom(m.find(f.header, i+1), f.header, "")
		return
	}
	m.removeFrom(i+1, HeaderOther, m.nameOf(&f))
}

// removeFrom deletes the fields of a name from index i on, none if that is negative.
func (m *Message) removeFrom(i int, h Header, name string) {
	if i < 0 {
		return
	}
	m.forget(h)
	kept := m.fields[:i]
	for _, f := range m.fields[i:] {
		if f.header == h && (h != HeaderOther || sameFold(m.nameOf(&f), name)) {
			continue
		}
		kept = append(kept, f)
	}
	m.fields = kept
}

// Add puts a field behind the last one called h, or at the end.
func (m *Message) Add(h Header, value string) {
	if h == HeaderOther {
		return
	}
	m.insert(m.bottom(h), m.write(h, h.String(), trim(value)))
}

// bottom returns the index behind the last field called h, or behind all.
func (m *Message) bottom(h Header) int {
	for i := len(m.fields); i > 0; i-- {
		if m.fields[i-1].header == h {
			return i
		}
	}
	return len(m.fields)
}

// AddName is [Message.Add] for a name outside the table. A name that is no token changes nothing.
func (m *Message) AddName(name, value string) {
	if h := LookupHeader(name); h != HeaderOther {
		m.Add(h, value)
		return
	}
	if !classToken.holds(name) {
		return
	}
	at := len(m.fields)
	for i := m.findName(name, 0); i >= 0; i = m.findName(name, i+1) {
		at = i + 1
	}
	m.insert(at, m.write(HeaderOther, name, trim(value)))
}

// Prepend puts a field before the first one called h: the way a Via, Route or Record-Route is pushed. Via goes to the top of the
// message if there is none, other headers behind the last Via.
func (m *Message) Prepend(h Header, value string) {
	if h != HeaderOther {
		m.insert(m.top(h), m.write(h, h.String(), trim(value)))
	}
}

// PrependVia is Prepend for a Via, without the allocation of its text.
func (m *Message) PrependVia(v Via) {
	f := m.open(HeaderVia, "Via")
	m.made = v.AppendTo(m.made)
	m.insert(m.top(HeaderVia), m.close(f))
}

// PrependAddress is Prepend for a Route, Record-Route or Path, without the allocation of its text.
func (m *Message) PrependAddress(h Header, a Address) {
	f := m.open(h, h.String())
	m.made = a.AppendTo(m.made)
	m.insert(m.top(h), m.close(f))
}

// AddChallenge puts a challenge behind the last field called h, a WWW-Authenticate or Proxy-Authenticate, or at the end, without the allocation of its text.
func (m *Message) AddChallenge(h Header, c *Challenge) {
	f := m.open(h, h.String())
	m.made = c.AppendTo(m.made)
	m.insert(m.bottom(h), m.close(f))
}

// insert puts f at index i.
func (m *Message) insert(i int, f field) {
	m.forget(f.header)
	m.next()
	copy(m.fields[i+1:], m.fields[i:])
	m.fields[i] = f
}

// forget forgets what is known of a field that changes.
func (m *Message) forget(h Header) {
	switch h {
	case HeaderVia:
		m.known &^= knownVia
	case HeaderCSeq:
		m.known &^= knownCSeq
	case HeaderFrom, HeaderTo:
		m.known &^= knownTags
	}
}

// open starts the line of a field in made.
func (m *Message) open(h Header, name string) field {
	f := field{header: h, made: true}
	f.name.start = uint32(len(m.made))
	m.made = append(m.made, name...)
	f.name.end = uint32(len(m.made))
	m.made = append(m.made, ':', ' ')
	f.value.start = uint32(len(m.made))
	return f
}

// top returns where a field called h is put to be the first of its name.
func (m *Message) top(h Header) int {
	if i := m.find(h, 0); i >= 0 {
		return i
	}
	at := 0
	if h != HeaderVia {
		for i := m.find(HeaderVia, 0); i >= 0; i = m.find(HeaderVia, i+1) {
			at = i + 1
		}
	}
	return at
}

// SetFirst replaces the first value of the first field called h and leaves the other values of its comma list: received= and rport=
// in the top Via, the top Route. Without such a field it is Add.
func (m *Message) SetFirst(h Header, value string) {
	i := m.find(h, 0)
	if i < 0 || h == HeaderOther {
		m.Add(h, value)
		return
	}
	m.forget(h)
	m.fields[i] = m.write(h, h.String(), trim(safe(value)), m.behindFirst(i))
}

// SetVia replaces the topmost Via, without the allocation of its text; the strings of v are to live as long as m. Without a Via it is [Message.PrependVia].
func (m *Message) SetVia(v Via) {
	i := m.find(HeaderVia, 0)
	if i < 0 {
		m.PrependVia(v)
		return
	}
	f := m.open(HeaderVia, "Via")
	m.made = v.AppendTo(m.made)
	if printed := text(m.made[f.value.start:]); strings.HasSuffix(printed, string(v.Params)) {
		v.Params = Params(printed[len(printed)-len(v.Params):])
		m.via, m.known = v, m.known|knownVia
	} else { // its parameters were malformed
		m.forget(HeaderVia)
	}
	m.made = append(m.made, safe(m.behindFirst(i))...)
	m.fields[i] = m.close(f)
}

// behindFirst returns what stands behind the first value of field i, from the comma on.
func (m *Message) behindFirst(i int) string {
	f := &m.fields[i]
	value := m.valueOf(f)
	if !f.header.isList() {
		return ""
	}
	_, rest, more := member(value)
	if !more {
		return ""
	}
	return value[len(value)-len(rest)-1:]
}

// PopFirst removes the first value called h, with its field if it was the only one there, and returns it ("" if there is none).
func (m *Message) PopFirst(h Header) string {
	i := m.find(h, 0)
	if i < 0 || h == HeaderOther {
		return ""
	}
	m.forget(h)
	value := m.valueOf(&m.fields[i])
	if !h.isList() {
		m.fields = slices.Delete(m.fields, i, i+1)
		return value
	}
	first, rest, more := member(value)
	if !more {
		m.fields = slices.Delete(m.fields, i, i+1)
		return first
	}
	m.fields[i] = m.write(h, h.String(), trim(rest))
	return first
}

// Remove deletes every field called h.
func (m *Message) Remove(h Header) {
	if h != HeaderOther {
		m.removeFrom(m.find(h, 0), h, "")
	}
}

// RemoveName is [Message.Remove] for a name outside the table.
func (m *Message) RemoveName(name string) { m.removeFrom(0, LookupHeader(name), name) }

// SetBody replaces body and Content-Type and keeps a reference to body; an empty contentType removes the field. Content-Length is written when the message is printed.
func (m *Message) SetBody(contentType string, body []byte) {
	if contentType == "" {
		m.Remove(HeaderContentType)
	} else {
		m.Set(HeaderContentType, contentType)
	}
	m.body = body
	if m.Has(HeaderContentLength) {
		m.Set(HeaderContentLength, m.length())
	}
}
