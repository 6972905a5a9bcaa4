// Session-ID: one identifier for a call across all its legs. RFC 7989 §5.

package sip

import (
	"crypto/sha1"
	"encoding/hex"
	"strings"
)

// NilUUID stands for a side whose identifier is not known yet. RFC 7989 §5.
const NilUUID = "00000000000000000000000000000000"

// SessionID is the pair of identifiers as its sender sees it: 32 lower-case hexadecimal digits each, [NilUUID] for unknown. The zero SessionID knows neither.
type SessionID struct{ Local, Remote string }

// NewSessionUUID makes an identifier of a token that is unique: a UUID of version 5 as RFC 7989 §4.1 asks, so that the same token gives
// the same identifier on every node.
func NewSessionUUID(token string) string {
	sum := sha1.Sum([]byte("sipwerk session " + token))
	sum[6] = sum[6]&0x0f | 0x50
	sum[8] = sum[8]&0x3f | 0x80
	return hex.EncodeToString(sum[:16])
}

// SessionID returns the Session-ID; its parts are unknown if there is none or it is malformed.
func (m *Message) SessionID() SessionID {
	if value := m.Get(HeaderSessionID); value != "" {
		if id, err := ParseSessionID(value); err == nil {
			return id
		}
	}
	return SessionID{Local: NilUUID, Remote: NilUUID}
}

// ParseSessionID parses a value. Without a remote parameter, as in the standard before RFC 7989, Remote is [NilUUID]. The error is a [*ParseError].
func ParseSessionID(s string) (SessionID, error) {
	local, p, err := splitParams("Session-ID", s, classToken)
	if err != nil {
		return SessionID{}, err
	}
	id := SessionID{Local: strings.ToLower(local), Remote: NilUUID}
	if remote, ok := p.Lookup("remote"); ok {
		id.Remote = strings.ToLower(remote)
	}
	if !isUUID(id.Local) || !isUUID(id.Remote) {
		return SessionID{}, &ParseError{What: "Session-ID", Reason: "32 hexadecimal digits expected"}
	}
	return id, nil
}

func isUUID(s string) bool {
	for i := range len(s) {
		if hexDigit(s[i]) > 15 {
			return false
		}
	}
	return len(s) == len(NilUUID)
}

// Known reports whether the sender has an identifier.
func (id SessionID) Known() bool { return id.Local != "" && id.Local != NilUUID }

// AppendTo appends the value.
func (id SessionID) AppendTo(b []byte) []byte {
	b = append(append(b, uuidOrNil(id.Local)...), ";remote="...)
	return append(b, uuidOrNil(id.Remote)...)
}

// String prints the value.
func (id SessionID) String() string { return string(id.AppendTo(make([]byte, 0, 2*len(NilUUID)+8))) }

func uuidOrNil(s string) string {
	if s == "" {
		return NilUUID
	}
	return safe(s)
}
