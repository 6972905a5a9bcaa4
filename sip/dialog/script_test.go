// Scripts for the usage: what happens goes in behind ">", what the usage orders and tells comes out below. RFC 3261 §12 to §15.

package dialog

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sipwerk/sipwerk/sip"
)

var update = flag.Bool("update", false, "write what the usages do into the scripts")

func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.script")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("(-script +usage)\n%s", diff)
			}
		})
	}
}

// play runs every scene of a script and returns it with the lines that came out. A scene ends with an empty line.
func play(t *testing.T, script string) string {
	var b strings.Builder
	s := newStage()
	for line := range strings.SplitSeq(strings.TrimSuffix(script, "\n"), "\n") {
		switch {
		case line == "":
			s = newStage()
			b.WriteString("\n")
		case line[0] == '#':
			b.WriteString(line + "\n")
		case line[0] == '>':
			b.WriteString(line + "\n")
			if err := s.do(strings.Fields(line[1:])); err != nil {
				s.logf("error: %v", err)
			}
			s.settle()
			for _, l := range s.log {
				b.WriteString("  " + l + "\n")
			}
			s.log = nil
		}
	}
	return b.String()
}

// stage is a usage with an engine and a peer that only the script moves.
type stage struct {
	sip.Engine // what a dialog does not ask for

	table   Table
	usage   *Usage
	log     []string
	now     time.Duration
	timers  []*stageTimer
	queue   []func()
	clients []*stageClient
	owned   map[sip.TransactionID]sip.EventHandler
	tx      sip.TransactionID
	ids     int
	keep    *Request // the request that the owner keeps
	auth    bool
	way     sip.Flow // of the responses
}

type stageTimer struct {
	at      time.Duration
	f       func()
	stopped bool
}

func (t *stageTimer) Stop() bool { was := !t.stopped; t.stopped = true; return was }

type stageClient struct {
	tx      sip.TransactionID
	request *sip.Request
	handler sip.EventHandler
}

func newStage() *stage {
	s := &stage{owned: make(map[sip.TransactionID]sip.EventHandler)}
	s.table.Random = func() uint64 { return 7 }
	s.table.SessionExpires = -1
	return s
}

func (s *stage) logf(format string, args ...any) {
	s.log = append(s.log, strings.TrimRight(fmt.Sprintf(format, args...), " "))
}

func line(m *sip.Message, words ...string) string {
	if b := m.Body(); len(b) > 0 {
		words = append(words, "["+string(b)+"]")
	}
	for _, h := range [...]sip.Header{sip.HeaderReason, sip.HeaderRetryAfter, sip.HeaderUnsupported, sip.HeaderAuthorization} {
		if v := m.Get(h); v != "" {
			words = append(words, "{"+v+"}")
		}
	}
	for _, h := range [...]sip.Header{sip.HeaderRSeq, sip.HeaderRAck, sip.HeaderSessionExpires, sip.HeaderMinSE} {
		if v := m.Get(h); v != "" {
			words = append(words, h.String()+":"+v)
		}
	}
	return strings.Join(words, " ")
}

func requestLine(r *sip.Request) string {
	seq, _ := r.CSeq()
	words := []string{string(r.Method), strconv.Itoa(int(seq.Number)), r.URI.String()}
	if tag := r.ToTag(); tag != "" {
		words = append(words, "to", tag)
	}
	return line(&r.Message, words...)
}

func responseLine(r *sip.Response) string {
	seq, _ := r.CSeq()
	return line(&r.Message, strconv.Itoa(int(r.Status)), "to", string(seq.Method), strconv.Itoa(int(seq.Number)))
}

// The engine.

func (s *stage) Start(_ sip.Stripe, req *sip.Request, to sip.Destination, h sip.EventHandler) (sip.TransactionID, error) {
	s.tx++
	s.clients = append(s.clients, &stageClient{s.tx, req.Clone(), h})
	way := ""
	if !to.Flow.IsZero() {
		way = fmt.Sprintf(" over flow %d", to.Flow.ID)
	}
	s.logf("start %s%s", requestLine(req), way)
	return s.tx, nil
}

func (s *stage) Respond(_ sip.TransactionID, res *sip.Response) error {
	s.logf("respond %s", responseLine(res))
	return nil
}

func (s *stage) RespondOnce(_ sip.TransactionID, res *sip.Response) error {
	s.logf("reject %s", responseLine(res))
	return nil
}

func (s *stage) Cancel(_ sip.TransactionID, reason string) error {
	s.logf("cancel {%s}", reason)
	return nil
}

func (s *stage) Ack(_ sip.Stripe, req *sip.Request, _ sip.Destination) error {
	s.logf("send %s", requestLine(req))
	return nil
}

func (s *stage) Own(tx sip.TransactionID, h sip.EventHandler) error { s.owned[tx] = h; return nil }

func (s *stage) Do(_ sip.Stripe, f func()) { s.queue = append(s.queue, f) }

func (s *stage) After(_ sip.Stripe, d time.Duration, f func()) sip.Timer {
	t := &stageTimer{at: s.now + d, f: f}
	s.timers = append(s.timers, t)
	return t
}

func (s *stage) NewID(sip.Stripe) string { s.ids++; return "id" + strconv.Itoa(s.ids) }

func (s *stage) settle() {
	for len(s.queue) > 0 {
		f := s.queue[0]
		s.queue = s.queue[1:]
		f()
	}
}

// The owner.

func (s *stage) HandleUsage(u *Usage, ev Event) {
	switch ev := ev.(type) {
	case Progress:
		tag := "-"
		if ev.Dialog != nil {
			tag = ev.Dialog.RemoteTag
		}
		s.logf("tell Progress %s", line(&ev.Response.Message, strconv.Itoa(int(ev.Response.Status)), tag))
	case Answered:
		s.logf("tell Answered %s", responseLine(ev.Response))
	case Rejected:
		s.logf("tell Rejected %d", ev.Status)
	case PrackReceived:
		s.logf("tell PrackReceived %s", line(&ev.Request.Message))
	case Refreshed:
		s.logf("tell Refreshed %s", responseLine(ev.Response))
	case AckReceived:
		s.logf("tell AckReceived %s", line(&ev.Request.Message))
	case Cancelled:
		s.logf("tell Cancelled %d {%s}", ev.Status, ev.Reason)
	case Offer:
		s.logf("tell Offer %s", requestLine(ev.Request))
	case Withdrawn:
		s.logf("tell Withdrawn")
	case Modified:
		s.logf("tell Modified %d", ev.Status)
	case *Request:
		s.logf("tell Request %s", requestLine(ev.Request))
		if ev.Request.Method == sip.MethodMessage {
			ev.Keep()
			s.keep = ev
		}
	case Ended:
		s.logf("tell Ended %s {%s}", ev.Cause, ev.Reason)
	}
	if ended := u.Over(); ended && s.table.Len() != 0 {
		s.logf("still in the table")
	}
}

func (s *stage) Authorize(req *sip.Request, _ *sip.Response) (*sip.Request, bool) {
	if req.Has(sip.HeaderAuthorization) {
		return nil, false
	}
	again := req.Clone()
	again.Set(sip.HeaderAuthorization, `Digest username="a"`)
	return again, true
}

// The script's words.

func (s *stage) do(words []string) error {
	verb, args := words[0], words[1:]
	orders := map[string]func([]string) error{
		"invite": s.invite, "incoming": s.incoming, "res": s.response, "timeout": s.lost(sip.EventTimeout), "failure": s.lost(sip.EventFailure),
		"req": s.request, "ack": s.ack, "cancelled": s.cancelled, "expired": s.expired, "wait": s.wait,
		"timers": func([]string) error { s.table.SessionExpires = 0; return nil },
		"auth":   func([]string) error { s.auth = true; return nil },
		"pass":   func([]string) error { s.usage.PassGlare = true; return nil },
		"lost": func(args []string) error {
			id, err := strconv.ParseUint(args[0], 10, 64)
			s.table.HandleEvent(&sip.Event{Kind: sip.EventFlowLost, Engine: s, Flow: sip.Flow{ID: id, Transport: sip.WSS}})
			return err
		},
		"lean":  func([]string) error { s.usage.Lean(); return nil },
		"hurry": func([]string) error { s.table.T1 = time.Millisecond; return nil },
		"info":  s.info, "reply": s.reply,
	}
	if f := orders[verb]; f != nil {
		return f(args)
	}
	return s.order(verb, args)
}

// order gives the owner's orders.
func (s *stage) order(verb string, args []string) error {
	u := s.usage
	text := strings.Join(args, " ")
	status, _ := strconv.Atoi(text)
	switch verb {
	case "cancel":
		return u.Cancel(text)
	case "bye":
		return u.Bye(text)
	case "answer-ack":
		return u.Ack(body(args))
	case "modify":
		return u.Modify(body(args))
	case "fork":
		return u.Fork(text)
	case "update":
		return u.Update(body(args))
	case "provisional":
		status, _ = strconv.Atoi(args[0])
		return u.Provisional(sip.Status(status), body(args[1:]))
	case "answer":
		return u.Answer(body(args))
	case "reject":
		return u.Reject(sip.Status(status))
	case "accept":
		return u.Accept(body(args))
	case "refuse":
		return u.Refuse(sip.Status(status))
	}
	return fmt.Errorf("no such word %q", verb)
}

func body(args []string) Body {
	if len(args) == 0 {
		return Body{}
	}
	return SDP([]byte(args[0]))
}

func (s *stage) invite(args []string) error {
	req := sip.NewRequest(sip.MethodInvite, sip.MustParseURI("sip:bob@example.org"))
	req.Set(sip.HeaderFrom, "<sip:alice@example.com>")
	if len(args) > 0 {
		req.SetBody("application/sdp", []byte(args[0]))
	}
	o := Outgoing{Engine: s, Stripe: 5, Request: req}
	if s.auth {
		o.Auth = s
	}
	u, err := s.table.Invite(o, s)
	s.usage = u
	return err
}

const peerHead = "Via: SIP/2.0/UDP peer.example.com;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nContact: <sip:peer@192.0.2.9>\r\n"

// incoming brings an INVITE; words with a colon are headers, another is the body.
func (s *stage) incoming(args []string) error {
	text := "INVITE sip:alice@192.0.2.1 SIP/2.0\r\n" + peerHead +
		"From: <sip:bob@example.org>;tag=peer\r\nTo: <sip:alice@example.com>\r\nCall-ID: call\r\nCSeq: 10 INVITE\r\n"
	ev := s.event(text, args)
	s.table.Next = sip.EventHandlerFunc(func(ev *sip.Event) {
		u, err := s.table.Incoming(ev, s)
		s.usage = u
		if err != nil {
			s.logf("error: %v", err)
		}
	})
	s.table.HandleEvent(ev)
	return nil
}

// event makes a request event from a head and the words behind it.
func (s *stage) event(text string, args []string) *sip.Event {
	var content string
	var flow sip.Flow
	browser := false
	for _, a := range args {
		if number, ok := strings.CutPrefix(a, "flow:"); ok {
			id, _ := strconv.ParseUint(number, 10, 64)
			flow = sip.Flow{ID: id, Transport: sip.WSS}
			browser = true
			continue
		}
		if name, value, ok := strings.Cut(a, ":"); ok {
			if name == "Contact" {
				browser = false
				continue
			}
			text += name + ": " + strings.ReplaceAll(value, "_", " ") + "\r\n"
			continue
		}
		content = a
	}
	if browser {
		text = strings.Replace(text, "peer@192.0.2.9", "peer@x7.invalid;transport=ws", 1)
	}
	if content != "" {
		text += "Content-Type: application/sdp\r\n"
	}
	text += "Content-Length: " + strconv.Itoa(len(content)) + "\r\n\r\n" + content
	req, err := sip.ParseRequest([]byte(text))
	if err != nil {
		panic(err)
	}
	s.tx++
	return &sip.Event{Kind: sip.EventRequest, Engine: s, Stripe: s.stripe(), Tx: s.tx, Request: req, Flow: flow}
}

func (s *stage) stripe() sip.Stripe {
	if s.usage == nil {
		return 3
	}
	return s.usage.Stripe()
}

// inside makes an event of a request of the peer inside the dialog.
func (s *stage) inside(method string, args []string) *sip.Event {
	id, remote := "id1", "b"
	if s.usage.callee != nil {
		id, remote = "call", "peer"
	}
	local := s.usage.tag
	head := method + " sip:alice@192.0.2.1 SIP/2.0\r\n" + peerHead + "From: <sip:bob@example.org>;tag=" + remote +
		"\r\nTo: <sip:alice@example.com>;tag=" + local + "\r\nCall-ID: " + id + "\r\nCSeq: " + args[0] + " " + method + "\r\n"
	return s.event(head, args[1:])
}

// request is a request of the peer: method, CSeq, headers, body.
func (s *stage) request(args []string) error {
	s.table.HandleEvent(s.inside(args[0], args[1:]))
	return nil
}

func (s *stage) ack(args []string) error {
	ev := s.inside("ACK", args)
	ev.Kind, ev.Tx = sip.EventAck, 0
	s.table.HandleEvent(ev)
	return nil
}

func (s *stage) cancelled(args []string) error {
	tx := slices.Max(slices.Collect(mapKeys(s.owned)))
	ev := s.inside("CANCEL", append([]string{"10"}, args...))
	ev.Kind, ev.Tx = sip.EventCancel, tx
	s.owned[tx].HandleEvent(ev)
	return nil
}

// expired ends the server transaction of the INVITE that the owner leaves unanswered.
func (s *stage) expired([]string) error {
	tx := slices.Max(slices.Collect(mapKeys(s.owned)))
	s.owned[tx].HandleEvent(&sip.Event{Kind: sip.EventTimeout, Tx: tx, Engine: s, Err: sip.ErrTimeout})
	return nil
}

func mapKeys[K comparable, V any](m map[K]V) func(func(K) bool) {
	return func(yield func(K) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// client finds the last client transaction of a method.
func (s *stage) client(method string) (*stageClient, error) {
	for _, c := range slices.Backward(s.clients) {
		if string(c.request.Method) == method {
			return c, nil
		}
	}
	return nil, errors.New("no " + method + " was sent")
}

// response is a response of the peer: method, status, tag, body; words with a colon are headers.
func (s *stage) response(args []string) error {
	c, err := s.client(args[0])
	if err != nil {
		return err
	}
	status, _ := strconv.Atoi(args[1])
	c.request.Set(sip.HeaderVia, "SIP/2.0/UDP a;branch=z9hG4bK0")
	res := c.request.Reply(sip.Status(status))
	args = slices.DeleteFunc(args, func(a string) bool {
		name, value, ok := strings.Cut(a, ":")
		if ok {
			res.AddName(name, strings.ReplaceAll(value, "_", " "))
		}
		return ok
	})
	if len(args) > 2 && args[2] != "-" && res.ToTag() == "" {
		to, _ := res.To()
		res.Set(sip.HeaderTo, to.WithTag(args[2]).String())
		res.Set(sip.HeaderContact, "<sip:bob@"+args[2]+".example.org>")
	}
	if len(args) > 3 {
		res.SetBody("application/sdp", []byte(args[3]))
	}
	c.handler.HandleEvent(&sip.Event{Kind: sip.EventResponse, Engine: s, Stripe: s.stripe(), Tx: c.tx, Response: res, Flow: s.way})
	return nil
}

func (s *stage) lost(kind sip.EventKind) func([]string) error {
	return func(args []string) error {
		c, err := s.client(args[0])
		if err == nil {
			c.handler.HandleEvent(&sip.Event{Kind: kind, Engine: s, Stripe: s.stripe(), Tx: c.tx, Err: sip.ErrTimeout})
		}
		return err
	}
}

// wait lets virtual time pass.
func (s *stage) wait(args []string) error {
	d, err := time.ParseDuration(args[0])
	end := s.now + d
	for {
		var next *stageTimer
		for _, t := range s.timers {
			if !t.stopped && t.at <= end && (next == nil || t.at < next.at) {
				next = t
			}
		}
		if next == nil {
			break
		}
		next.stopped, s.now = true, next.at
		before := len(s.log)
		next.f()
		s.settle()
		for i := before; i < len(s.log); i++ {
			s.log[i] = fmt.Sprintf("%v %s", s.now, s.log[i])
		}
	}
	s.now = end
	return err
}

func (s *stage) info([]string) error {
	req := s.usage.NewRequest(sip.MethodInfo)
	if req == nil {
		return ErrState
	}
	return s.usage.SendRequest(req, func(res *sip.Response, err error) {
		if res == nil {
			s.logf("done: %v", err)
			return
		}
		s.logf("done %d", res.Status)
	})
}

// reply answers the request that the owner keeps.
func (s *stage) reply(args []string) error {
	status, _ := strconv.Atoi(args[0])
	req := s.inside("MESSAGE", []string{"99"}).Request
	return s.usage.Respond(s.keep, s.usage.ReplyTo(req, sip.Status(status)))
}
