package registrar

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/sipwerk/sipwerk/sip"
)

// TestFlowLost: what hangs on a connection goes with it, at once; other bindings, and those that a Path leads to, stay.
func TestFlowLost(t *testing.T) {
	o := newOffice()
	var gone []string
	o.Changed = func(c Change) {
		if c.Kind == Deactivated {
			gone = append(gone, c.AOR+" "+c.Binding.Contact)
		}
	}
	browser := "Contact: <sip:x@df7jal23ls0d.invalid;transport=ws>"
	o.send(t, call{transport: sip.WS, headers: []string{browser}})
	o.send(t, call{transport: sip.WS, callID: "c2", headers: []string{"Contact: <sip:y@df7jal23ls0d.invalid;transport=ws>"}})
	o.send(t, call{callID: "c3", headers: []string{"Contact: <sip:a@192.0.2.1>"}})
	o.send(t, call{transport: sip.TCP, to: "sip:bob@example.org", user: "bob", headers: []string{"Contact: <sip:b@192.0.2.1>"}})
	o.send(t, call{transport: sip.TCP, to: "sip:bob@example.org", user: "bob", callID: "c4",
		headers: []string{"Contact: <sip:bb@192.0.2.9>", "Path: <sip:proxy.example.org;lr>", "Supported: path"}})
	o.FlowLost(sip.Flow{ID: 8, Transport: sip.WS})
	if c := o.Counts(); c.Bindings != 5 || len(gone) > 0 {
		t.Fatalf("another flow took bindings with it: %+v, %q", c, gone)
	}
	o.FlowLost(sip.Flow{ID: 7, Transport: sip.WS})
	slices.Sort(gone)
	want := []string{"sip:alice@example.org <sip:x@df7jal23ls0d.invalid;transport=ws>", "sip:alice@example.org <sip:y@df7jal23ls0d.invalid;transport=ws>",
		"sip:bob@example.org <sip:b@192.0.2.1>"}
	if !slices.Equal(gone, want) {
		t.Errorf("gone\n%q, want\n%q", gone, want)
	}
	if c := o.Counts(); c.Bindings != 2 || c.AORs != 2 || len(o.Lookup(alice)) != 1 {
		t.Errorf("%+v, %v", c, o.Lookup(alice))
	}
	o.send(t, call{transport: sip.WS, headers: []string{browser}})
	if n := len(o.Lookup(alice)); n != 2 {
		t.Errorf("%d bindings after the browser came back", n)
	}
}

// TestFlowIndexIsBounded: it knows nothing that the table does not.
func TestFlowIndexIsBounded(t *testing.T) {
	o := newOffice()
	for range 100 {
		o.send(t, call{transport: sip.TCP, headers: []string{"Contact: <sip:a@192.0.2.1>"}})
		o.send(t, call{transport: sip.TCP, headers: []string{"Contact: <sip:b@192.0.2.1>"}})
		o.send(t, call{transport: sip.TCP, headers: []string{"Contact: <sip:a@192.0.2.1>;expires=0"}})
	}
	if got := o.flows.of(7); len(got) != 1 {
		t.Errorf("%d names on a flow that one has a binding over", len(got))
	}
	o.send(t, call{headers: []string{"Contact: <sip:b@192.0.2.1>"}}) // over UDP now
	if n := o.flows.pairs.Len(); n != 0 {
		t.Errorf("%d flows are remembered, no binding hangs on one", n)
	}
}

// TestFlowIndex keeps a model beside the index.
func TestFlowIndex(t *testing.T) {
	var x flowIndex
	random := rand.New(rand.NewPCG(1, 2))
	model := make(map[pair]bool)
	for range 5000 {
		p := pair{flow: 1 + random.Uint64N(20), name: 1 + random.Uint64N(20)}
		if random.IntN(2) == 0 {
			x.add(p)
			model[p] = true
		} else {
			x.remove(p)
			delete(model, p)
		}
	}
	for flow := range uint64(22) {
		got := x.of(flow)
		slices.Sort(got)
		var want []uint64
		for name := range uint64(22) {
			if model[pair{flow, name}] {
				want = append(want, name)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("flow %d: %d, want %d", flow, got, want)
		}
	}
}
