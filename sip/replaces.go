// Headers that name a dialog from outside: Replaces, Join and Target-Dialog. RFC 3891 §6.1, RFC 3911 §7.1, RFC 4538 §7.

package sip

// Replaces names the dialog that a new one takes the place of. The tags are as the receiver of the request sees them: To is its own.
type Replaces struct {
	CallID, ToTag, FromTag string
	EarlyOnly              bool // only while that dialog is early
}

// ParseReplaces parses a value of Replaces. The error is a [*ParseError].
func ParseReplaces(s string) (Replaces, error) {
	id, p, err := dialogID("Replaces", s, "to-tag", "from-tag")
	return Replaces{id, p.Get("to-tag"), p.Get("from-tag"), p.Has("early-only")}, err
}

// Replaces returns what a request is to take the place of. RFC 3891 §3: two of them, or one beside a Join, are malformed. The error is a [*ParseError].
func (r *Request) Replaces() (Replaces, error) {
	first, n := "", 0
	for value := range r.Values(HeaderReplaces) {
		if first == "" {
			first = value
		}
		n++
	}
	if n > 1 || r.Has(HeaderJoin) {
		return Replaces{}, &ParseError{What: "Replaces", Reason: "it stands twice, or beside Join"}
	}
	return ParseReplaces(first)
}

// String prints the value.
func (r Replaces) String() string {
	p := Params("").With("to-tag", r.ToTag).With("from-tag", r.FromTag)
	if r.EarlyOnly {
		p = p.With("early-only", "")
	}
	return safe(r.CallID) + string(p)
}

// Join names the dialog that a new one is to be mixed with.
type Join struct{ CallID, ToTag, FromTag string }

// ParseJoin parses a value of Join. The error is a [*ParseError].
func ParseJoin(s string) (Join, error) {
	id, p, err := dialogID("Join", s, "to-tag", "from-tag")
	return Join{id, p.Get("to-tag"), p.Get("from-tag")}, err
}

// String prints the value.
func (j Join) String() string {
	return safe(j.CallID) + string(Params("").With("to-tag", j.ToTag).With("from-tag", j.FromTag))
}

// TargetDialog names a dialog that the sender shares with the receiver, to show that it may ask. Local is the sender's side.
type TargetDialog struct{ CallID, LocalTag, RemoteTag string }

// ParseTargetDialog parses a value of Target-Dialog. The error is a [*ParseError].
func ParseTargetDialog(s string) (TargetDialog, error) {
	id, p, err := dialogID("Target-Dialog", s, "local-tag", "remote-tag")
	return TargetDialog{id, p.Get("local-tag"), p.Get("remote-tag")}, err
}

// String prints the value.
func (t TargetDialog) String() string {
	return safe(t.CallID) + string(Params("").With("local-tag", t.LocalTag).With("remote-tag", t.RemoteTag))
}

// dialogID parses a Call-ID and parameters, of which two tags must be there.
func dialogID(what, s, tagA, tagB string) (id string, p Params, err error) {
	if id, p, err = splitParams(what, s, classWord|classAt); err != nil {
		return "", "", err
	}
	if p.Get(tagA) == "" || p.Get(tagB) == "" {
		return "", "", &ParseError{What: what, Offset: len(id), Reason: tagA + " or " + tagB + " is missing"}
	}
	return id, p, nil
}
