// What `sipwerk call` does between the first ring and the last word.

package telephone

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/phone"
	"github.com/sipwerk/sipwerk/sip"
)

// echoTime is how long something is said to be measured.
const echoTime = 3 * time.Second

// conversation is one call of `call`.
type conversation struct {
	flags *callFlags
	phone *phone.Phone
	show  *progress
	uri   string
	echo  *phone.Echo
}

// converse makes the call, or waits for one, and carries it through.
func (p *program) converse(ctx context.Context, v *conversation) outcome {
	if v.flags.answer {
		return p.receive(ctx, v)
	}
	call, err := v.phone.Invite(ctx, v.uri)
	if err != nil {
		return p.judge(v.uri, nil, err)
	}
	stop := v.show.follow(call)
	waiting, cancel := context.WithTimeout(ctx, v.flags.ring)
	err = call.Wait(waiting)
	cancel()
	if err == nil {
		err = v.talk(ctx, call)
	}
	stop()
	o := p.judge(v.uri, call, err)
	o.Echo = v.echo
	return o
}

// receive waits for one call and answers it.
func (p *program) receive(ctx context.Context, v *conversation) outcome {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan outcome, 1)
	v.phone.Ready = func() { v.show.await(ctx, v.phone) }
	err := v.phone.Serve(ctx, func(_ context.Context, c *phone.Call) error {
		select {
		case ended <- outcome{}: // the first call takes the place
		default:
			return sip.StatusBusyHere
		}
		defer cancel()
		stop := v.show.follow(c)
		err := c.Answer(ctx)
		if err == nil {
			err = v.talk(ctx, c)
		}
		stop()
		<-ended
		o := p.judge(c.Remote().URI.String(), c, err)
		o.Echo = v.echo
		ended <- o
		return nil
	})
	select {
	case o := <-ended:
		return o
	default:
	}
	if errors.Is(err, sip.ErrClosed) {
		err = context.DeadlineExceeded // it was stopped before anybody called
	}
	return p.judge(v.phone.URI, nil, err)
}

// talk does what the flags ask for and hangs up. The error is that of what was asked for, or the end of the call.
func (v *conversation) talk(ctx context.Context, c *phone.Call) error {
	f := v.flags
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if f.duration > 0 {
		ctx, cancel = context.WithTimeout(ctx, f.duration)
		defer cancel()
	}
	var record sync.WaitGroup
	var recorded error
	if f.record != "" {
		record.Go(func() { recorded = c.RecordFile(ctx, f.record) })
	}
	var recordedBoth error
	if f.both != "" {
		record.Go(func() { recordedBoth = recordBoth(ctx, c, f.both) })
	}
	err := v.speak(ctx, c)
	if err == nil && (f.duration > 0 || f.play+f.digits == "" && !f.echo) {
		select {
		case <-c.Done():
		case <-ctx.Done():
		}
	}
	hung := c.Hangup()
	cancel()
	record.Wait()
	return errors.Join(harmless(err), harmless(recorded), harmless(recordedBoth), hung, lost(c))
}

// speak plays, dials and measures, one after the other.
func (v *conversation) speak(ctx context.Context, c *phone.Call) error {
	f := v.flags
	if f.digits != "" {
		if err := c.SendDigits(ctx, f.digits); err != nil {
			return err
		}
	}
	if f.play != "" {
		if err := playFile(ctx, c, f.play); err != nil {
			return err
		}
	}
	if !f.echo {
		return nil
	}
	e, err := c.MeasureEcho(ctx, echoTime)
	if err == nil {
		v.echo = &e
	}
	return err
}

// harmless drops what only says that the call or its time is over.
func harmless(err error) error {
	if errors.Is(err, phone.ErrEnded) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// lost is the end of a call that nobody hung up.
func lost(c *phone.Call) error {
	if err := c.Err(); errors.Is(err, phone.ErrLost) {
		return err
	}
	return nil
}
