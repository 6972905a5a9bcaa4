// Package telephone has the commands that are telephones: `sipwerk call` calls, or waits for a call, plays, records, dials digits, and says how it went; `sipwerk watch` shows the lamps.
package telephone

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/phone"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/digest"
)

// The exit codes of `call` beside those of every command.
const (
	exitRefused  = 3
	exitNoAnswer = 4
	exitLost     = 5
)

// callFlags are the flags of `call`.
type callFlags struct {
	login
	listen, stun, play, record, both, digits, media string
	duration, ring                                  time.Duration
	answer, echo, json, ladder, trace               bool
}

// program is the terminal with the commands of this folder.
type program struct{ *terminal.Terminal }

// NewCall is `sipwerk call`.
func NewCall(t *terminal.Terminal) *cobra.Command {
	p := &program{t}
	var f callFlags
	c := &cobra.Command{
		Use:   "call [URI]",
		Short: p.Text("Make a call, or wait for one"),
		Long: p.Text("Calls a URI, or a number at the server, shows how it goes, and hangs up when what was to be played, dialled or measured is done, or after --duration; without any of these " +
			"when the other side hangs up, or at Ctrl-C. With --answer it registers, waits for one call and answers it.\n" +
			"Exit codes: 0 answered and ended; 1 not started (a file, the network, a registration); 2 the command line; 3 refused; 4 nobody answered in time; 5 answered, then lost."),
		Example: terminal.Examples("sipwerk call sip:bob@192.0.2.7", "sipwerk call echo --user alice@example.org --password secret --measure-echo",
			"sipwerk call 100 --user alice@example.org --server 'sip:192.0.2.1;transport=tcp' --play hello.wav --record answer.wav --ladder",
			"sipwerk call --answer --user bob@example.org --record message.wav --duration 1m --json"),
		Args: func(_ *cobra.Command, args []string) error {
			if f.answer {
				return p.Exactly()(nil, args)
			}
			return p.Exactly("URI")(nil, args)
		},
	}
	f.define(p, c)
	c.RunE = func(c *cobra.Command, args []string) error {
		ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		return p.call(ctx, &f, strings.Join(args, ""))
	}
	return c
}

func (f *callFlags) define(p *program, c *cobra.Command) {
	s := c.Flags()
	f.login.define(p, c, p.Text("where requests go: a host or a SIP URI; otherwise the domain of who is called"))
	s.StringVar(&f.listen, "listen", "", p.Text("where to listen, such as udp://:5060; otherwise any port"))
	s.StringVar(&f.media, "media", "plain", p.Text("how the sound goes: plain, opportunistic, sdes, dtls or webrtc; of calls made, for a caller decides that itself"))
	s.StringVar(&f.stun, "stun", "", p.Text("STUN server that tells how we are seen from outside, as address:port; with --media webrtc"))
	s.StringVar(&f.play, "play", "", p.Text("WAV or Ogg-Opus file to play"))
	s.StringVar(&f.record, "record", "", p.Text("WAV file to record into"))
	s.StringVar(&f.both, "record-both", "", p.Text("stereo file to record both sides into: .wav, or .opus where the system has libopus"))
	s.StringVar(&f.digits, "send-digits", "", p.Text("digits to send when the call is answered"))
	s.DurationVar(&f.duration, "duration", 0, p.Text("hang up so long after the answer"))
	s.DurationVar(&f.ring, "ring", time.Minute, p.Text("how long to wait for the answer"))
	s.BoolVar(&f.answer, "answer", false, p.Text("wait for a call and answer it"))
	s.BoolVar(&f.echo, "measure-echo", false, p.Text("speak to someone who says it back, and measure delay and loss"))
	s.BoolVar(&f.json, "json", false, p.Text("write JSON"))
	s.BoolVar(&f.ladder, "ladder", false, p.Text("draw who said what to whom at the end"))
	s.BoolVar(&f.trace, "trace", false, p.Text("write every message to standard error"))
}

// outcome is what `call` says at the end.
type outcome struct {
	URI        string           `json:"uri"`
	Result     string           `json:"result"` // ended, refused, no answer, lost, failed
	Status     int              `json:"status,omitempty"`
	Reason     string           `json:"reason,omitempty"`
	Statistics phone.Statistics `json:"statistics"`
	Echo       *phone.Echo      `json:"echo,omitempty"`
	code       int
	problem    string // one sentence, "" if there is none
}

// call makes one call from the first request to the last line.
func (p *program) call(ctx context.Context, f *callFlags, uri string) error {
	r := &recorder{start: time.Now()}
	if f.trace {
		r.copy = p.Err
	}
	ph, err := p.telephone(f, r)
	if err != nil {
		return err
	}
	show := newProgress(p, f.json)
	o := p.converse(ctx, &conversation{flags: f, phone: ph, show: show, uri: uri})
	show.end()
	if err := ph.Close(); err != nil {
		return err
	}
	return p.conclude(f, o, r)
}

// conclude prints the outcome and turns it into the exit code.
func (p *program) conclude(f *callFlags, o outcome, r *recorder) error {
	if f.json {
		if err := json.NewEncoder(p.Out).Encode(o); err != nil {
			return err
		}
	} else if o.Statistics.Duration > 0 {
		p.Printf("ended after %s, loss %s, jitter %s\n", terminal.Clock(o.Statistics.Duration), terminal.Percent(o.Statistics.Loss()), milliseconds(o.Statistics.Jitter))
		switch e := o.Echo; {
		case e == nil:
		case e.Heard():
			p.Printf("echo after %s, loss %s, dropouts %d\n", milliseconds(e.Delay), terminal.Percent(e.Loss), e.Dropouts)
		default:
			p.Printf("no echo came back\n")
		}
	}
	if f.ladder {
		io.WriteString(p.Out, r.ladder().String())
	}
	if o.problem == "" {
		return nil
	}
	io.WriteString(p.Err, "sipwerk: "+o.problem+"\n")
	return terminal.ExitError(o.code)
}

// telephone makes the phone that the flags describe.
func (p *program) telephone(f *callFlags, r *recorder) (*phone.Phone, error) {
	ph := &phone.Phone{URI: callerURI(f.user, f.server), Password: f.password, Outbound: sipURI(f.server), Trace: r.take, Registers: f.answer && f.user != "",
		Log: slog.New(slog.NewTextHandler(p.Err, &slog.HandlerOptions{Level: slog.LevelError + 1}))}
	if !strings.Contains(f.user, "@") {
		ph.Realm = digest.AnyRealm // the password was given for this server, whatever it calls itself
	}
	if v, ok := p.Env("SIPWERK_PASSWORD"); ok && f.password == "" && f.user != "" {
		ph.Password = v
	}
	var err error
	if ph.Media, err = session.ParseKind(f.media); err != nil {
		return nil, p.Errorf("--media: %q is no way for sound to go; write plain, opportunistic, sdes, dtls or webrtc", f.media)
	}
	if f.stun != "" {
		server, err := netip.ParseAddrPort(f.stun)
		if err != nil {
			return nil, p.Errorf("--stun: %q is no address with a port; write one such as 192.0.2.1:3478", f.stun)
		}
		ph.STUN = []netip.AddrPort{server}
	}
	if f.listen != "" {
		ph.Listen = strings.Split(f.listen, ",")
	}
	if ph.TLS, err = p.Authority(f.authority); err != nil {
		return nil, err
	}
	if f.play != "" {
		if _, err := os.Stat(f.play); err != nil {
			return nil, err
		}
	}
	return ph, nil
}

// sipURI completes what people write: user@domain, a host.
func sipURI(s string) string {
	if s == "" || strings.HasPrefix(s, "sip:") || strings.HasPrefix(s, "sips:") {
		return s
	}
	return "sip:" + s
}

// judge turns the end of a call into an outcome.
func (p *program) judge(uri string, c *phone.Call, err error) outcome {
	o := outcome{URI: uri, Result: "ended"}
	if c != nil {
		o.Statistics = c.Statistics()
	}
	status, known := errors.AsType[sip.Status](err)
	switch {
	case err == nil:
		return o
	case errors.Is(err, phone.ErrLost):
		o.Result, o.code, o.problem = "lost", exitLost, p.Text("the connection to %s was lost during the call", uri)
	case errors.Is(err, phone.ErrUnreachable):
		o.Result, o.code, o.problem = "failed", terminal.ExitFailed, p.Text("%s cannot be reached: %s", uri, err.Error())
	case errors.Is(err, context.Canceled):
		o.Result, o.code, o.problem = "no answer", exitNoAnswer, p.Text("the call to %s was given up", uri)
	case errors.Is(err, context.DeadlineExceeded), status == sip.StatusRequestTimeout, status == sip.StatusRequestTerminated:
		o.Result, o.code, o.problem = "no answer", exitNoAnswer, p.Text("%s did not answer in time", uri)
	case known:
		o.Result, o.code, o.problem = "refused", exitRefused, p.refusal(uri, status)
	default:
		o.Result, o.code, o.problem = "failed", terminal.ExitFailed, err.Error()
	}
	if known {
		o.Status, o.Reason = int(status), status.Reason()
	}
	return o
}

// refusal is the sentence about a status.
func (p *program) refusal(uri string, status sip.Status) string {
	why := status.Error()
	switch status {
	case sip.StatusBusyHere, sip.StatusBusyEverywhere:
		return p.Text("%s is busy (%s)", uri, why)
	case sip.StatusDecline:
		return p.Text("%s does not want to talk (%s)", uri, why)
	case sip.StatusNotFound, sip.StatusDoesNotExistAnywhere, sip.StatusGone:
		return p.Text("%s does not exist (%s)", uri, why)
	case sip.StatusTemporarilyUnavailable:
		return p.Text("%s cannot be reached now (%s)", uri, why)
	case sip.StatusUnauthorized, sip.StatusProxyAuthRequired, sip.StatusForbidden:
		return p.Text("the server does not accept user and password for %s (%s)", uri, why)
	case sip.StatusNotAcceptableHere:
		return p.Text("%s speaks no codec of ours (%s)", uri, why)
	}
	return p.Text("%s refused the call (%s)", uri, why)
}
