// The robot of the demonstration: it calls the echo number, speaks a beep, and listens how long it takes to come back.

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/netip"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/phone"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/ladder"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// robot makes one call.
type robot struct {
	domain, secret string
	server         string // URI of the server
	tap            *tap
}

// heard is what came back.
type heard struct {
	packets, lost uint64
	delay         time.Duration // from the first sample of the beep spoken to the first heard
}

// The robot's speech: silence in which the line settles, a beep, and silence in which the echo comes.
const (
	leadTime = 500 * time.Millisecond
	beepTime = 300 * time.Millisecond
	tailTime = 1200 * time.Millisecond
	frame    = 20 * time.Millisecond
)

func (r *robot) call(ctx context.Context) (heard, error) {
	p := &phone.Phone{
		URI: "sip:" + robotUser + "@" + r.domain, Name: "Robot", Password: r.secret, Outbound: r.server,
		Listen: []string{"udp://127.0.0.1:0", "tcp://127.0.0.1:0"},
		Log:    slog.New(slog.DiscardHandler),
	}
	defer p.Close()
	addrs, err := p.Addrs(ctx)
	if err != nil {
		return heard{}, err
	}
	r.tap.start(addrs)
	call, err := p.Dial(ctx, "sip:echo@"+r.domain)
	if err != nil {
		return heard{}, err
	}
	delay, err := r.speak(ctx, call)
	if err == nil {
		err = call.Hangup()
	}
	s := call.Statistics()
	if err == nil && s.Received == 0 {
		err = errors.New("no sound came back")
	}
	return heard{packets: s.Received, lost: s.Lost, delay: delay}, err
}

// speak speaks and listens, and returns how long the beep was away.
func (r *robot) speak(ctx context.Context, call *phone.Call) (time.Duration, error) {
	stop := context.AfterFunc(ctx, func() { call.Hangup() })
	defer stop()
	back := make(chan time.Time, 1)
	go func() {
		defer close(back)
		if at, ok := listen(call); ok {
			back <- at
		}
	}()
	spoken, err := beep(call)
	if err != nil {
		return 0, fmt.Errorf("speak: %w", err)
	}
	select {
	case at, ok := <-back:
		if !ok {
			return 0, errors.New("the echo did not come back")
		}
		return at.Sub(spoken), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// beep speaks and returns when the beep began.
func beep(call *phone.Call) (begun time.Time, err error) {
	perFrame := call.Rate() * int(frame/time.Millisecond) / 1000
	pcm := make([]int16, perFrame)
	for at := time.Duration(0); at < leadTime+beepTime+tailTime; at += frame {
		loud := at >= leadTime && at < leadTime+beepTime
		for i := range pcm {
			pcm[i] = 0
			if loud {
				pcm[i] = int16(8000 * math.Sin(2*math.Pi*440*float64(i)/float64(call.Rate())))
			}
		}
		if at == leadTime {
			begun = time.Now()
		}
		if err := call.WriteSamples(pcm); err != nil {
			return begun, err
		}
	}
	return begun, nil
}

// listen waits for the first loud frame; ok is false if the call ends before.
func listen(call *phone.Call) (at time.Time, ok bool) {
	pcm := make([]int16, call.Rate()*int(frame/time.Millisecond)/1000)
	for {
		n, err := call.ReadSamples(pcm)
		if err != nil && !errors.Is(err, io.ErrShortBuffer) {
			return time.Time{}, false
		}
		for _, v := range pcm[:n] {
			if v > 1000 || v < -1000 {
				return time.Now(), true
			}
		}
	}
}

// tap keeps the messages between server and robot for the ladder. Safe for use by many goroutines.
type tap struct {
	mu       sync.Mutex
	peers    []netip.AddrPort // of the robot; nothing is kept before they are known
	began    time.Time
	messages []ladder.Message
}

// tapSize is how many messages a ladder may have.
const tapSize = 100

// start begins to keep what the robot, who listens at these addresses, says and hears.
func (t *tap) start(peers []netip.AddrPort) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.peers, t.began = peers, time.Now()
}

// see is given every message of the server.
func (t *tap) see(m transport.Trace) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.messages) >= tapSize || !t.concerns(m) {
		return
	}
	l := ladder.Message{Time: m.Time.Sub(t.began), From: "robot", To: "sipwerk", Text: ladder.Text(bytes.Clone(m.Data))}
	if m.Sent {
		l.From, l.To = l.To, l.From
	}
	t.messages = append(t.messages, l)
}

// concerns reports whether m is a message to or from the robot; t.mu is held.
func (t *tap) concerns(m transport.Trace) bool {
	for _, p := range t.peers {
		if m.Flow.Transport == sip.UDP && m.Flow.Remote == p {
			return true
		}
	}
	return false
}

// draw draws the ladder.
func (t *tap) draw() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := ladder.Ladder{Hosts: []string{"robot", "sipwerk"}, Messages: t.messages}
	return l.String()
}
