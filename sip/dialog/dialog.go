// The dialog as data, and how it is made from a request and a response. RFC 3261 §12.1, §12.2.1.2.

package dialog

import (
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

// Dialog is one side's view of a dialog: plain data that owns its strings and can be stored or handed to another node. The owner of
// the dialog serialises its use.
type Dialog struct {
	State     State
	CallID    string
	LocalTag  string
	RemoteTag string
	Local     sip.Address // our From or To, with tag
	Remote    sip.Address // the peer's, with tag if it has one
	LocalSeq  uint32      // of our last request
	RemoteSeq uint32      // of the peer's last request
	RemoteHas bool        // RemoteSeq is known
	Target    sip.URI     // the peer's Contact
	Hop       sip.URI     // where the peer was reached directly; requests go there when Target is a GRUU, which says who it is and not where
	Routes    []sip.URI   // in the order of our requests
	Secure    bool        // sips: both ends asked for it
	Contact   string      // our Contact as a header value
	Flow      sip.Flow    // where requests go instead of being routed; zero: RFC 3261 §12.2.1.1 alone decides
	Session   sip.SessionID
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
		State: Early, CallID: strings.Clone(req.CallID()),
		Local: cloneAddress(local), Remote: cloneAddress(remote),
		LocalTag: strings.Clone(local.Tag()), RemoteTag: strings.Clone(remote.Tag()),
		LocalSeq: seq.Number, Target: req.URI.Clone(), Secure: req.URI.Scheme == "sips",
		Contact: strings.Clone(req.Get(sip.HeaderContact)),
	}
	if !req.Has(sip.HeaderRoute) {
		d.Hop = d.Target
	}
	if contact, ok := res.Contact(); ok {
		d.Target = contact.URI.Clone()
	}
	if err := d.takeRoutes(&res.Message, true); err != nil {
		return nil, err
	}
	if res.Status.Success() {
		d.State = Confirmed
	}
	d.Session.Local = strings.Clone(req.SessionID().Local)
	d.Session.Remote = strings.Clone(res.SessionID().Local)
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
		State: Early, CallID: strings.Clone(req.CallID()),
		Local: cloneAddress(local.WithTag(tag)), Remote: cloneAddress(remote),
		// RFC 3261 §12.1.1: a peer of RFC 2543 may have no From tag; its tag is null.
		LocalTag: tag, RemoteTag: strings.Clone(remote.Tag()),
		RemoteSeq: seq.Number, RemoteHas: true,
		Target: contact.URI.Clone(), Secure: req.URI.Scheme == "sips",
		Contact: anyContact,
	}
	if err := d.takeRoutes(&req.Message, false); err != nil {
		return nil, err
	}
	d.Session.Remote = strings.Clone(req.SessionID().Local)
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
	if c, ok := m.Contact(); ok && c.URI != d.Target {
		d.Target = c.URI.Clone()
	}
	if id := m.SessionID(); id.Known() && id.Local != d.Session.Remote {
		d.Session.Remote = strings.Clone(id.Local)
	}
}

// InOrder takes the sequence number of a request from the peer and reports whether it is not lower than the last one; a lower one is to be
// answered with 500. RFC 3261 §12.2.2.
func (d *Dialog) InOrder(seq uint32) bool {
	if d.RemoteHas && seq < d.RemoteSeq {
		return false
	}
	d.RemoteSeq, d.RemoteHas = seq, true
	return true
}

// Matches reports whether the peer's tag and the Call-ID of a message are those of the dialog.
func (d *Dialog) Matches(callID, remoteTag string) bool {
	return d.CallID == callID && d.RemoteTag == remoteTag
}

// cloneAddress returns a with memory of its own.
func cloneAddress(a sip.Address) sip.Address {
	a.Display, a.URI = strings.Clone(a.Display), a.URI.Clone()
	a.Params = sip.Params(strings.Clone(string(a.Params)))
	return a
}
