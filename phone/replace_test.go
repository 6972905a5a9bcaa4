package phone

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// take calls bob in the place of another call.
func take(t *testing.T, p *Phone, bob *Phone, replaces ...string) (*Call, error) {
	t.Helper()
	ctx := context.Background()
	if err := p.open(ctx); err != nil {
		t.Fatal(err)
	}
	target, err := p.target(bob.URI)
	if err != nil {
		t.Fatal(err)
	}
	req := p.request(sip.MethodInvite, target)
	for _, r := range replaces {
		req.Add(sip.HeaderReplaces, r)
	}
	peer, to, err := p.reach(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	c := p.newCall(peer, sip.Address{URI: target})
	if !p.enter(c) {
		t.Fatal("no room")
	}
	if err := c.invite(ctx, req, to); err != nil {
		t.Fatal(err)
	}
	return c, c.Wait(ctx)
}

// TestReplace: carol takes the place of alice in her call with bob. RFC 3891 §3.
func TestReplace(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice, bob, carol := add(b, "alice", nil), add(b, "bob", nil), add(b, "carol", nil)
		incoming := make(chan *Call, 2)
		stop := serve(b, bob, func(ctx context.Context, c *Call) error {
			incoming <- c
			if err := c.Answer(ctx); err != nil {
				return err
			}
			<-ctx.Done()
			return nil
		})
		call, err := alice.Dial(context.Background(), bob.URI)
		if err != nil {
			t.Fatal(err)
		}
		first := <-incoming
		var d dialog.Dialog
		if err := call.order(func() error { d = *call.usage.Dialog(); return nil }); err != nil {
			t.Fatal(err)
		}
		which := sip.Replaces{CallID: d.CallID, ToTag: d.RemoteTag, FromTag: d.LocalTag}
		wrong := which
		wrong.FromTag = "x"
		early := which
		early.EarlyOnly = true
		for _, refused := range []struct {
			values []string
			want   sip.Status
		}{{[]string{wrong.String()}, 481}, {[]string{early.String()}, 486}, {[]string{"nothing"}, 400}} {
			if _, err := take(t, carol, bob, refused.values...); !errors.Is(err, refused.want) {
				t.Errorf("%q: %v, want %d", refused.values, err, refused.want)
			}
		}
		second, err := take(t, carol, bob, which.String())
		if err != nil {
			t.Fatal(err)
		}
		if c := <-incoming; c.Replaced() != first || c.Remote().URI.User != "carol" {
			t.Errorf("the call of %v replaces %v", c.Remote(), c.Replaced())
		}
		<-call.Done()
		if call.Err() != nil || second.State() != Talking {
			t.Errorf("alice: %v, carol: %v", call.Err(), second.State())
		}
		if err := second.Hangup(); err != nil {
			t.Error(err)
		}
		stopped(t, stop)
	})
}

// TestEarlyOffer: a caller without offer gets ours in a reliable 183 and hears before the answer. RFC 3262 §5.
func TestEarlyOffer(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		alice, bob := b.Phone("alice"), add(b, "bob", nil)
		heard := make(chan error, 1)
		stop := serve(b, bob, func(ctx context.Context, c *Call) error {
			if err := c.Progress(ctx); err != nil {
				return err
			}
			heard <- tone(ctx, c, 600, time.Second)
			if err := c.Answer(ctx); err != nil {
				return err
			}
			<-ctx.Done()
			return nil
		})
		call := alice.DialWithoutOffer(sip.MustParseURI(bob.URI))
		call.Await("Progress 183")
		answer := "v=0\r\no=- 1 1 IN IP4 " + b.Addr("alice").String() + "\r\ns=-\r\nc=IN IP4 " + b.Addr("alice").String() + "\r\nt=0 0\r\nm=audio 49170 RTP/AVP 8\r\n"
		if err := call.Do(func() error { return call.Usage.Ack(dialog.SDP([]byte(answer))) }); err != nil {
			t.Fatal(err)
		}
		if err := <-heard; err != nil {
			t.Error(err)
		}
		call.Await("Answered")
		b.Wait(time.Second)
		call.Bye()
		call.Await("Ended BYE sent")
		stopped(t, stop)
	})
}
