package phone

import (
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip/digest"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// TestKeepAlive: between two registrations the way to the registrar is never silent for longer than a NAT remembers, and pings do not outlive the phone.
func TestKeepAlive(t *testing.T) {
	for transport, want := range map[string]struct{ least, most uint64 }{"udp": {12, 16}, "tcp": {3, 4}} {
		t.Run(transport, func(t *testing.T) {
			siptest.Run(t, func(b *siptest.Bench) {
				o := newOffice(b, digest.MD5)
				p := member(b, func(p *Phone) { p.Outbound = "sip:office.test;transport=" + transport })
				stop := serve(b, p, nothing)
				b.Wait(7 * time.Minute) // it registers again after 7.5
				pings := &o.stack.Transport().Stats.KeepAlives
				if got := pings.Load(); got < want.least || got > want.most || len(o.seen) != 1 {
					t.Errorf("%d pings in 7 minutes, %d REGISTERs with credentials", got, len(o.seen))
				}
				stopped(t, stop)
				if err := p.Close(); err != nil {
					t.Error(err)
				}
				before := pings.Load()
				b.Wait(5 * time.Minute)
				if after := pings.Load(); after != before {
					t.Errorf("%d pings, %d when the phone was closed", after, before)
				}
			})
		})
	}
}
