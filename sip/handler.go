// The comfortable door: a Handler may block. RFC 3261 §8.2.

package sip

import "context"

// Handler answers requests and may block. Returning nil without a final response sends 500; returning an error that wraps a [Status] sends that status if
// nothing final was sent; any other error sends 500 and is logged. ctx ends when the request is cancelled, its transaction dies, or the stack stops.
// r is an owned copy that may be kept. An ACK has no reply: what w sends for it is an error.
type Handler interface {
	ServeSIP(ctx context.Context, w ResponseWriter, r *Request) error
}

// HandlerFunc makes a function a Handler.
type HandlerFunc func(ctx context.Context, w ResponseWriter, r *Request) error

// ServeSIP calls f.
func (f HandlerFunc) ServeSIP(ctx context.Context, w ResponseWriter, r *Request) error {
	return f(ctx, w, r)
}

// ResponseWriter sends the responses to one request. It may be used from any goroutine.
type ResponseWriter interface {
	// Respond sends res; any number of provisional ones, then one final.
	Respond(res *Response) error
}

// Middleware is a function from a door to the same door.
type Middleware func(next EventHandler) EventHandler
