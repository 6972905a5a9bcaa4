// Voicemail: somebody who did not reach whom they called leaves a message. mailbox.go is the other side, where messages are heard.

package pbx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/internal/lockout"
	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/prompt"
	"github.com/sipwerk/sipwerk/sip"
)

// The features of voicemail.
const (
	Leave     Feature = "voicemail"  // a message is left in the box of an account
	Mailbox   Feature = "mailbox"    // the box of the caller is opened
	MailboxOf Feature = "mailbox-of" // the box of anybody is opened, by its PIN
)

// Voicemail takes messages, and plays them to whom they are for. Fill the exported fields before first use and leave them alone afterwards. Safe for use by many goroutines.
type Voicemail struct {
	Boxes    Boxes
	Messages Messages
	// Account says which account of ours sends a request, zero if none has proved to; it is asked who may watch a lamp (RFC 3842).
	Account func(ev *sip.Event) sip.URI
	// Dial is what opens one's own box, as telephones are told; "": nothing.
	Dial string
	Log  *slog.Logger // nil: nothing is logged

	lockout lockout.Lockout
	wrong   atomic.Uint64 // PINs
	hashing sync.Mutex    // held while a PIN is compared: that takes its time by design
}

// Players are the applications of voicemail, for [PBX.Players].
func (v *Voicemail) Players() map[Feature]Player {
	return map[Feature]Player{Leave: PlayerFunc(v.leave), Mailbox: PlayerFunc(v.own), MailboxOf: PlayerFunc(v.anybodys)}
}

// WrongPINs returns how many wrong PINs there were.
func (v *Voicemail) WrongPINs() uint64 { return v.wrong.Load() }

const (
	// shortest is the shortest message: less is a telephone that is put down.
	shortest = time.Second
	// messageSilence ends a message: whoever says nothing for so long has forgotten to hang up.
	messageSilence = 6 * time.Second
	// maxTakes is how often somebody may record a message again.
	maxTakes = 10
)

// leave is a call to somebody who is not there.
func (v *Voicemail) leave(ctx context.Context, l *Line) error {
	box, ok := v.Boxes.Box(l.Object)
	if !ok {
		return l.Say(ctx, prompt.Text("no-box"))
	}
	l.Language = or(box.Language, l.Language)
	if fresh, saved := v.Messages.Count(box.Name()); fresh+saved >= box.MaxMessages {
		return l.Say(ctx, append(v.speakFor(l, &box), prompt.Text("full"))...)
	}
	if err := v.greet(ctx, l, &box); err != nil {
		return err
	}
	if l.dialled() && l.next() == '*' { // its owner calls from elsewhere
		return v.open(ctx, l, &box)
	}
	l.Forget()
	return v.take(ctx, l, &box)
}

// greetingFor is the greeting for the reason why a call was not answered.
func greetingFor(cause sip.Status) Greeting {
	switch cause {
	case sip.StatusBusyHere, sip.StatusBusyEverywhere:
		return GreetBusy
	case sip.StatusMovedTemporarily, sip.StatusMovedPermanently:
		return GreetAway
	}
	return GreetUnavailable
}

// greet says why nobody is there, and what to do. A digit ends it.
func (v *Voicemail) greet(ctx context.Context, l *Line, box *Box) error {
	if own := v.recorded(box, greetingFor(l.Cause)); own != nil {
		return own.play(ctx, l)
	}
	if name := v.recorded(box, GreetName); name != nil {
		if err := name.play(ctx, l); err != nil || l.dialled() {
			return err
		}
		return l.Say(ctx, prompt.Text(string(greetingFor(l.Cause)), "leave"))
	}
	return l.Say(ctx, append(v.speakFor(l, box), prompt.Text("leave"))...)
}

// speakFor says who is not there, by number if they have one that can be said, and why.
func (v *Voicemail) speakFor(l *Line, box *Box) []prompt.Words {
	who := []prompt.Words{prompt.Text("somebody")}
	if user := box.Account.UserName(); dialable(user) {
		who = []prompt.Words{prompt.Text("extension"), prompt.Digits(user)}
	}
	return append(who, prompt.Text(string(greetingFor(l.Cause))))
}

// dialable reports whether a name can be dialled on a keypad.
func dialable(name string) bool {
	for _, c := range name {
		if (c < '0' || c > '9') && c != '+' && c != '*' && c != '#' {
			return false
		}
	}
	return name != ""
}

// take records a message until its caller is content, or has hung up.
func (v *Voicemail) take(ctx context.Context, l *Line, box *Box) error {
	m := Message{Box: box.Name(), From: l.Number(), FromName: l.From.Name(), Received: time.Now()}
	if l.Anonymous() {
		m.FromName = ""
	}
	for range maxTakes {
		take, err := v.Messages.Record(ctx, m, l.Rate())
		if err != nil {
			return v.unstored(ctx, l, err)
		}
		again, err := v.record(ctx, l, box, take)
		if !again || err != nil {
			return err
		}
	}
	return nil
}

// record records one take and keeps it; again is true if the caller wants another in its place.
func (v *Voicemail) record(ctx context.Context, l *Line, box *Box, take Take) (again bool, err error) {
	defer take.Drop()
	if err := l.Play(ctx, l.Beep()); err != nil {
		return false, err
	}
	r, err := l.Record(ctx, take, Limits{Max: box.MaxLength, Silence: messageSilence, Stop: "#"})
	gone := errors.Is(err, ErrHungUp)
	switch {
	case err != nil && !gone:
		return false, v.unstored(ctx, l, err)
	case r.Length < shortest && (gone || r.Silence):
		return false, err
	case r.Length < shortest:
		return true, l.Say(ctx, prompt.Text("short"))
	}
	if !gone && r.Digit != 0 {
		if again, err = l.review(ctx, take.File(), "review"); again {
			return true, err
		}
		gone = err != nil
	}
	// Whoever has hung up has said what they wanted to say: the end of the call is not that of the message.
	if err := take.Keep(context.WithoutCancel(ctx), r.Length); err != nil {
		return false, v.unstored(ctx, l, err)
	}
	if gone {
		return false, ErrHungUp
	}
	return false, l.Say(ctx, prompt.Text("stored", "goodbye"))
}

// unstored tells somebody that the message is lost: better than to let them believe that it is not.
func (v *Voicemail) unstored(ctx context.Context, l *Line, err error) error {
	return errors.Join(fmt.Errorf("pbx: record a message: %w", err), l.Say(ctx, prompt.Text("unstored")))
}

// review lets somebody hear what they have recorded: 1 keeps it, 2 plays it, 3 records it again. Who dials nothing keeps it.
func (l *Line) review(ctx context.Context, file, question string) (again bool, err error) {
	for range maxTakes {
		if err := l.Say(ctx, prompt.Text(question)); err != nil {
			return false, err
		}
		key, err := l.Key(ctx, 5*time.Second)
		switch {
		case err == ErrSilent || key == '1' || key == '#':
			return false, nil
		case err != nil:
			return false, err
		case key == '2':
			if err := (&clip{file}).play(ctx, l); err != nil {
				return false, err
			}
		case key == '3':
			return true, nil
		}
	}
	return false, nil
}

// clip is a WAV file to play.
type clip struct{ file string }

// recorded is a greeting of the owner's own, nil if there is none.
func (v *Voicemail) recorded(box *Box, g Greeting) *clip {
	if file, ok := v.Boxes.Greeting(box, g); ok {
		return &clip{file}
	}
	return nil
}

// play plays a file as [Line.Play] does.
func (c *clip) play(ctx context.Context, l *Line) error {
	f, err := os.Open(c.file)
	if err != nil {
		return fmt.Errorf("pbx: play: %w", err)
	}
	defer f.Close()
	r, err := audio.NewWAVReader(f)
	if err != nil {
		return fmt.Errorf("pbx: play %s: %w", c.file, err)
	}
	s, err := audio.AtRate(r, r.Rate(), l.Rate())
	if err != nil {
		return fmt.Errorf("pbx: play %s: %w", c.file, err)
	}
	return l.Play(ctx, s)
}
