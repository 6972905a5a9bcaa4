// The bench itself: raw peers, the recorder, and that the audit finds what it must.

package siptest

import (
	"flag"
	"slices"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

var _ = flag.Bool("update", false, "write the ladders")

const options = `
	OPTIONS sip:bob@{bob} SIP/2.0
	Via: SIP/2.0/UDP {alice};branch={branch}
	Max-Forwards: 70
	From: <sip:alice@{alice}>;tag=a
	To: <sip:bob@{bob}>
	Call-ID: one
	CSeq: 1 OPTIONS
`

func TestRawPeers(t *testing.T) {
	Run(t, func(b *Bench) {
		alice, bob := b.Peer("alice"), b.Peer("bob")
		alice.Send("bob", options)
		req := bob.Expect("OPTIONS")
		if got := req.Request.URI.Host; got != "192.0.2.2" {
			t.Errorf("the template became %s", req.Text)
		}
		b.Wait(time.Second)
		b.Note("bob", "bob thinks")
		bob.Reply(req, sip.StatusOK, "b", "Contact: <sip:bob@{bob}>", "", "v=0")
		res := alice.Expect("SIP/2.0 200")
		if res.Response.ToTag() != "b" || res.Response.Get(sip.HeaderContact) != "<sip:bob@192.0.2.2:5060>" {
			t.Errorf("the reply is\n%s", res.Text)
		}
		alice.Silence(time.Second)
		b.Golden("raw", "Two raw peers and a note.")
	})
}

func TestLegal(t *testing.T) {
	head := "OPTIONS sip:b SIP/2.0\r\nFrom: <sip:a>;tag=1\r\nTo: <sip:b>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n"
	via := "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
	tests := []struct {
		name, text string
		ok         bool
	}{
		{"complete", head + via + "Max-Forwards: 70\r\n\r\n", true},
		{"keep-alive", "\r\n\r\n", true},
		{"no Via", head + "Max-Forwards: 70\r\n\r\n", false},
		{"no cookie", head + "Via: SIP/2.0/UDP h;branch=1\r\nMax-Forwards: 70\r\n\r\n", false},
		{"no Max-Forwards", head + via + "\r\n", false},
		{"placeholder", head + via + "Max-Forwards: 70\r\nContact: <sip:any.invalid>\r\n\r\n", false},
		{"no SIP", "hello\r\n\r\n", false},
		{"response without anything", "SIP/2.0 200 OK\r\n\r\n", false},
	}
	for _, test := range tests {
		if _, _, err := legal([]byte(test.text)); (err == nil) != test.ok {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestStreamIsTakenApart(t *testing.T) {
	const one, two = "OPTIONS sip:a SIP/2.0\r\nContent-Length: 2\r\n\r\nhi", "BYE sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n"
	tests := []struct {
		name   string
		writes []string
		want   []string
		opaque bool
	}{
		{"two in one write", []string{one + two}, []string{one, two}, false},
		{"one in two writes", []string{one[:30], one[30:] + two[:3], two[3:]}, []string{one, two}, false},
		{"keep-alive", []string{"\r\n\r\n" + one}, []string{"\r\n\r\n", one}, false},
		{"TLS", []string{"\x16\x03\x01\x00\r\n\r\n", "more"}, []string{"\x16\x03\x01\x00\r\n\r\n", "more"}, true},
	}
	for _, test := range tests {
		s := new(stream)
		var got []string
		for _, w := range test.writes {
			for _, m := range s.take([]byte(w)) {
				got = append(got, string(m))
			}
		}
		if !slices.Equal(got, test.want) || s.opaque != test.opaque {
			t.Errorf("%s: %q, opaque %t", test.name, got, s.opaque)
		}
	}
}
