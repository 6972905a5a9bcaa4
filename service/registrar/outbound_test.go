package registrar

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/sipwerk/sipwerk/sip"
)

const (
	device1  = `;+sip.instance="<urn:uuid:1>"`
	flow1    = device1 + ";reg-id=1"
	flow2    = device1 + ";reg-id=2"
	supports = "Supported: outbound, path"
	edgeVia  = "Via: SIP/2.0/TCP 192.0.2.100:5060;branch=z9hG4bKedge"
)

// outboundScripts are about flows. RFC 5626 §6.
func outboundScripts() []script {
	const kept1, kept2 = "<sip:a@192.0.2.1>" + flow1 + ";expires=3600", "<sip:b@192.0.2.1>" + flow2 + ";expires=3600"
	return []script{
		{"two flows of a device, one of them renewed with another contact", []step{
			{with(contactA+flow1, supports), 200, kept1},
			{with(contactB+flow2, supports), 200, kept1 + " " + kept2},
			{with("Contact: <sip:c@192.0.2.1>"+flow1, supports), 200, strings.Replace(kept1, "sip:a@", "sip:c@", 1) + " " + kept2},
			{with("Contact: <sip:c@192.0.2.1>"+flow1+";expires=0", supports), 200, kept2},
			{with("Contact: *", "Expires: 0"), 200, "-"},
		}},
		{"two flows with one contact", []step{
			{with(contactA+flow1, supports), 200, kept1},
			{with(contactA+flow2, supports), 200, kept1 + " <sip:a@192.0.2.1>" + flow2 + ";expires=3600"},
		}},
		{"two devices with the same reg-id", []step{
			{with(contactA+flow1, supports), 200, kept1},
			{with(contactB+`;+sip.instance="<urn:uuid:2>";reg-id=1`, supports), 200, kept1 + ` <sip:b@192.0.2.1>;+sip.instance="<urn:uuid:2>";reg-id=1;expires=3600`},
		}},
		{"a reg-id without the option tag means nothing", []step{
			{with(contactA + flow1), 200, kept1},
			{with(contactB + flow2), 200, kept2}, // the same device has moved
		}},
		{"a reg-id without instance means nothing", []step{
			{with(contactA+";reg-id=1", supports), 200, "<sip:a@192.0.2.1>;reg-id=1;expires=3600"},
			{with(contactB+";reg-id=1", supports), 200, "<sip:a@192.0.2.1>;reg-id=1;expires=3600 <sip:b@192.0.2.1>;reg-id=1;expires=3600"},
		}},
		{"a device that has learned to keep flows", []step{
			{with(contactA+device1, supports), 200, "<sip:a@192.0.2.1>" + device1 + ";expires=3600"},
			{with(contactB+flow2, supports), 200, kept2},
		}},
		{"two contacts in one flow", []step{
			{with(contactA+flow1, contactB, supports), 400, ""},
			{with(contactA+flow1, contactB+";expires=0", supports), 200, kept1},
		}},
		{"a first hop that keeps no flows", []step{
			{with(contactA+flow1, supports, edgeVia), 439, ""},
			{with(contactA+flow1, supports, edgeVia, "Path: <sip:ep@192.0.2.100;lr>"), 439, ""},
			{with(contactA+flow1, supports, edgeVia, "Path: <sip:other@192.0.2.101;lr;ob>, <sip:ep@192.0.2.100;lr>"), 439, ""},
			{with(contactA+flow1, edgeVia), 200, kept1},
			{with(contactA+flow1, "Require: outbound", "Path: <sip:other@192.0.2.101;lr>, <sip:ep@192.0.2.100;lr;ob>", edgeVia), 200, kept1},
		}},
	}
}

func TestOutbound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range outboundScripts() {
			o := newOffice()
			for i, s := range tt.steps {
				res := o.send(t, s.call)
				if res.Status != s.status || res.Status == 200 && contacts(res) != strings.TrimPrefix(s.contacts, "-") {
					t.Errorf("%s, step %d: %d %s\n got %s\nwant %d %s", tt.name, i+1, res.Status, res.Reason, contacts(res), s.status, s.contacts)
				}
			}
		}
	})
}

// TestFlowTimer: the registrar that is the first hop says how often it wants a sign of life; behind an edge that is the edge's. RFC 5626 §5.4, §6.
func TestFlowTimer(t *testing.T) {
	for _, tt := range []struct {
		name           string
		call           call
		require, timer string
	}{
		{"direct", with(contactA+flow1, supports), "outbound", "120"},
		{"behind an edge", with(contactA+flow1, supports, edgeVia, "Path: <sip:ep@192.0.2.100;lr;ob>"), "outbound", ""},
		{"no flow", with(contactA, supports), "", ""},
		{"not asked for", with(contactA + flow1), "", ""},
	} {
		res := newOffice().send(t, tt.call)
		if require, timer := res.Get(sip.HeaderRequire), res.Get(sip.HeaderFlowTimer); require != tt.require || timer != tt.timer {
			t.Errorf("%s: Require %q, Flow-Timer %q", tt.name, require, timer)
		}
	}
}

// TestFlowsOfOneDevice: they stand behind each other, the newest first, and one that fails goes without the other. RFC 5626 §7, §11.6.
func TestFlowsOfOneDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		o.send(t, with(contactA+flow1+";q=0.9", supports))
		o.send(t, with("Contact: <sip:x@192.0.2.9>;q=0.8"))
		o.send(t, with(contactB+flow2+";q=0.7", supports))
		var res Result
		find := func() string {
			if !o.Locate(&res, alice) {
				t.Fatal("alice is unknown")
			}
			var got []string
			for i := range res.Bindings {
				got = append(got, res.Bindings[i].Contact[5:6])
			}
			return strings.Join(got, " ")
		}
		if got := find(); got != "a b x" || !res.Bindings[0].SameDevice(&res.Bindings[1]) || res.Bindings[1].SameDevice(&res.Bindings[2]) {
			t.Errorf("found %s", got)
		}
		if d := res.Bindings[0].Destination(); d.Flow != res.Bindings[0].Flow {
			t.Errorf("a flow over UDP is not used: %+v", d)
		}
		failed := o.Key(&res.Bindings[0])
		o.FlowFailed(alice, failed)
		if got := find(); got != "x b" {
			t.Errorf("found %s after a flow has failed", got)
		}
		o.send(t, with(contactA+flow1+";q=0.9", supports))
		o.FlowFailed(alice, failed) // it was renewed meanwhile
		if got := find(); got != "a b x" {
			t.Errorf("found %s after the device came back", got)
		}
	})
}
