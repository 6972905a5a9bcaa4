// Waiting until it answers.

package kamailio

import (
	"context"
	"fmt"
	"net"
	"time"
)

// answers waits until the proxy at addr answers OPTIONS.
func answers(ctx context.Context, addr string) error {
	c, err := net.Dial("udp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	b := make([]byte, 4096)
	for n := 1; ctx.Err() == nil; n++ {
		text := fmt.Sprintf("OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d;rport\r\nMax-Forwards: 70\r\nFrom: <sip:ready@%[2]s>;tag=1\r\nTo: <sip:%[1]s>\r\n"+
			"Call-ID: %[3]d@ready\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", addr, c.LocalAddr(), n)
		if _, err := c.Write([]byte(text)); err != nil {
			time.Sleep(100 * time.Millisecond) // it does not listen yet
			continue
		}
		_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		if _, err := c.Read(b); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("kamailio at %s does not answer: %w", addr, ctx.Err())
}
