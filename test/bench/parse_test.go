// The parser of package sip beside that of github.com/emiago/sipgo, in the same run: a typical INVITE with its description, and the headers that a proxy reads.

package bench

import (
	"os"
	"testing"

	sipgo "github.com/emiago/sipgo/sip"

	"github.com/sipwerk/sipwerk/sip"
)

func invite(t testing.TB) []byte {
	t.Helper()
	raw, err := os.ReadFile("../../sip/testdata/invite.dat")
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func BenchmarkParse(b *testing.B) {
	b.Run("sipwerk", func(b *testing.B) {
		raw, r := invite(b), new(sip.Request)
		b.SetBytes(int64(len(raw)))
		b.ReportAllocs()
		for b.Loop() {
			if err := r.Parse(raw); err != nil || !ours(r) {
				b.Fatal(err)
			}
		}
	})
	b.Run("sipgo", func(b *testing.B) {
		raw, p := invite(b), sipgo.NewParser()
		b.SetBytes(int64(len(raw)))
		b.ReportAllocs()
		for b.Loop() {
			m, err := p.ParseSIP(raw)
			if err != nil || !theirs(m.(*sipgo.Request)) {
				b.Fatal(err)
			}
		}
	})
}

// ours reads what a proxy reads.
func ours(r *sip.Request) bool {
	via, errVia := r.Via()
	from, errFrom := r.From()
	to, errTo := r.To()
	seq, errSeq := r.CSeq()
	contact, hasContact := r.Contact()
	hops, hasHops := r.Uint(sip.HeaderMaxForwards)
	length, hasLength := r.Uint(sip.HeaderContentLength)
	route, errRoute := sip.ParseAddress(r.Get(sip.HeaderRoute))
	return errVia == nil && errFrom == nil && errTo == nil && errSeq == nil && errRoute == nil && hasContact && hasHops && hasLength &&
		via.Port == 5060 && via.Branch() != "" && from.Tag() != "" && to.URI.User == "bob" && seq.Number == 2 && contact.URI.Port == 5060 &&
		hops == 70 && int(length) == len(r.Body()) && route.URI.Host == "proxy.atlanta.example.com" && r.CallID() != ""
}

// theirs reads the same.
func theirs(r *sipgo.Request) bool {
	via, from, to, seq, contact := r.Via(), r.From(), r.To(), r.CSeq(), r.Contact()
	hops, length, route, call := r.MaxForwards(), r.ContentLength(), r.Route(), r.CallID()
	if via == nil || from == nil || to == nil || seq == nil || contact == nil || hops == nil || length == nil || route == nil || call == nil {
		return false
	}
	branch, _ := via.Params.Get("branch")
	tag, _ := from.Params.Get("tag")
	return via.Port == 5060 && branch != "" && tag != "" && to.Address.User == "bob" && seq.SeqNo == 2 && contact.Address.Port == 5060 &&
		hops.Val() == 70 && int(*length) == len(r.Body()) && route.Address.Host == "proxy.atlanta.example.com" && call.Value() != ""
}

// Both read the same message.
func TestParse(t *testing.T) {
	r, err := sip.ParseRequest(invite(t))
	if err != nil || !ours(r) {
		t.Errorf("sipwerk: %v", err)
	}
	m, err := sipgo.NewParser().ParseSIP(invite(t))
	if err != nil || !theirs(m.(*sipgo.Request)) {
		t.Errorf("sipgo: %v", err)
	}
}
