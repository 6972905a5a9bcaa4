package dialog

import (
	"fmt"
	"testing"
	"unsafe"

	"github.com/sipwerk/sipwerk/sip"
)

// TestLean: what is left of an INVITE says what it said of who, whom and which call, also when one side is called otherwise since, or was already.
func TestLean(t *testing.T) {
	for _, early := range [...]bool{false, true} {
		for name, u := range standing(t) {
			t.Run(fmt.Sprint(name, early), func(t *testing.T) {
				came := u.invite.Clone()
				if early {
					rename(t, u)
				}
				u.Lean()
				if u.invite != nil {
					t.Error("the INVITE is kept whole")
				}
				same(t, u, came, "lean")
				if !early {
					rename(t, u)
				}
				same(t, u, came, "renamed")
			})
		}
	}
}

// TestLeanRenamed: whom we have called stays who we have called, whatever the peer writes into the To of its answer. RFC 3261 §12.1.2.
func TestLeanRenamed(t *testing.T) {
	for _, to := range [...]string{"<sip:chief@example.com>;tag=314", "\"The Chief\" <sip:bob@biloxi.example.com>;tag=314", "<sip:bob@biloxi.example.com>;tag=314;x=y"} {
		u := standing(t)["caller"]
		came := u.invite.Clone()
		res := u.invite.Reply(sip.StatusOK)
		res.Set(sip.HeaderTo, to)
		d, err := NewUAC(u.invite, res)
		if err != nil {
			t.Fatal(err)
		}
		u.dialog = d
		u.Lean()
		same(t, u, came, to)
		if next := d.Request(sip.MethodBye).Get(sip.HeaderTo); next != to {
			t.Errorf("inside the dialog the peer is called %s, want %s", next, to)
		}
	}
}

// standing is a call that stands, from both sides.
func standing(t *testing.T) map[string]*Usage {
	came := invite(t, "Subject: hello", "Session-ID: 0123456789abcdef0123456789abcdef;remote="+sip.NilUUID)
	incoming, err := NewUAS(came, "8321")
	if err != nil {
		t.Fatal(err)
	}
	sent := came.Clone()
	res := sent.Reply(sip.StatusOK)
	res.Set(sip.HeaderTo, "<sip:bob@biloxi.example.com>;tag=314")
	outgoing, err := NewUAC(sent, res)
	if err != nil {
		t.Fatal(err)
	}
	seq, _ := came.CSeq()
	return map[string]*Usage{
		"callee": {invite: came, dialog: incoming, tag: "8321", callee: &callee{seq: seq.Number}},
		"caller": {invite: sent, dialog: outgoing, tag: sent.FromTag(), caller: &caller{seq: seq.Number, to: new(sip.Destination)}},
	}
}

// same checks that the invitation is that which came, as far as it is kept.
func same(t *testing.T, u *Usage, came *sip.Request, when string) {
	t.Helper()
	got := u.Invitation()
	for _, h := range [...]sip.Header{sip.HeaderFrom, sip.HeaderTo, sip.HeaderCallID, sip.HeaderCSeq, sip.HeaderSubject, sip.HeaderSessionID, sip.HeaderVia, sip.HeaderContact} {
		want := came.Get(h)
		if passing(h) {
			want = ""
		}
		if got.Get(h) != want {
			t.Errorf("%s: %s is %q, want %q", when, h, got.Get(h), want)
		}
	}
	if got.URI != came.URI || len(got.Body()) > 0 {
		t.Errorf("%s: %s", when, got)
	}
}

// rename calls our side otherwise.
func rename(t *testing.T, u *Usage) {
	t.Helper()
	u.renames = true
	u.Become(sip.Address{URI: sip.MustParseURI("sip:carol@example.com")}, false)
	if next := u.dialog.Request(sip.MethodBye).Get(sip.HeaderFrom); next != "<sip:carol@example.com>;tag="+u.tag {
		t.Errorf("From afterwards: %s", next)
	}
}

// TestSizes holds what a call that stands takes: a server has ten thousands of each of these.
func TestSizes(t *testing.T) {
	for name, size := range map[string][2]uintptr{
		"Dialog": {unsafe.Sizeof(Dialog{}), 208}, "Usage": {unsafe.Sizeof(Usage{}), 256}, "caller": {unsafe.Sizeof(caller{}), 112}, "callee": {unsafe.Sizeof(callee{}), 64},
	} {
		if size[0] > size[1] {
			t.Errorf("%s has %d bytes instead of %d: what few calls need belongs behind a pointer", name, size[0], size[1])
		}
	}
}
