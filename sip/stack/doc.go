// Package stack is the front door of the library for signalling: transports, transactions and dialogs joined. A [Stack] listens, gives
// requests to its Handler, and sends requests.
//
//	pong := func(ctx context.Context, w sip.ResponseWriter, r *sip.Request) error { return w.Respond(r.Reply(sip.StatusOK)) }
//	log.Fatal(stack.ListenAndServe(ctx, sip.HandlerFunc(pong), "udp://:5060"))
//
// A Stack is a [sip.Engine]: services start, answer and cancel transactions through it. It knows no accounts, routes or calls; those are the
// business of its Handler, usually a [sip.Mux] in front of services, or of package dialog.
//
// RFC 3261 §7 to §9, §13.2.2.4, §17 and §18.
package stack
