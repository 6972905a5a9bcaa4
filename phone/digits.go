// Digits during a call. RFC 4733.

package phone

import (
	"context"
	"fmt"
)

// SendDigits sends 0 to 9, *, #, A to D and ! (hook flash) as telephone events, 200 ms each, or as tones to a peer that takes none,
// and waits for the last.
func (c *Call) SendDigits(ctx context.Context, digits string) error {
	err := c.await(ctx, c.heard)
	if err == nil {
		err = c.endpoint.Dial(digits)
	}
	if err == nil {
		err = c.endpoint.Drain(ctx)
	}
	if err != nil {
		return fmt.Errorf("phone: send digits: %w", err)
	}
	return nil
}

// ReadDigits waits for n digits of the peer. When ctx or the call ends first it returns those that came, and an error. Up to 64 digits that nobody
// reads are kept.
func (c *Call) ReadDigits(ctx context.Context, n int) (string, error) {
	err := c.await(ctx, c.heard)
	var digits []byte
	for err == nil && len(digits) < n {
		select {
		case d := <-c.endpoint.Digits():
			digits = append(digits, d)
		case <-c.done:
			err = c.gone()
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err != nil {
		err = fmt.Errorf("phone: read digits: %w", err)
	}
	return string(digits), err
}
