package sdp

// Who sends: a=sendrecv and its brothers, hold and resume. RFC 8866 §6.7; RFC 3264 §6.1, RFC 3264 §8.4, RFC 6337 §5.3.

// A Direction says in which directions media may flow, seen from the author of a description.
type Direction uint8

// The directions. Each bit forbids something; the zero value allows everything.
const (
	SendRecv Direction = 0
	SendOnly Direction = 1 // receives nothing
	RecvOnly Direction = 2 // sends nothing
	Inactive Direction = 3
)

// String returns the name of the attribute.
func (d Direction) String() string {
	return [...]string{"sendrecv", "sendonly", "recvonly", "inactive"}[d&Inactive]
}

// Sends tells whether the author may send.
func (d Direction) Sends() bool { return d&RecvOnly == 0 }

// Receives tells whether the author is willing to receive.
func (d Direction) Receives() bool { return d&SendOnly == 0 }

// Reverse returns the direction seen from the other side.
func (d Direction) Reverse() Direction { return (d&1)<<1 | (d&2)>>1 }

// And returns what both allow.
func (d Direction) And(o Direction) Direction { return (d | o) & Inactive }

// Answer returns the direction of an answer to an offer of direction d by someone who wants this. RFC 3264 §6.1.
func (d Direction) Answer(want Direction) Direction { return d.Reverse().And(want) }

// Direction returns the direction of m: its own attribute, or else the one of the session, or else sendrecv. An author
// who names the address 0.0.0.0 or :: receives nothing (RFC 3264 §8.4), unless ICE is going to find the address
// (RFC 8839 §4.2.5).
func (d *Description) Direction(m *Media) Direction {
	dir, ok := m.Lines.direction()
	if !ok {
		dir, _ = d.Lines.direction()
	}
	if d.heldByAddress(m) {
		dir = dir.And(SendOnly)
	}
	return dir
}

// SetDirection writes the direction of m as an attribute of its own.
func (m *Media) SetDirection(dir Direction) {
	for i, l := range m.Lines {
		if _, ok := l.direction(); !ok {
			continue
		}
		rest := m.Lines[i+1:]
		rest.RemoveAttribute(directionNames()...)
		m.Lines[i] = Line{'a', dir.String()}
		m.Lines = m.Lines[:i+1+len(rest)]
		return
	}
	m.Lines.AddAttribute(dir.String(), "")
}

func directionNames() []string { return []string{"sendrecv", "sendonly", "recvonly", "inactive"} }

func (d *Description) heldByAddress(m *Media) bool {
	if !d.Address(m).IsUnspecified() || m.BundleOnly() {
		return false
	}
	_, ice := m.Lines.Attribute("ice-ufrag")
	if !ice {
		_, ice = d.Lines.Attribute("ice-ufrag")
	}
	return !ice
}

func (ls Lines) direction() (Direction, bool) {
	for _, l := range ls {
		if dir, ok := l.direction(); ok {
			return dir, true
		}
	}
	return SendRecv, false
}

func (l Line) direction() (Direction, bool) {
	name, _, _ := l.attribute()
	switch name {
	case "sendrecv":
		return SendRecv, true
	case "sendonly":
		return SendOnly, true
	case "recvonly":
		return RecvOnly, true
	case "inactive":
		return Inactive, true
	}
	return SendRecv, false
}
