package conference

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/event"
	"github.com/sipwerk/sipwerk/sip/siptest"
	"github.com/sipwerk/sipwerk/sip/stack"
)

var _ = flag.Bool("update", false, "write the golden files")

// quick is how often the PINs of tests are hashed.
const quick = 10

// world is a focus on one host of a bench and telephones on others.
type world struct {
	*siptest.Bench
	focus    *Conference
	set      map[string]Settings // rooms by user part
	phones   map[string]*phone
	observed observed
}

// observed notes what the observer is told.
type observed struct {
	mu    sync.Mutex // guards lines
	lines []string
}

func (o *observed) ObserveMember(d *Detail) {
	o.mu.Lock()
	defer o.mu.Unlock()
	name, _, _ := strings.Cut(strings.TrimPrefix(d.Member, "sip:"), "@")
	o.lines = append(o.lines, fmt.Sprintf("%s %d by %s %d", name, d.Phase, d.By, d.Status))
}

func (o *observed) ObserveRoom(ev RoomEvent) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines = append(o.lines, ev.What)
}

// all returns what was observed.
func (o *observed) all() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.lines, ", ")
}

// Room implements [Directory].
func (w *world) Room(req *sip.Request) (Settings, bool) {
	set, ok := w.set[req.URI.UserName()]
	set.URI = sip.URI{Scheme: "sip", User: req.URI.User, Host: "example.org"}
	return set, ok
}

// Lookup implements [Locator]: every telephone is an account.
func (w *world) Lookup(_ string, uri sip.URI) (sip.URI, []Binding, bool) {
	p, ok := w.phones[uri.UserName()]
	if !ok {
		return sip.URI{}, nil, false
	}
	addr := w.Addr(p.name)
	return w.URI(p.name), []Binding{{Target: w.URI(p.name), Remote: addr}}, true
}

func run(t *testing.T, f func(w *world), faults ...siptest.Faults) {
	siptest.Run(t, func(b *siptest.Bench) {
		w := &world{Bench: b, set: map[string]Settings{"4000": {Title: "Sales & Service"}}, phones: make(map[string]*phone)}
		w.serve()
		f(w)
		for _, p := range w.phones {
			p.close()
		}
	}, faults...)
}

// sharedPort is that of members whom ICE finds.
const sharedPort = 9000

// serve puts the focus on a host.
func (w *world) serve() {
	r, table, _ := w.host("focus", func(ev *sip.Event) {
		if ev.Kind == sip.EventRequest && ev.Request.Method == sip.MethodSubscribe {
			w.focus.Events.HandleEvent(ev)
			return
		}
		w.focus.HandleEvent(ev)
	})
	r.Shared = sharedPort
	w.focus = &Conference{Dialogs: table, Media: &session.Site{Relay: r}, Rooms: w, Locator: w, Observer: &w.observed}
	w.focus.Events = &event.Notifier{Packages: []*event.Package{w.focus.Package()}, Account: w.focus.Account}
}

// host puts a stack with dialogs and media on a host.
func (w *world) host(name string, next func(*sip.Event)) (*relay.Relay, *dialog.Table, *stack.Stack) {
	host := w.Host(name)
	r := &relay.Relay{Network: host, Ports: relay.Ports{Min: 20000, Max: 20999}}
	table := &dialog.Table{Next: sip.EventHandlerFunc(next)}
	s := &stack.Stack{Handler: table, FlowLost: table, Network: host, Resolver: &w.Net.Names, Random: w.Random(name), Log: slog.New(slog.DiscardHandler)}
	if err := s.Listen(context.Background(), "udp://"+w.Addr(name).String()+":5060"); err != nil {
		w.T.Fatal(err)
	}
	w.Watch(siptest.Watched{Name: name, Host: host,
		Left: func() (left []string) {
			if name == "focus" && (w.focus.Counts().Rooms > 0 || w.focus.Calls() > 0 || w.focus.Events.Len() > 0) {
				left = append(left, fmt.Sprintf("%+v and %d subscriptions", w.focus.Counts(), w.focus.Events.Len()))
			}
			if n, k := table.Len(), r.Streams(); n > 0 || k > 0 {
				left = append(left, fmt.Sprintf("%s holds %d dialogs and %d streams", name, n, k))
			}
			return left
		},
		Close: func() {
			if name == "focus" {
				if err := w.focus.Drain(context.Background()); err != nil {
					w.T.Error(err)
				}
			}
			_ = s.Close()
			_ = r.Close()
		}})
	return r, table, s
}

// phone is a telephone with a microphone and an earpiece.
type phone struct {
	w      *world
	name   string
	stack  *stack.Stack
	table  *dialog.Table
	site   *session.Site
	format []codec.Format
	kind   session.Kind
	sight  []sdp.Codec // of the pictures that it sends and shows
	tiles  int         // lines of pictures that it takes; 0: one
	lines  []*line
	answer bool // calls that come in
	rang   chan *line
}

func (w *world) phone(name string, formats ...codec.Format) *phone {
	p := &phone{w: w, name: name, format: formats, answer: true, rang: make(chan *line, 8)}
	r, table, s := w.host(name, p.ring)
	p.table, p.stack, p.site = table, s, &session.Site{Relay: r, FullICE: true}
	w.phones[name] = p
	return p
}

// line is one call of a telephone.
type line struct {
	phone    *phone
	usage    *dialog.Usage
	endpoint *session.Endpoint
	work     sync.WaitGroup

	mu      sync.Mutex // guards what follows
	heard   []int16
	tone    *audio.Tone // what is said
	over    bool
	status  sip.Status
	contact string
	reports []string
	eye     eye
}

func (p *phone) newLine() *line {
	addr := p.w.Addr("focus")
	e, err := p.site.NewEndpoint(context.Background(), session.Peer{Remote: addr, Kind: p.kind}, session.Voice{Formats: p.format, Rate: 8000, Pictures: p.sight, Lines: p.tiles})
	if err != nil {
		p.w.T.Fatal(err)
	}
	l := &line{phone: p, endpoint: e}
	p.lines = append(p.lines, l)
	l.work.Go(l.listen)
	l.work.Go(l.talk)
	return l
}

func (l *line) listen() {
	b := make([]byte, 320)
	for {
		n, err := l.endpoint.Read(b)
		if err != nil {
			return
		}
		l.mu.Lock()
		for i := 0; i+1 < n; i += 2 {
			l.heard = append(l.heard, int16(binary.LittleEndian.Uint16(b[i:])))
		}
		l.mu.Unlock()
	}
}

func (l *line) talk() {
	pcm, b := make([]int16, 160), make([]byte, 320)
	for {
		l.mu.Lock()
		clear(pcm)
		if l.tone != nil {
			_, _ = l.tone.ReadSamples(pcm)
		}
		l.mu.Unlock()
		for i, s := range pcm {
			binary.LittleEndian.PutUint16(b[2*i:], uint16(s))
		}
		if _, err := l.endpoint.Write(b); err != nil {
			return
		}
	}
}

// say begins to speak a tone, 0 falls silent.
func (l *line) say(frequency float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tone = nil
	if frequency > 0 {
		l.tone = &audio.Tone{Rate: 8000, Frequencies: []float64{frequency}, Amplitude: 6000}
	}
}

// hears reports whether a tone was heard in the last half second.
func (l *line) hears(frequency float64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	heard := l.heard[max(0, len(l.heard)-4000):]
	return audio.Goertzel(heard, 8000, frequency) > 1500
}

// dial calls a room; lines are further header fields, a body, or both.
func (p *phone) dial(user string, edit ...func(req *sip.Request)) *line {
	p.w.T.Helper()
	l := p.newLine()
	req := sip.NewRequest(sip.MethodInvite, sip.URI{Scheme: "sip", User: user, Host: p.w.Addr("focus").String()})
	req.Set(sip.HeaderFrom, `"`+strings.ToUpper(p.name[:1])+p.name[1:]+`" <`+p.uri()+">")
	offer := l.endpoint.Offer()
	req.SetBody(description.Type, offer.AppendTo(nil))
	for _, f := range edit {
		f(req)
	}
	started := make(chan error, 1)
	stripe := sip.StripeOf(p.name)
	p.stack.Do(stripe, func() {
		u, err := p.table.Invite(dialog.Outgoing{Engine: p.stack, Stripe: stripe, Request: req}, l)
		l.usage = u
		started <- err
	})
	if err := <-started; err != nil {
		p.w.T.Fatal(err)
	}
	p.w.Wait(200 * time.Millisecond)
	return l
}

func (p *phone) uri() string { u := p.w.URI(p.name); return u.String() }

// ring takes a call that comes in.
func (p *phone) ring(ev *sip.Event) {
	if ev.Kind != sip.EventRequest || ev.Request.Method != sip.MethodInvite {
		return
	}
	l := p.newLine()
	u, err := p.table.Incoming(ev, l)
	if err != nil {
		return
	}
	l.usage = u
	if !p.answer {
		_ = u.Reject(sip.StatusBusyHere)
		l.mu.Lock()
		l.over = true
		l.mu.Unlock()
		return
	}
	_ = u.Provisional(sip.StatusRinging, dialog.Body{})
	offer, err := description.Read(&ev.Request.Message)
	if err == nil {
		if ours, err := l.endpoint.Answer(offer); err == nil {
			_ = u.Answer(dialog.SDP(ours.AppendTo(nil)))
		}
	}
	p.rang <- l
}

// HandleUsage implements [dialog.Owner].
func (l *line) HandleUsage(u *dialog.Usage, ev dialog.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch ev := ev.(type) {
	case dialog.Answered:
		l.status, l.contact = ev.Response.Status, strings.Clone(ev.Response.Get(sip.HeaderContact))
		if d, err := description.Read(&ev.Response.Message); err == nil {
			_ = l.endpoint.Accept(d)
			l.heed(d)
			l.look()
		}
	case dialog.Offer:
		d, err := description.Read(&ev.Request.Message)
		if err != nil {
			return
		}
		ours, err := l.endpoint.Answer(d)
		if err != nil {
			_ = u.Refuse(sip.StatusNotAcceptableHere)
			return
		}
		l.eye.offers = append(l.eye.offers, d)
		l.heed(d)
		_ = u.Accept(dialog.SDP(ours.AppendTo(nil)))
		l.look()
	case dialog.Rejected:
		l.status, l.over = ev.Status, true
	case dialog.Ended, dialog.Cancelled:
		l.over = true
	case *dialog.Request:
		if ev.Request.Method == sip.MethodNotify {
			l.reports = append(l.reports, strings.TrimSpace(string(ev.Request.Body())))
			_ = u.Respond(ev, u.ReplyTo(ev.Request, sip.StatusOK))
		}
	}
}

// state returns the status of the answer and whether the call is over.
func (l *line) state() (sip.Status, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status, l.over
}

// want fails the test unless the call was answered so, and is over or not.
func (l *line) want(status sip.Status, over bool) {
	l.phone.w.T.Helper()
	s, o := l.state()
	if s != status || o != over {
		l.phone.w.T.Errorf("%s: status %d, over %t; want %d, %t", l.phone.name, s, o, status, over)
	}
	if o {
		l.close()
	}
}

// press dials digits and waits until the focus has taken them.
func (l *line) press(digits string) {
	l.phone.w.T.Helper()
	if err := l.endpoint.Dial(digits); err != nil {
		l.phone.w.T.Error(err)
	}
	l.phone.w.Wait(time.Duration(len(digits))*200*time.Millisecond + 700*time.Millisecond)
}

// bye hangs up.
func (l *line) bye() {
	l.usage.Do(func() { _ = l.usage.Bye("") })
	l.phone.w.Wait(200 * time.Millisecond)
	l.close()
}

// close puts the receiver down.
func (l *line) close() {
	l.cover()
	l.endpoint.Close()
	l.work.Wait()
}

// close hangs up every call of the telephone.
func (p *phone) close() {
	for _, l := range p.lines {
		if _, over := l.state(); !over && l.usage != nil {
			l.bye()
		}
		l.close()
	}
}
