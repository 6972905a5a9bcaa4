package registrar_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/service/registrar"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
	"github.com/sipwerk/sipwerk/sip/stack"
	"github.com/sipwerk/sipwerk/sip/transaction"
)

// home is a registrar that also delivers: the flows of a device one after the other, each device once.
type home struct {
	*siptest.Bench
	*registrar.Registrar
	flows []*flow
}

// flow is one connection of bob's telephone, from an address of its own.
type flow struct {
	*stack.Stack
	home   *home
	name   string
	host   *network.SimHost
	answer sip.Status // to every MESSAGE
	heard  int
}

func runHome(t *testing.T, f func(h *home)) {
	siptest.Run(t, func(b *siptest.Bench) {
		h := &home{Bench: b, Registrar: &registrar.Registrar{Accounts: biloxi{}}}
		if err := h.Open(); err != nil {
			t.Fatal(err)
		}
		h.stack("registrar", h.Host("registrar"), sip.EventHandlerFunc(h.handle))
		f(h)
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
}

func (h *home) stack(name string, host *network.SimHost, handler sip.EventHandler) *stack.Stack {
	s := &stack.Stack{Handler: handler, Network: host, Resolver: &h.Net.Names}
	if name == "registrar" {
		s.FlowLost = sip.EventHandlerFunc(func(ev *sip.Event) { h.FlowLost(ev.Flow) })
	}
	if err := s.Listen(context.Background(), fmt.Sprintf("tcp://%s:5060", h.Addr(name))); err != nil {
		h.T.Fatal(err)
	}
	h.Watch(siptest.Watched{Name: name, Host: host, Close: func() { s.Close() }, Left: func() []string {
		if left := s.Audit(); left != (transaction.Audit{}) {
			return []string{fmt.Sprintf("%s holds %+v", name, left)}
		}
		return nil
	}})
	return s
}

func (h *home) handle(ev *sip.Event) {
	if ev.Kind != sip.EventRequest {
		return
	}
	if ev.Request.Method == sip.MethodRegister {
		ev.Trusted = true
		h.HandleEvent(ev)
		return
	}
	aor, known := h.Resolve(ev.Request.URI)
	if !known {
		_ = ev.Engine.Respond(ev.Tx, ev.Request.Reply(sip.StatusNotFound))
		return
	}
	h.try(&delivery{home: h, aor: aor.Clone(), engine: ev.Engine, stripe: ev.Stripe, tx: ev.Tx, request: ev.Request.Clone(), left: h.Lookup(aor)})
}

// delivery is one MESSAGE on its way.
type delivery struct {
	home    *home
	aor     sip.URI
	engine  sip.Engine
	stripe  sip.Stripe
	tx      sip.TransactionID
	request *sip.Request
	left    []registrar.Binding
}

// try sends to the first binding that is left.
func (h *home) try(d *delivery) {
	for len(d.left) > 0 {
		req := d.request.Clone()
		req.URI, _ = d.left[0].Target()
		if _, err := d.engine.Start(d.stripe, req, d.left[0].Destination(), d); err == nil {
			return
		}
		d.next()
	}
	_ = d.engine.Respond(d.tx, d.request.Reply(sip.StatusTemporarilyUnavailable))
}

func (d *delivery) next() {
	d.home.FlowFailed(d.aor, d.home.Key(&d.left[0]))
	d.left = d.left[1:]
}

// HandleEvent goes to the next flow if one has failed. RFC 5626 §7, §11.6.
func (d *delivery) HandleEvent(ev *sip.Event) {
	switch {
	case ev.Kind != sip.EventResponse || ev.Response.Status == sip.StatusFlowFailed:
		d.next()
		d.home.try(d)
	case ev.Response.Status.Final():
		_ = d.engine.Respond(d.tx, d.request.Reply(ev.Response.Status))
	}
}

// flow makes a connection for bob's telephone and registers it.
func (h *home) flow(name, instance string, regID int) (*flow, *sip.Response) {
	f := &flow{home: h, name: name, host: h.Host(name), answer: sip.StatusOK}
	f.Stack = h.stack(name, f.host, sip.EventHandlerFunc(func(ev *sip.Event) {
		f.heard++
		_ = ev.Engine.Respond(ev.Tx, ev.Request.Reply(f.answer))
	}))
	h.flows = append(h.flows, f)
	return f, f.send(sip.MethodRegister, "sip:biloxi.example.com", fmt.Sprintf("Contact: <sip:bob@%s;transport=tcp>;+sip.instance=\"<%s>\";reg-id=%d", h.Addr(name), instance, regID),
		"Supported: outbound, path, gruu")
}

// send sends a request over the connection to the registrar and returns its final response.
func (f *flow) send(method sip.Method, uri string, lines ...string) (last *sip.Response) {
	f.home.T.Helper()
	req := sip.NewRequest(method, sip.MustParseURI(uri))
	req.Set(sip.HeaderRoute, fmt.Sprintf("<sip:%s;transport=tcp;lr>", f.home.Addr("registrar")))
	req.Set(sip.HeaderFrom, fmt.Sprintf("<sip:bob@biloxi.example.com>;tag=%s", f.name))
	req.Set(sip.HeaderTo, "<sip:bob@biloxi.example.com>")
	req.Set(sip.HeaderCallID, "call-of-"+f.name)
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		req.Add(sip.LookupHeader(name), value)
	}
	for res, err := range f.Send(f.home.T.Context(), req) {
		if err != nil {
			f.home.T.Fatal(err)
		}
		last = res
	}
	return last
}

// message sends a MESSAGE from a stranger, and checks the answer and who of bob's flows has heard it.
func (h *home) message(from *flow, to string, want sip.Status, heard ...int) {
	h.T.Helper()
	for _, f := range h.flows {
		f.heard = 0
	}
	if res := from.send(sip.MethodMessage, to); res.Status != want {
		h.T.Errorf("%s: %d, want %d", to, res.Status, want)
	}
	for i, f := range h.flows {
		if f.heard != heard[i] {
			h.T.Errorf("%s: %s has heard %d messages, want %d", to, f.name, f.heard, heard[i])
		}
	}
}

func (h *home) stranger() *flow {
	return &flow{home: h, name: "alice", Stack: h.stack("alice", h.Host("alice"), nil)}
}

// TestTwoFlows: a telephone with two connections is reached over the second when the first breaks, and over the first again when it is back. RFC 5626 §9.
func TestTwoFlows(t *testing.T) {
	runHome(t, func(h *home) {
		wifi, res := h.flow("wifi", "urn:uuid:1", 1)
		if res.Get(sip.HeaderRequire) != "outbound" || res.Get(sip.HeaderFlowTimer) == "" {
			t.Errorf("the flow is not confirmed:\n%s", res)
		}
		h.flow("mobile", "urn:uuid:1", 2)
		alice := h.stranger()
		h.message(alice, "sip:bob@biloxi.example.com", 200, 1, 0)
		wifi.host.Cut()
		h.Wait(time.Second)
		if n := h.Counts().Bindings; n != 1 {
			t.Errorf("%d bindings, one connection is left", n)
		}
		h.message(alice, "sip:bob@biloxi.example.com", 200, 0, 1)
		wifi.send(sip.MethodRegister, "sip:biloxi.example.com", "Contact: <sip:bob@"+h.Addr("wifi").String()+`;transport=tcp>;+sip.instance="<urn:uuid:1>";reg-id=1`, "Supported: outbound")
		h.message(alice, "sip:bob@biloxi.example.com", 200, 1, 0)
		h.Golden("two-flows", "A telephone with two flows, RFC 5626 §9: one of them breaks, and comes back.")
	})
}

// TestFlowFailed: an edge answers 430 because it has lost the flow; the next flow of the same telephone is tried, and the lost one is forgotten. RFC 5626 §7, §11.6.
func TestFlowFailed(t *testing.T) {
	runHome(t, func(h *home) {
		first, _ := h.flow("edge1", "urn:uuid:1", 1)
		first.answer = sip.StatusFlowFailed
		h.flow("edge2", "urn:uuid:1", 2)
		alice := h.stranger()
		h.message(alice, "sip:bob@biloxi.example.com", 200, 1, 1)
		h.message(alice, "sip:bob@biloxi.example.com", 200, 0, 1)
		h.flows[1].answer = sip.StatusFlowFailed
		h.message(alice, "sip:bob@biloxi.example.com", 480, 0, 1)
		h.Golden("flow-failed", "430 Flow Failed, RFC 5626 §7: the next flow of the telephone is tried.")
	})
}

// TestCallToGRUU: of two telephones of bob a GRUU reaches one. RFC 5627 §5.4.
func TestCallToGRUU(t *testing.T) {
	runHome(t, func(h *home) {
		telephone, res := h.flow("desk", "urn:uuid:1", 1)
		h.flow("pocket", "urn:uuid:2", 1)
		desk, ok := res.Contact()
		if !ok {
			t.Fatal(res)
		}
		public, _ := desk.PublicGRUU()
		temporary, _ := desk.TemporaryGRUU()
		alice := h.stranger()
		h.message(alice, public.String(), 200, 1, 0)
		h.message(alice, temporary.String(), 200, 1, 0)
		telephone.host.Cut()
		h.Wait(time.Second)
		h.message(alice, public.String(), 480, 0, 0)
		h.message(alice, temporary.String(), 404, 0, 0)
		h.message(alice, "sip:bob@biloxi.example.com", 200, 0, 1)
	})
}
