// The Session-ID that joins the dialogs of one call. RFC 7989.

package dialog

import (
	"crypto/sha1"
	"encoding/hex"
	"strings"
)

// nullUUID stands for a peer whose identifier is not known yet. RFC 7989 §5.
const nullUUID = "00000000000000000000000000000000"

// SessionID is the pair of identifiers of a call: ours and the peer's, 32 hexadecimal digits each, "" if unknown.
type SessionID struct {
	Local, Remote string
}

// ParseSessionID reads a Session-ID value as its sender wrote it: Local is the sender's part. What is malformed stays "".
func ParseSessionID(value string) SessionID {
	local, params, _ := strings.Cut(value, ";")
	id := SessionID{Local: uuid(local)}
	for p := range strings.SplitSeq(params, ";") {
		if name, v, ok := strings.Cut(p, "="); ok && strings.EqualFold(strings.TrimSpace(name), "remote") {
			id.Remote = uuid(v)
		}
	}
	return id
}

// String prints the value of the header field as we send it. RFC 7989 §5.
func (id SessionID) String() string {
	remote := id.Remote
	if remote == "" {
		remote = nullUUID
	}
	return id.Local + ";remote=" + remote
}

// NewSessionPart makes an identifier from a token that is unique: a UUID of version 5 as RFC 7989 §4.1 asks, so that the same token gives
// the same identifier on every node.
func NewSessionPart(token string) string {
	sum := sha1.Sum([]byte("sipwerk session " + token))
	sum[6] = sum[6]&0x0f | 0x50
	sum[8] = sum[8]&0x3f | 0x80
	return hex.EncodeToString(sum[:16])
}

// uuid returns s if it is an identifier and not the null one.
func uuid(s string) string {
	s = strings.TrimSpace(s)
	if len(s) != len(nullUUID) || s == nullUUID {
		return ""
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return ""
		}
	}
	return s
}
