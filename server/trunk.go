// Trunks: the carrier of the server, the orders that commands give about it, and its metrics.

package server

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/sipwerk/sipwerk/server/carrier"
	"github.com/sipwerk/sipwerk/server/control"
	"github.com/sipwerk/sipwerk/service/trunk"
)

// openTrunks makes the trunks; nothing is sent before they begin.
func (s *Server) openTrunks(key []byte, ds *domains) {
	s.trunks = carrier.New(carrier.Options{Directory: s.directory, Secret: key, TLS: s.certificates.config(), Next: s.calls, Dialogs: s.dialogs,
		Media: s.features.Media, Voice: s.features.Voice, Log: s.log, Music: s.shelf.Music})
	s.reception.trunks, ds.trunks, s.dial.exits = s.trunks, s.trunks, s.trunks
	if s.control == nil {
		return // nobody gives orders to a server that is not whole
	}
	s.control.Handle("GET /trunks", replies(func(r *http.Request) []carrier.Status { return s.trunks.Status(r.FormValue("domain")) }))
	s.control.Handle("POST /trunks/{name}/test", func(ctx context.Context, r *http.Request, reply func(any) error) error {
		var order carrier.Order
		if err := control.Decode(r, &order); err != nil {
			return err
		}
		return s.TestTrunk(ctx, r.PathValue("name"), order, func(step carrier.Step) error { return reply(step) })
	})
}

// TestTrunk tests a trunk, of the first domain if the order names none; see [carrier.Trunks.Test].
func (s *Server) TestTrunk(ctx context.Context, name string, order carrier.Order, step func(carrier.Step) error) error {
	order.Domain = cmp.Or(order.Domain, s.Domain.Name)
	return s.trunks.Test(ctx, name, order, step)
}

// Trunks asks the running server how the trunks of a domain are; of all if it is "".
func (c *Control) Trunks(ctx context.Context, domain string) ([]carrier.Status, error) {
	return Reports[carrier.Status](ctx, c, "/trunks?domain="+url.QueryEscape(domain))
}

// TestTrunk lets the running server test a trunk and calls step with each line of the report.
func (c *Control) TestTrunk(ctx context.Context, name string, order carrier.Order, step func(carrier.Step) error) error {
	return c.Do(ctx, http.MethodPost, "/trunks/"+url.PathEscape(name)+"/test", order, func(line json.RawMessage) error {
		var t carrier.Step
		if err := json.Unmarshal(line, &t); err != nil {
			return err
		}
		return step(t)
	})
}

// readTrunks makes the read of a metric with one figure a trunk; its label is trunk@domain.
func readTrunks(f func(*trunk.Status) float64) func(*Server, func(float64, ...string)) {
	return func(s *Server, emit func(float64, ...string)) {
		for _, t := range s.trunks.Figures() {
			emit(f(&t), t.Trunk+"@"+t.Domain)
		}
	}
}

// truth is a yes or no as a figure.
func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// trunkMetrics are the figures of trunks.
func trunkMetrics() []metric {
	return []metric{
		{"sipwerk_trunk_usable", "Whether a call could go out by a trunk now: registered, answering, a line free.", gauge, "trunk", readTrunks(func(t *trunk.Status) float64 { return truth(t.Usable) })},
		{"sipwerk_trunk_registered", "Whether the provider of a trunk knows it.", gauge, "trunk", readTrunks(func(t *trunk.Status) float64 { return truth(t.Registered) })},
		{"sipwerk_trunk_calls", "Calls by a trunk under way.", gauge, "trunk", readTrunks(func(t *trunk.Status) float64 { return float64(t.Calls) })},
		{"sipwerk_trunk_calls_out_total", "Calls tried outwards by a trunk.", counter, "trunk", readTrunks(func(t *trunk.Status) float64 { return float64(t.Counts.Out) })},
		{"sipwerk_trunk_calls_in_total", "Calls taken from a trunk.", counter, "trunk", readTrunks(func(t *trunk.Status) float64 { return float64(t.Counts.In) })},
		{"sipwerk_trunk_failed_total", "Calls tried outwards that the provider did not answer, or refused with 503.", counter, "trunk", readTrunks(func(t *trunk.Status) float64 { return float64(t.Counts.Failed) })},
		{"sipwerk_trunk_full_total", "Calls that found all lines of a trunk taken.", counter, "trunk", readTrunks(func(t *trunk.Status) float64 { return float64(t.Counts.Full) })},
		{"sipwerk_trunk_identity_total", "Signatures of callers (STIR) of calls that came in, by what was found.", counter, "result", func(s *Server, emit func(float64, ...string)) {
			passed, failed, none := s.trunks.Judged()
			emit(float64(passed), "passed")
			emit(float64(failed), "failed")
			emit(float64(none), "none")
		}},
	}
}
