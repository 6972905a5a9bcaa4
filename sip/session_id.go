// Session-ID: one identifier for a call across all its legs. RFC 7989 §5.

package sip

import "strings"

// NilUUID stands for a side whose identifier is not known yet. RFC 7989 §5.
const NilUUID = "00000000000000000000000000000000"

// SessionID is the pair of identifiers as its sender sees it: 32 lower-case hexadecimal digits each, [NilUUID] for unknown.
type SessionID struct{ Local, Remote string }

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

// String prints the value.
func (id SessionID) String() string { return safe(id.Local) + ";remote=" + safe(id.Remote) }
