// The dialog as data, and how it is made from a request and a response. RFC 3261 §12.1, §12.2.1.2.

package dialog

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// State is how far a dialog has come.
type State uint8

// The states of a dialog. RFC 3261 §12.
const (
	Early State = iota + 1
	Confirmed
	Terminated
)

// String gives the word of RFC 3261 in lower case.
func (s State) String() string { return [...]string{"none", "early", "confirmed", "terminated"}[s] }

// maxRoutes bounds a route set: no legal path is longer than Max-Forwards allows.
const maxRoutes = 70

// What can keep a dialog from being made.
var (
	errNoContact = errors.New("dialog: no Contact to send requests to")
	errNoTag     = errors.New("dialog: tag missing")
	errRoutes    = errors.New("dialog: route set too long")
)

// Dialog is one side's view of a dialog: plain data that owns its strings, which share one piece of memory, for there may be very many. Names and URIs are text as a header has it; what
// they say is read when it is asked for. The owner of the dialog serialises its use.
type Dialog struct {
	State     State
	RemoteHas bool   // RemoteSeq is known
	Secure    bool   // sips: both ends asked for it
	LocalSeq  uint32 // of our last request
	RemoteSeq uint32 // of the peer's last request
	CallID    string
	LocalTag  string
	RemoteTag string
	Local     string // our From or To, with tag
	Remote    string // the peer's, with tag if it has one
	Target    string // the URI of the peer's Contact
	Hop       string // the URI by which the peer was reached directly; requests go there when Target is a GRUU, which says who it is and not where
	Contact   string // our Contact as a header value
	Session   sip.SessionID
	Routes    []sip.URI // in the order of our requests
	flow      *sip.Flow // nil: RFC 3261 §12.2.1.1 alone decides
}

// NewUAC makes the caller's dialog from the request it sent and a 1xx or 2xx to it. RFC 3261 §12.1.2. A response without Contact (a
// tolerated fault) leaves the Request-URI as target.
func NewUAC(req *sip.Request, res *sip.Response) (*Dialog, error) {
	local, err := req.From()
	if err != nil {
		return nil, fmt.Errorf("dialog: %w", err)
	}
	remote, err := res.To()
	if err != nil {
		return nil, fmt.Errorf("dialog: %w", err)
	}
	if remote.Tag() == "" || local.Tag() == "" {
		return nil, errNoTag
	}
	seq, err := req.CSeq()
	if err != nil {
		return nil, fmt.Errorf("dialog: %w", err)
	}
	d := &Dialog{
		State: Early, CallID: req.CallID(), LocalTag: local.Tag(), RemoteTag: remote.Tag(),
		LocalSeq: seq.Number, Secure: req.URI.Scheme == "sips", Contact: req.Get(sip.HeaderContact),
	}
	ends := ends{local: &local, remote: &remote, target: &req.URI}
	if !req.Has(sip.HeaderRoute) {
		ends.hop = &req.URI
	}
	if contact, ok := res.Contact(); ok {
		ends.target = &contact.URI
	}
	if err := d.takeRoutes(&res.Message, true); err != nil {
		return nil, err
	}
	if res.Status.Success() {
		d.State = Confirmed
	}
	d.Session = sip.SessionID{Local: req.SessionID().Local, Remote: res.SessionID().Local}
	d.own(&ends)
	return d, nil
}

// NewUAS makes the callee's dialog from the request it received and the tag it chose. RFC 3261 §12.1.1.
func NewUAS(req *sip.Request, tag string) (*Dialog, error) {
	remote, err := req.From()
	if err != nil {
		return nil, fmt.Errorf("dialog: %w", err)
	}
	local, err := req.To()
	if err != nil {
		return nil, fmt.Errorf("dialog: %w", err)
	}
	contact, ok := req.Contact()
	if !ok {
		return nil, errNoContact
	}
	seq, err := req.CSeq()
	if err != nil {
		return nil, fmt.Errorf("dialog: %w", err)
	}
	d := &Dialog{
		State: Early, CallID: req.CallID(),
		// RFC 3261 §12.1.1: a peer of RFC 2543 may have no From tag; its tag is null.
		LocalTag: tag, RemoteTag: remote.Tag(), RemoteSeq: seq.Number, RemoteHas: true,
		Secure: req.URI.Scheme == "sips", Contact: anyContact,
	}
	if err := d.takeRoutes(&req.Message, false); err != nil {
		return nil, err
	}
	d.Session.Remote = req.SessionID().Local
	local.Params = local.Params.With("tag", tag)
	d.own(&ends{local: &local, remote: &remote, target: &contact.URI})
	return d, nil
}

// anyContact is the Contact that the stack completes when it sends.
const anyContact = "<sip:" + sip.AnyHost + ">"

// takeRoutes makes the Record-Route of m the route set, reversed for a caller.
func (d *Dialog) takeRoutes(m *sip.Message, reverse bool) error {
	d.Routes = nil
	for a, err := range m.Addresses(sip.HeaderRecordRoute) {
		if err != nil {
			return fmt.Errorf("dialog: Record-Route: %w", err)
		}
		if len(d.Routes) == maxRoutes {
			return errRoutes
		}
		d.Routes = append(d.Routes, a.URI.Clone())
	}
	if reverse {
		for i, j := 0, len(d.Routes)-1; i < j; i, j = i+1, j-1 {
			d.Routes[i], d.Routes[j] = d.Routes[j], d.Routes[i]
		}
	}
	return nil
}

// confirm takes the 2xx over an early dialog: the route set is made anew (RFC 3261 §13.2.2.4), tags and sequence numbers stay.
func (d *Dialog) confirm(res *sip.Response) error {
	if err := d.takeRoutes(&res.Message, true); err != nil {
		return err
	}
	d.State = Confirmed
	d.Refresh(&res.Message)
	return nil
}

// Refresh takes the Contact of a target refresh request, or of the 2xx to one, as the new remote target (RFC 3261 §12.2.1.2, §12.2.2),
// and the peer's part of Session-ID.
func (d *Dialog) Refresh(m *sip.Message) {
	if c, ok := m.Contact(); ok {
		if target := c.URI.String(); target != d.Target {
			d.Target = target
		}
	}
	if id := m.SessionID(); id.Known() && id.Local != d.Session.Remote {
		d.Session.Remote = strings.Clone(id.Local)
	}
}

// InOrder takes the sequence number of a request from the peer and reports whether it is not lower than the last one; a lower one is to be
// answered with 500. RFC 3261 §12.2.2.
func (d *Dialog) InOrder(seq uint32) bool { return d.inOrder(seq, true) }

// inOrder is InOrder, which takes the number only if it is to.
func (d *Dialog) inOrder(seq uint32, take bool) bool {
	if d.RemoteHas && seq < d.RemoteSeq {
		return false
	}
	if take {
		d.RemoteSeq, d.RemoteHas = seq, true
	}
	return true
}

// Flow returns where requests go instead of being routed; zero: RFC 3261 §12.2.1.1 alone decides.
func (d *Dialog) Flow() (f sip.Flow) {
	if d.flow != nil {
		f = *d.flow
	}
	return f
}

// Bind makes f the way of all requests from now on; zero: they are routed.
func (d *Dialog) Bind(f sip.Flow) {
	if d.flow = nil; !f.IsZero() {
		d.flow = &f
	}
}

// uri reads a URI that was printed here. What cannot be read leads nowhere.
func uri(text string) (u sip.URI) {
	u, _ = sip.ParseURI(text)
	return u
}

// Matches reports whether the peer's tag and the Call-ID of a message are those of the dialog.
func (d *Dialog) Matches(callID, remoteTag string) bool {
	return d.CallID == callID && d.RemoteTag == remoteTag
}

// ends are what a dialog is made of that is text in it.
type ends struct {
	local, remote *sip.Address
	target, hop   *sip.URI // hop: nil, if the peer was not reached directly
}

// own makes the strings of d, in one piece of memory of their own.
func (d *Dialog) own(e *ends) {
	var room [768]byte
	b := room[:0]
	var cut [4]int // behind each of the four that are printed
	b = e.local.AppendTo(b)
	cut[0] = len(b)
	b = e.remote.AppendTo(b)
	cut[1] = len(b)
	b = e.target.AppendTo(b)
	cut[2] = len(b)
	if e.hop != nil && e.hop != e.target {
		b = e.hop.AppendTo(b)
	}
	if cut[3] = len(b); bytes.Equal(b[cut[1]:cut[2]], b[cut[2]:]) {
		b = b[:cut[2]]
		cut[3] = cut[2]
	}
	parts := [...]*string{&d.CallID, &d.Contact, &d.Session.Local, &d.Session.Remote}
	for _, s := range parts {
		if *s = constant(*s); !isConstant(*s) {
			b = append(b, *s...)
		}
	}
	all := string(b)
	d.Local, d.Remote, d.Target, d.Hop = all[:cut[0]], all[cut[0]:cut[1]], all[cut[1]:cut[2]], all[cut[2]:cut[3]]
	for rest, i := all[cut[3]:], 0; i < len(parts); i++ {
		if s := parts[i]; !isConstant(*s) {
			*s, rest = rest[:len(*s)], rest[len(*s):]
		}
	}
	d.LocalTag, d.RemoteTag = within(d.Local, d.LocalTag), within(d.Remote, d.RemoteTag)
	if e.hop != nil && d.Hop == "" {
		d.Hop = d.Target
	}
}

// isConstant reports whether s is what many dialogs have, and constant returns that without the memory of s.
func isConstant(s string) bool { return s == sip.NilUUID || s == anyContact }

func constant(s string) string {
	switch s {
	case sip.NilUUID:
		return sip.NilUUID
	case anyContact:
		return anyContact
	}
	return s
}

// within returns part as a part of s, or a copy of it.
func within(s, part string) string {
	if i := strings.LastIndex(s, part); i >= 0 {
		return s[i : i+len(part)]
	}
	return strings.Clone(part)
}
