// `sipwerk watch`: subscribes to something and shows what it is told. RFC 6665.

package telephone

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/digest"
	"github.com/sipwerk/sipwerk/sip/event"
	"github.com/sipwerk/sipwerk/sip/stack"
)

// watchFlags are the flags of `watch`.
type watchFlags struct {
	login
	event, accept string
	expires       time.Duration
	json          bool
}

// NewWatch is `sipwerk watch`.
func NewWatch(t *terminal.Terminal) *cobra.Command {
	p := &program{t}
	var f watchFlags
	c := &cobra.Command{
		Use:   "watch URI",
		Short: p.Text("Show what becomes of something, such as a conference room"),
		Long: p.Text("Subscribes to an event package and shows each notification until the subscription ends, or until Ctrl-C. With --expires 0 the state is shown once.\n" +
			"Exit codes: 0 shown; 1 not started; 2 the command line; 3 refused."),
		Example: terminal.Examples("sipwerk watch sip:4000@example.org --user alice@example.org --server 192.0.2.1", "sipwerk watch sip:4000@example.org --user alice@example.org --expires 0 --json",
			"sipwerk watch sip:200@example.org --event dialog --user alice@example.org"),
		Args: p.Exactly("URI"),
	}
	s := c.Flags()
	f.login.define(p, c, p.Text("where requests go: a host or a SIP URI; otherwise the domain of what is watched"))
	s.StringVar(&f.event, "event", "conference", p.Text("the event package: conference, dialog for the lamp of an extension, presence"))
	s.StringVar(&f.accept, "accept", "", p.Text("the type of document that is wanted; otherwise that of the package"))
	s.DurationVar(&f.expires, "expires", time.Hour, p.Text("how long the subscription lasts before it is refreshed"))
	s.BoolVar(&f.json, "json", false, p.Text("write JSON"))
	c.RunE = func(c *cobra.Command, args []string) error {
		ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		return p.watch(ctx, &f, args[0])
	}
	return c
}

// notification is one NOTIFY, or the end.
type notification struct {
	State string     `json:"state"`
	Type  string     `json:"type,omitempty"`
	Body  string     `json:"body,omitempty"`
	end   *event.End // the last one
}

// viewer takes what the subscription brings, in its stripe, and hands it on.
type viewer struct{ out chan notification }

// viewerRoom is how many notifications wait to be written; what comes beyond is dropped.
const viewerRoom = 64

// Told implements [event.Listener].
func (v *viewer) Told(_ *event.Watch, notify *sip.Request) {
	v.send(notification{State: string([]byte(notify.Get(sip.HeaderSubscriptionState))), Type: string([]byte(notify.ContentType())), Body: string(notify.Body())})
}

// Ended implements [event.Listener].
func (v *viewer) Ended(_ *event.Watch, end event.End) {
	v.send(notification{end: &end})
	close(v.out)
}

func (v *viewer) send(n notification) {
	if n.end == nil && len(v.out) > viewerRoom {
		return
	}
	v.out <- n // the end has room of its own
}

// watch subscribes and writes until the end.
func (p *program) watch(ctx context.Context, f *watchFlags, uri string) error {
	req, to, err := f.request(uri)
	if err != nil {
		return err
	}
	roots, err := p.Authority(f.authority)
	if err != nil {
		return err
	}
	subscriber := &event.Subscriber{}
	table := &dialog.Table{Next: subscriber}
	s := &stack.Stack{Handler: table, FlowLost: table, TLS: roots, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	for _, listen := range []string{"udp://:0", "tcp://:0"} {
		if err := s.Listen(ctx, listen); err != nil {
			return err
		}
	}
	defer s.Close()
	o := event.Outgoing{Engine: s, Stripe: sip.StripeOf(uri), Request: req, To: to}
	if f.user != "" {
		o.Auth = &digest.Client{User: userPart(callerURI(f.user, f.server)), Password: p.password(f.password), Host: req.URI.Host, Realm: digest.AnyRealm}
	}
	v := &viewer{out: make(chan notification, viewerRoom+2)}
	begun := make(chan error, 1)
	var watch *event.Watch
	s.Do(o.Stripe, func() {
		var err error
		watch, err = subscriber.Subscribe(o, v)
		begun <- err
	})
	if err := <-begun; err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { watch.Do(watch.Unsubscribe) })()
	for n := range v.out {
		if n.end != nil {
			return p.watched(ctx, f, n.end)
		}
		if err := p.showNotification(f, n); err != nil {
			return err
		}
	}
	return nil
}

// request makes the SUBSCRIBE.
func (f *watchFlags) request(uri string) (*sip.Request, sip.Destination, error) {
	var to sip.Destination
	target, err := sip.ParseURI(sipURI(uri))
	if err != nil {
		return nil, to, err
	}
	if f.server != "" {
		if to.URI, err = sip.ParseURI(sipURI(f.server)); err != nil {
			return nil, to, err
		}
	}
	from := "sip:anonymous@anonymous.invalid"
	if f.user != "" {
		from = callerURI(f.user, f.server)
	}
	if _, err := sip.ParseURI(from); err != nil {
		return nil, to, err
	}
	req := sip.NewRequest(sip.MethodSubscribe, target)
	req.Set(sip.HeaderFrom, "<"+from+">")
	req.Set(sip.HeaderEvent, f.event)
	if accept := cmp.Or(f.accept, documents()[f.event]); accept != "" {
		req.Set(sip.HeaderAccept, accept)
	}
	req.Set(sip.HeaderExpires, strconv.FormatInt(int64(f.expires/time.Second), 10))
	return req, to, nil
}

// documents are the types of the documents of packages.
func documents() map[string]string {
	return map[string]string{"conference": "application/conference-info+xml", "dialog": "application/dialog-info+xml", "presence": "application/pidf+xml", "message-summary": "application/simple-message-summary"}
}

func (p *program) showNotification(f *watchFlags, n notification) error {
	if f.json {
		return json.NewEncoder(p.Out).Encode(n)
	}
	_, err := fmt.Fprintf(p.Out, "# %s\n%s", n.State, n.Body)
	return err
}

// watched says how the subscription ended, unless that was wanted.
func (p *program) watched(ctx context.Context, f *watchFlags, end *event.End) error {
	switch {
	case ctx.Err() != nil || f.expires == 0 && end.Reason == "timeout":
		return nil
	case end.Status != 0:
		fmt.Fprintln(p.Err, "sipwerk: "+p.Text("the subscription was refused: %v", end.Status))
		return terminal.ExitError(exitRefused)
	case end.Reason == "":
		fmt.Fprintln(p.Err, "sipwerk: "+p.Text("the subscription has run out; nothing was heard of the server"))
		return terminal.ExitError(exitRefused)
	}
	fmt.Fprintln(p.Err, "sipwerk: "+p.Text("the subscription was ended: %s", end.Reason))
	return nil
}
