// Printing: old bytes in runs, edited lines between them, Content-Length always right. RFC 3261 §7, §20.14.

package sip

import "strconv"

// length returns the value that Content-Length must have.
func (m *Message) length() string { return strconv.Itoa(len(m.body)) }

// lengthHolds reports whether the Content-Length f is right.
func (m *Message) lengthHolds(f *field) bool {
	s := m.valueOf(f)
	n, digits, ok := number(s)
	return ok && digits == len(s) && uint64(n) == uint64(len(m.body))
}

// lengthWritten reports whether a right Content-Length is among the fields.
func (m *Message) lengthWritten() bool {
	i := m.find(HeaderContentLength, 0)
	return i >= 0 && m.lengthHolds(&m.fields[i])
}

// appendTo appends everything behind the start line.
func (m *Message) appendTo(b []byte) []byte {
	counted := false
	for i := 0; i < len(m.fields); {
		f := &m.fields[i]
		if f.header == HeaderContentLength {
			if counted || !m.lengthHolds(f) {
				i++
				continue
			}
			counted = true
		}
		n := m.run(i)
		b = m.appendRun(b, i, n)
		i += n
	}
	if !counted {
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, int64(len(m.body)), 10)
		b = append(b, '\r', '\n')
	}
	b = append(b, '\r', '\n')
	return append(b, m.body...)
}

// run returns how many fields from i on lie one behind the other in the same buffer and can be copied in one go.
func (m *Message) run(i int) int {
	n := 1
	for i+n < len(m.fields) && m.adjacent(i+n) && m.fields[i+n].header != HeaderContentLength {
		n++
	}
	return n
}

// adjacent reports whether field i stands right behind the one before it in the same buffer, and both can be copied as they are.
func (m *Message) adjacent(i int) bool {
	a, b := &m.fields[i-1], &m.fields[i]
	return a.made == b.made && a.end == b.name.start && (b.made || !m.bare)
}

// appendRun appends n fields from i on.
func (m *Message) appendRun(b []byte, i, n int) []byte {
	f, last := &m.fields[i], &m.fields[i+n-1]
	switch {
	case f.made:
		return append(b, m.made[f.name.start:last.end]...)
	case !m.bare:
		return append(b, m.raw[f.name.start:last.end]...)
	}
	b = append(b, m.nameOf(f)...)
	b = append(b, ": "...)
	b = append(b, m.valueOf(f)...)
	return append(b, '\r', '\n')
}

// size estimates how many bytes appendTo appends.
func (m *Message) size() int { return len(m.raw) + len(m.made) + len(m.body) + 256 }

// copyFrom makes m an owned copy of src.
func (m *Message) copyFrom(src *Message) {
	head := len(src.raw)
	if len(src.body) > 0 && head >= len(src.body) && &src.raw[head-len(src.body)] == &src.body[0] {
		head -= len(src.body)
	}
	all := make([]byte, 0, head+len(src.made)+len(src.body))
	all = append(all, src.raw[:head]...)
	all = append(all, src.body...)
	all = append(all, src.made...)
	end := head + len(src.body)
	m.raw, m.made = all[:end:end], all[end:len(all):len(all)]
	if src.body != nil {
		m.body = m.raw[head:]
	}
	m.fields = append(make([]field, 0, len(src.fields)+4), src.fields...)
	m.bare, m.known = src.bare, 0
}
