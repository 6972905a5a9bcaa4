package proxy_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// RFC 5626 §7, §11.6: 430 leads to the next flow of the device, and the locator learns which one is broken; a response of the device ends it.
func TestNextFlow(t *testing.T) {
	for _, c := range []struct {
		status sip.Status
		again  bool
		failed string
	}{
		{sip.StatusFlowFailed, true, "bob 7"},
		{sip.StatusRequestTimeout, true, ""},
		{sip.StatusServiceUnavailable, false, ""},
		{sip.StatusBusyHere, false, ""},
	} {
		raw(t, func(b *siptest.Bench, h *house, alice, bob *siptest.Peer) {
			mobile := b.Peer("mobile")
			h.home("bob", at(b, "bob", ""), at(b, "mobile", ""))
			ts := h.homes["bob"]
			ts[0].Key, ts[1].Key, ts[1].Spare = 7, 8, true
			var failed string
			h.proxy.FlowFailed = func(uri sip.URI, key uint64) { failed += fmt.Sprint(uri.User, " ", key) }
			alice.Send("proxy", message("MESSAGE", "sip:bob@example.org", "Subject: a"))
			bob.Reply(bob.Expect("MESSAGE"), c.status, "b")
			if c.again {
				mobile.Reply(mobile.Expect("MESSAGE"), sip.StatusOK, "m")
				alice.Expect("SIP/2.0 200")
			} else {
				mobile.Silence(time.Second)
				alice.Expect("SIP/2.0")
			}
			b.Check(failed == c.failed, "%d: told of %q", c.status, failed)
		})
	}
}
