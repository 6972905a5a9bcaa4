// Messages as they are heard, one after the other: what can be done with each.

package pbx

import (
	"context"
	"errors"
	"time"

	"github.com/sipwerk/sipwerk/media/prompt"
	"github.com/sipwerk/sipwerk/sip"
)

// messages plays the new or the saved messages of a box.
func (s *visit) messages(ctx context.Context, saved bool) error {
	all, err := s.Messages.List(ctx, s.box.Name())
	if err != nil {
		return errors.Join(err, s.line.Say(ctx, prompt.Text("impossible")))
	}
	var some []Message
	for _, m := range all {
		if m.Saved == saved {
			some = append(some, m)
		}
	}
	for at := 0; ; {
		if at < 0 || at >= len(some) {
			return s.line.Say(ctx, prompt.Text("no-more"))
		}
		step, err := s.message(ctx, &some[at], at+1)
		if err != nil || step == leaveMessages {
			return err
		}
		at += int(step)
	}
}

// step is where to go from a message.
type step int

const (
	sameMessage   step = 0
	nextMessage   step = 1
	formerMessage step = -1
	leaveMessages step = 1 << 20
)

// message plays one message and does what its keys say, until another is to come.
func (s *visit) message(ctx context.Context, m *Message, number int) (step, error) {
	if err := s.line.Say(ctx, s.envelope(m, number)...); err != nil {
		return leaveMessages, err
	}
	if !s.line.dialled() {
		if err := s.hear(ctx, m); err != nil {
			return leaveMessages, err
		}
	}
	for range menuTries {
		key, err := s.line.choose(ctx, "message-menu")
		switch {
		case errors.Is(err, ErrSilent):
			continue
		case err != nil:
			return leaveMessages, err
		}
		to, again, err := s.key(ctx, m, key)
		if err != nil || !again {
			return to, err
		}
	}
	return leaveMessages, nil
}

// envelope says which message it is, from whom and when.
func (s *visit) envelope(m *Message, number int) []prompt.Words {
	words := []prompt.Words{prompt.Text("message"), prompt.Number(number)}
	if dialable(m.From) {
		words = append(words, prompt.Text("from"), prompt.Digits(m.From))
	} else {
		words = append(words, prompt.Text("from-unknown"))
	}
	words = append(words, prompt.When(m.Received, time.Now()))
	if s.deleted[m.ID] {
		words = append(words, prompt.Text("deleted-already"))
	}
	return words
}

// hear plays a message; who has heard it to its end has heard it, and the lamp goes out.
func (s *visit) hear(ctx context.Context, m *Message) error {
	if err := (&clip{m.File}).play(ctx, s.line); err != nil {
		if errors.Is(err, ErrHungUp) {
			return err
		}
		return errors.Join(err, s.line.Say(ctx, prompt.Text("impossible")))
	}
	if s.line.dialled() {
		return nil
	}
	return s.save(ctx, m)
}

// save notes that a message was heard.
func (s *visit) save(ctx context.Context, m *Message) error {
	if m.Saved {
		return nil
	}
	m.Saved = true
	return s.Messages.Save(ctx, *m)
}

// key does what a key says to a message; again is true if it stays.
func (s *visit) key(ctx context.Context, m *Message, key byte) (to step, again bool, err error) {
	say := func(name string) error { return s.line.Say(ctx, prompt.Text(name)) }
	switch key {
	case '3':
		over, err := s.callBack(ctx, m)
		return leaveMessages, !over, err
	case '4':
		return formerMessage, false, nil
	case '5':
		return sameMessage, false, nil
	case '6':
		return nextMessage, false, nil
	case '7':
		if s.deleted[m.ID] = !s.deleted[m.ID]; s.deleted[m.ID] {
			return nextMessage, false, say("deleted-it")
		}
		return sameMessage, true, say("restored-it")
	case '8':
		return sameMessage, true, s.forward(ctx, m)
	case '9':
		delete(s.deleted, m.ID)
		return nextMessage, false, errors.Join(s.save(ctx, m), say("saved-it"))
	case '*', '#':
		return leaveMessages, false, nil
	}
	return sameMessage, true, say("invalid")
}

// forward copies a message into the box of another account of the domain.
func (s *visit) forward(ctx context.Context, m *Message) error {
	l := s.line
	number, err := l.ask(ctx, "forward-to", maxNumber)
	if err != nil || number == "" {
		return err
	}
	box, ok := s.Boxes.Box(sip.URI{Scheme: "sip", User: sip.EscapeUser(number), Host: s.box.Account.Host})
	if !ok {
		return l.Say(ctx, prompt.Text("no-box"))
	}
	if fresh, saved := s.Messages.Count(box.Name()); fresh+saved >= box.MaxMessages {
		return l.Say(ctx, prompt.Text("full"))
	}
	if err := s.Messages.Forward(ctx, *m, &box, s.box.Account.UserName()); err != nil {
		return errors.Join(err, l.Say(ctx, prompt.Text("impossible")))
	}
	return l.Say(ctx, prompt.Text("forwarded"))
}

// callBack sends the line on to whoever left a message: as a transfer, so that every gate of dialling counts. over is true if somebody has answered.
func (s *visit) callBack(ctx context.Context, m *Message) (over bool, err error) {
	l := s.line
	if !dialable(m.From) {
		return false, l.Say(ctx, prompt.Text("no-call-back"))
	}
	if err := l.Say(ctx, prompt.Text("call-back")); err != nil {
		return false, err
	}
	status, err := l.Refer(ctx, sip.URI{Scheme: "sip", User: sip.EscapeUser(m.From), Host: s.box.Account.Host}, l.Ringing())
	switch {
	case err != nil:
		return false, err
	case status.Success():
		return true, nil
	case status == sip.StatusForbidden:
		return false, l.Say(ctx, prompt.Text("forbidden"))
	}
	return false, l.Say(ctx, prompt.Text("unreachable"))
}
