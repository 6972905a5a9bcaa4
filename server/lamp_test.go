// Lamps of a whole server. RFC 4235 §3.6.

package server

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// TestLampAccess: the lamps of a domain are for its own people, who see of others only that they are in a call.
func TestLampAccess(t *testing.T) {
	s := start(t, nil)
	h := newHandset(t, s)
	subscribe := func(uri, from string) *sip.Request {
		return h.request("SUBSCRIBE", uri, from, "Event: dialog", "Expires: 0", "Contact: <sip:alice@"+h.conn.LocalAddr().String()+">")
	}
	if res := h.ask(subscribe("sip:bob@example.org", "sip:alice@example.org")); res.Status != sip.StatusUnauthorized {
		t.Errorf("a stranger gets %d", res.Status)
	}
	if res := h.prove(subscribe("sip:nobody@example.org", "sip:alice@example.org"), "alice", "secret of alice"); res.Status != sip.StatusNotFound {
		t.Errorf("nobody's lamp: %d", res.Status)
	}
	if res := h.prove(subscribe("sip:bob@example.org", "sip:alice@example.org"), "alice", "secret of alice"); res.Status != sip.StatusOK {
		t.Fatalf("bob's lamp: %s", res)
	}
	_ = h.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 65536)
	n, err := h.conn.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	notify, err := sip.ParseRequest(bytes.Clone(b[:n]))
	if err != nil || !strings.Contains(string(notify.Body()), `state="full" entity="sip:bob@example.org"`) {
		t.Fatalf("%v\n%s", err, b[:n])
	}
	if _, err := h.conn.Write([]byte(notify.Reply(sip.StatusOK).String())); err != nil {
		t.Fatal(err)
	}
	looks := s.lamps.Onlookers
	if looks.Sees("sip:alice@example.org", "sip:bob@example.org") || !looks.Sees("sip:bob@example.org", "sip:bob@example.org") {
		t.Error("who may see who talks to whom")
	}
	if looks.Online("sip:bob@example.org") {
		t.Error("bob is online without a telephone")
	}
}
