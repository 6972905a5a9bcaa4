// Requests inside a call that come from elsewhere. RFC 3261 §12.2.2, §22.2.

package server

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/sip"
)

// inside makes a request of a handset inside the dialog that a 2xx to its, or to another's, INVITE has made.
func (h *handset) inside(method string, invite *sip.Request, res *sip.Response, cseq int) *sip.Request {
	contact, _ := res.Contact()
	req := h.request(method, contact.URI.String(), "sip:alice@example.org", fmt.Sprintf("Contact: <sip:alice@%s>", h.conn.LocalAddr()))
	req.Set(sip.HeaderFrom, invite.Get(sip.HeaderFrom))
	req.Set(sip.HeaderTo, res.Get(sip.HeaderTo))
	req.Set(sip.HeaderCallID, invite.CallID())
	h.cseq = cseq
	req.Set(sip.HeaderCSeq, fmt.Sprintf("%d %s", cseq, method))
	return req
}

// newEve returns a telephone at an address of its own.
func newEve(t *testing.T, s *Server, network string) *handset {
	t.Helper()
	at := net.IPv4(127, 0, 0, 2)
	dialer := &net.Dialer{LocalAddr: &net.UDPAddr{IP: at}}
	if network == "tcp" {
		dialer.LocalAddr = &net.TCPAddr{IP: at}
	}
	for _, l := range s.Listeners() {
		if l.Transport == network {
			conn, err := dialer.DialContext(t.Context(), network, l.Addr.String())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.Close() })
			return &handset{t: t, conn: conn}
		}
	}
	t.Fatal("no listener")
	return nil
}

// TestElsewhere: who knows the dialog of an account may end the call from anywhere, and change it from elsewhere only after proof. Another port is not elsewhere.
func TestElsewhere(t *testing.T) {
	s := start(t, map[string]string{"listen": "udp://127.0.0.1:0,tcp://127.0.0.1:0"})
	alice, moved := newHandset(t, s), newHandset(t, s)
	eve, stream := newEve(t, s, "udp"), newEve(t, s, "tcp")
	invite := alice.request("INVITE", "sip:echo@example.org", "sip:alice@example.org", fmt.Sprintf("Contact: <sip:alice@%s>", alice.conn.LocalAddr()))
	invite.SetBody("application/sdp", []byte(strings.ReplaceAll("v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 40000 RTP/AVP 0\n", "\n", "\r\n")))
	up := alice.prove(invite, "alice", "secret of alice")
	if up.Status != sip.StatusOK {
		t.Fatalf("no call: %s", up)
	}
	if _, err := alice.conn.Write([]byte(alice.inside("ACK", invite, up, alice.cseq).String())); err != nil {
		t.Fatal(err)
	}
	seq := alice.cseq
	want := func(what string, res *sip.Response, status sip.Status) {
		t.Helper()
		if res.Status != status {
			t.Errorf("%s: %d, want %d", what, res.Status, status)
		}
	}
	for _, method := range []string{"INFO", "REFER", "UPDATE", "INVITE", "MESSAGE", "OPTIONS", "SUBSCRIBE"} {
		want(method+" from elsewhere", eve.ask(eve.inside(method, invite, up, seq+50)), sip.StatusUnauthorized)
	}
	for _, first := range []string{"OPTIONS", "NOTIFY", "PRACK"} {
		stream.ask(stream.inside(first, invite, up, seq+50))
		want("INFO behind "+first+" by a connection from elsewhere", stream.ask(stream.inside("INFO", invite, up, seq+51)), sip.StatusUnauthorized)
	}
	want("INFO from another port", moved.ask(moved.inside("INFO", invite, up, seq+1)), sip.StatusOK)
	want("INFO of another account", eve.prove(eve.inside("INFO", invite, up, seq+50), "bob", "secret of bob"), sip.StatusForbidden)
	outside := eve.request("INVITE", "sip:nobody@example.org", "sip:alice@example.org")
	outside = eve.credentials(outside, eve.ask(outside), "alice", "secret of alice")
	want("INVITE to nobody", eve.ask(outside), sip.StatusNotFound)
	used := eve.inside("INVITE", invite, up, seq+50)
	used.Set(sip.HeaderAuthorization, outside.Get(sip.HeaderAuthorization))
	want("INVITE with what has proved another one", eve.ask(used), sip.StatusUnauthorized)
	want("INFO of the same account", eve.prove(eve.inside("INFO", invite, up, seq+50), "alice", "secret of alice"), sip.StatusOK)
	want("BYE from elsewhere", eve.ask(eve.inside("BYE", invite, up, seq+60)), sip.StatusOK)
}
