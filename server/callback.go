// Call back when free, and calls that the server makes for somebody (click to dial).

package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/sip"
)

// openCallbacks makes the call backs; lamps, queues and features must be there.
func (s *Server) openCallbacks(book *queueBook) {
	s.callbacks = &pbx.Callbacks{PBX: s.features, Lamps: s.lamps, Resolve: s.registrar.Resolve, Reachable: book.Reachable}
	s.lamps.Listeners = append(s.lamps.Listeners, s.callbacks.Changed)
	s.addPlayers(s.callbacks.Players())
}

// observers are several who are told of calls.
type observers []b2bua.Observer

// ObserveCall implements [b2bua.Observer].
func (o observers) ObserveCall(d *b2bua.Detail) {
	for _, one := range o {
		one.ObserveCall(d)
	}
}

// ownCall leads a call that the server makes for an account to the telephones of that, whatever is set for calls of others; false for every other call.
func (r *router) ownCall(q *b2bua.Question) (b2bua.Route, bool) {
	if q.Flow.Transport != sip.Inside || q.Caller.Account.Host == "" {
		return b2bua.Route{}, false
	}
	account, ok := r.registrar.Resolve(q.Request.URI)
	if !ok || account.AOR() != q.Caller.Account.AOR() {
		return b2bua.Route{}, false
	}
	return b2bua.Route{Ring: []b2bua.Party{{Account: account}}, Cause: "own call"}, true
}

// DialOrder is who is to be called, and whom they are connected to when they have answered: accounts without a domain belong to the first one, and To is whatever From could dial.
type DialOrder struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Dial calls an account and, when it has answered, connects it as if it had dialled. It returns when the account has answered, with an error that is one sentence if it has not.
func (s *Server) Dial(ctx context.Context, o DialOrder) error {
	from, err := sip.ParseURI(s.lampName(o.From))
	if err != nil {
		return fmt.Errorf("%q is no account: %w", o.From, err)
	}
	account, ok := s.registrar.Resolve(from)
	if !ok {
		return fmt.Errorf("there is no account %s; see sipwerk account list", o.From)
	}
	to := sip.URI{Scheme: "sip", User: sip.EscapeUser(strings.TrimPrefix(o.To, "sip:")), Host: account.Host}
	if strings.Contains(o.To, "@") {
		if to, err = sip.ParseURI(s.lampName(o.To)); err != nil {
			return fmt.Errorf("%q cannot be dialled: %w", o.To, err)
		}
	}
	answered := make(chan sip.Status, 1)
	if err := s.features.Connect(account, sip.Address{URI: to}, func(status sip.Status) { answered <- status }); err != nil {
		return err
	}
	select {
	case status := <-answered:
		if !status.Success() {
			return fmt.Errorf("%s has not answered: %w", o.From, status)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// controlCalls takes the orders of commands.
func (s *Server) controlCalls() {
	s.control.handle("POST /dial", func(ctx context.Context, r *http.Request, _ func(any) error) error {
		var o DialOrder
		if err := decode(r, &o); err != nil {
			return err
		}
		return s.Dial(ctx, o)
	})
}
