package event

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/siptest"
	"github.com/sipwerk/sipwerk/sip/stack"
	"github.com/sipwerk/sipwerk/sip/transaction"
)

var _ = flag.Bool("update", false, "write the golden ladders")

// world is a notifier of a counter on one host of a bench and a subscriber on another.
type world struct {
	*siptest.Bench
	notifier   *Notifier
	subscriber *Subscriber
	counter    *counter
	watcher    *stack.Stack
	referral   *Referral
	publish    *Compositor
}

func run(t *testing.T, f func(w *world), faults ...siptest.Faults) {
	siptest.Run(t, func(b *siptest.Bench) {
		w := &world{Bench: b, counter: &counter{log: []string{"zero"}}, subscriber: &Subscriber{}}
		w.notifier = &Notifier{Packages: []*Package{{Name: "counter", Types: []string{"text/plain", "text/short"}, Throttle: time.Second, Source: w.counter}}}
		refer := sip.EventHandlerFunc(func(ev *sip.Event) {
			if ev.Kind == sip.EventRequest && ev.Request.Method == sip.MethodRefer {
				w.referral, _ = w.notifier.Refer(ev)
				return
			}
			if w.publish != nil {
				w.publish.HandleEvent(ev)
			}
			w.notifier.HandleEvent(ev)
		})
		w.serve("focus", refer, w.notifier.Len)
		w.watcher = w.serve("lamp", w.subscriber, w.subscriber.Len)
		f(w)
	}, faults...)
}

// serve puts a stack with a dialog table on a host.
func (w *world) serve(name string, next sip.EventHandler, left func() int) *stack.Stack {
	host := w.Host(name)
	table := &dialog.Table{Next: next}
	s := &stack.Stack{Handler: table, FlowLost: table, Network: host, Resolver: &w.Net.Names, Random: w.Random(name), Log: slog.New(slog.DiscardHandler)}
	if err := s.Listen(context.Background(), "udp://"+w.Addr(name).String()+":5060"); err != nil {
		w.T.Fatal(err)
	}
	w.Watch(siptest.Watched{Name: name, Host: host,
		Left: func() (out []string) {
			if n := left(); n > 0 {
				out = append(out, fmt.Sprintf("%s has %d subscriptions", name, n))
			}
			if a := s.Audit(); a != (transaction.Audit{}) {
				out = append(out, fmt.Sprintf("%s holds %+v", name, a))
			}
			return out
		},
		Close: func() { _ = s.Close() }})
	return s
}

// counter is a source whose state is a list of words; a document is the words since the last one.
type counter struct {
	mu  sync.Mutex // guards log
	log []string
}

func (c *counter) Find(ev *sip.Event) (string, error) {
	if user := ev.Request.URI.User; user != "counter" {
		return "", sip.StatusNotFound
	}
	return "counter", nil
}

func (c *counter) Notice(n Notice) Document {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := strconv.Itoa(int(n.Version))
	for _, word := range c.log[n.Since:] {
		text += " " + word
	}
	return Document{Type: n.Type, Bytes: []byte(text), Mark: uint64(len(c.log)), Nothing: int(n.Since) == len(c.log)}
}

// count adds a word and tells the subscribers.
func (w *world) count(word string) {
	w.counter.mu.Lock()
	w.counter.log = append(w.counter.log, word)
	w.counter.mu.Unlock()
	w.notifier.Changed("counter", "counter")
}

// lamp is what a subscriber has heard.
type lamp struct {
	mu    sync.Mutex // guards what follows
	watch *Watch
	told  []string
	end   *End
}

func (l *lamp) Told(_ *Watch, notify *sip.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	state, _ := sip.ParseSubscriptionState(notify.Get(sip.HeaderSubscriptionState))
	l.told = append(l.told, state.State+": "+string(notify.Body()))
}

func (l *lamp) Ended(_ *Watch, end End) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end = &end
}

// heard returns what was told since the last call.
func (l *lamp) heard() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := fmt.Sprint(l.told)
	l.told = nil
	return text
}

// over returns how the subscription ended, nil if it lives.
func (l *lamp) over() *End {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.end
}

// subscribe makes a subscription; lines are header fields beside those that it needs.
func (w *world) subscribe(user string, lines ...string) *lamp {
	w.T.Helper()
	return w.subscribeURI(sip.URI{Scheme: "sip", User: user, Host: w.Addr("focus").String()}, lines...)
}

func (w *world) subscribeURI(uri sip.URI, lines ...string) *lamp {
	w.T.Helper()
	req := sip.NewRequest(sip.MethodSubscribe, uri)
	req.Set(sip.HeaderFrom, "<"+w.URI("lamp").String()+">")
	req.Set(sip.HeaderEvent, "counter")
	for i := 0; i < len(lines); i += 2 {
		req.SetName(lines[i], lines[i+1])
	}
	l := &lamp{}
	stripe := sip.StripeOf("lamp")
	done := make(chan error, 1)
	w.watcher.Do(stripe, func() {
		var err error
		l.watch, err = w.subscriber.Subscribe(Outgoing{Engine: w.watcher, Stripe: stripe, Request: req}, l)
		done <- err
	})
	if err := <-done; err != nil {
		w.T.Fatal(err)
	}
	w.Wait(100 * time.Millisecond)
	return l
}

// leave ends a subscription and waits until both sides know.
func (w *world) leave(l *lamp) {
	w.T.Helper()
	l.watch.Do(l.watch.Unsubscribe)
	for range 40 {
		if w.Wait(time.Second); l.over() != nil {
			return
		}
	}
	w.T.Error("the subscription does not end")
}
