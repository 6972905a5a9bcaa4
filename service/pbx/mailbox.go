// The mailbox: its owner hears what was left, from a telephone of the account or, with the PIN, from anywhere.

package pbx

import (
	"context"
	"errors"
	"time"

	"github.com/sipwerk/sipwerk/internal/lockout"
	"github.com/sipwerk/sipwerk/media/prompt"
	"github.com/sipwerk/sipwerk/sip"
)

const (
	pinTries  = 3 // wrong PINs in one call
	minPIN    = 4
	maxPIN    = 16
	maxNumber = 20
	menuTries = 3 // times that a menu is said to somebody who says nothing
	menuWait  = 5 * time.Second
)

// own opens the box of the caller.
func (v *Voicemail) own(ctx context.Context, l *Line) error {
	if box, ok := v.boxOf(l.Account); ok {
		return v.enter(ctx, l, &box)
	}
	return v.anybodys(ctx, l)
}

// boxOf is the box of an account, none for somebody from outside.
func (v *Voicemail) boxOf(account sip.URI) (Box, bool) {
	if account.Host == "" {
		return Box{}, false
	}
	return v.Boxes.Box(account)
}

// anybodys asks whose box is meant.
func (v *Voicemail) anybodys(ctx context.Context, l *Line) error {
	number, err := l.ask(ctx, "box-number", maxNumber)
	if err != nil || number == "" {
		return err
	}
	box, ok := v.Boxes.Box(sip.URI{Scheme: "sip", User: sip.EscapeUser(number), Host: l.To.URI.Host})
	if !ok {
		box = Box{} // asked for its PIN like any other: nobody learns which boxes there are
	}
	return v.open(ctx, l, &box)
}

// ask says a question and reads a row of digits that ends with #.
func (l *Line) ask(ctx context.Context, question string, most int) (string, error) {
	if err := l.Say(ctx, prompt.Text(question)); err != nil {
		return "", err
	}
	digits, err := l.ReadDigits(ctx, Digits{Max: most, First: 2 * menuWait, End: "#"})
	if errors.Is(err, ErrSilent) {
		return "", nil
	}
	return digits, err
}

// open lets somebody in who is the owner, or knows the PIN. The zero box opens to nobody.
func (v *Voicemail) open(ctx context.Context, l *Line, box *Box) error {
	if mine, ok := v.boxOf(l.Account); ok && mine.Name() == box.Name() {
		return v.enter(ctx, l, box)
	}
	l.Language = or(box.Language, l.Language)
	who := lockout.Suspect{Where: box.Name(), Who: l.Account.AOR()} // all from outside are one: a number is easily feigned
	for range pinTries {
		if v.lockout.Locked(who) {
			return l.Say(ctx, prompt.Text("box-locked", "goodbye"))
		}
		pin, err := l.ask(ctx, "box-pin", maxPIN)
		if err != nil {
			return err
		}
		if pin != "" && !v.lockout.Locked(who) && v.opens(box, pin) { // locked by another call meanwhile: no guess more
			v.lockout.Right(who)
			return v.enter(ctx, l, box)
		}
		v.wrong.Add(1)
		if v.lockout.Wrong(who) && v.Log != nil {
			v.Log.Warn("a mailbox is locked after wrong PINs", "box", box.Name(), "by", l.From.URI.String())
		}
		l.Forget()
		if err := l.Say(ctx, prompt.Text("box-wrong")); err != nil {
			return err
		}
	}
	return l.Say(ctx, prompt.Text("goodbye"))
}

// opens compares a PIN, one at a time.
func (v *Voicemail) opens(box *Box, pin string) bool {
	if !box.PIN {
		return false
	}
	v.hashing.Lock()
	defer v.hashing.Unlock()
	return v.Boxes.Opens(box, pin)
}

// visit is somebody in a box.
type visit struct {
	*Voicemail
	line    *Line
	box     *Box
	deleted map[string]bool // messages that go when the visit ends
}

// enter is a visit: what there is, and the menu.
func (v *Voicemail) enter(ctx context.Context, l *Line, box *Box) error {
	l.Language, l.Object = or(box.Language, l.Language), box.Account // who calls back from here does it for the owner
	s := &visit{Voicemail: v, line: l, box: box, deleted: make(map[string]bool)}
	err := s.menu(ctx)
	if gone := s.clear(context.WithoutCancel(ctx)); gone != nil {
		return gone
	}
	return err
}

// clear removes what was deleted in the visit.
func (s *visit) clear(ctx context.Context) error {
	var ids []string
	for id := range s.deleted {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil
	}
	clear(s.deleted)
	return s.Messages.Remove(ctx, s.box.Name(), ids...)
}

// menu is the first menu of a box.
func (s *visit) menu(ctx context.Context) error {
	if err := s.line.Say(ctx, s.summary()...); err != nil {
		return err
	}
	for silent := 0; silent < menuTries; {
		key, err := s.line.choose(ctx, "box-menu")
		switch {
		case errors.Is(err, ErrSilent):
			silent++
			continue
		case err != nil:
			return err
		case key == '#':
			return s.line.Say(ctx, prompt.Text("goodbye"))
		case key == '1' || key == '2':
			err = s.messages(ctx, key == '2')
		case key == '3':
			err = s.greetings(ctx)
		case key == '4':
			err = s.newPIN(ctx)
		case key != '*':
			err = s.line.Say(ctx, prompt.Text("invalid"))
		}
		silent = 0
		if err != nil {
			return err
		}
	}
	return s.line.Say(ctx, prompt.Text("goodbye"))
}

// choose says a menu and returns the key that is pressed.
func (l *Line) choose(ctx context.Context, menu string) (byte, error) {
	if err := l.Say(ctx, prompt.Text(menu)); err != nil {
		return 0, err
	}
	return l.Key(ctx, menuWait)
}

// summary says how many messages there are.
func (s *visit) summary() []prompt.Words {
	fresh, saved := s.Messages.Count(s.box.Name())
	switch {
	case fresh == 0 && saved == 0:
		return []prompt.Words{prompt.Text("nothing")}
	case saved == 0:
		return []prompt.Words{prompt.Text("you-have"), prompt.Count(fresh, "new")}
	case fresh == 0:
		return []prompt.Words{prompt.Text("you-have"), prompt.Count(saved, "saved")}
	}
	return []prompt.Words{prompt.Text("you-have"), prompt.Count(fresh, "new"), prompt.Text("and"), prompt.Count(saved, "saved")}
}

// newPIN asks for a new PIN twice.
func (s *visit) newPIN(ctx context.Context) error {
	l := s.line
	pin, err := l.ask(ctx, "box-choose", maxPIN)
	switch {
	case err != nil || pin == "":
		return err
	case weak(pin, s.box.Account.UserName()):
		return l.Say(ctx, prompt.Text("box-weak"))
	}
	again, err := l.ask(ctx, "box-repeat", maxPIN)
	switch {
	case err != nil:
		return err
	case again != pin:
		return l.Say(ctx, prompt.Text("box-differs"))
	}
	if err := s.Boxes.SetPIN(ctx, s.box, pin); err != nil {
		return errors.Join(err, l.Say(ctx, prompt.Text("impossible")))
	}
	s.box.PIN = true
	return l.Say(ctx, prompt.Text("box-set"))
}

// weak reports whether a PIN is among the first that are guessed: too short, one digit over and over, digits in a row, the number of the box.
func weak(pin, number string) bool {
	if len(pin) < minPIN || pin == number {
		return true
	}
	step := int(pin[1]) - int(pin[0])
	for i := 1; i < len(pin); i++ {
		if int(pin[i])-int(pin[i-1]) != step || step < -1 || step > 1 {
			return false
		}
	}
	return true
}

// greetings lets the owner record what the box says.
func (s *visit) greetings(ctx context.Context) error {
	for silent := 0; silent < menuTries; {
		key, err := s.line.choose(ctx, "greeting-menu")
		switch n := int(key - '1'); {
		case errors.Is(err, ErrSilent):
			silent++
		case err != nil:
			return err
		case key == '*' || key == '#':
			return nil
		case n >= 0 && n < len(Greetings()):
			silent = 0
			if err := s.greeting(ctx, Greetings()[n]); err != nil {
				return err
			}
		default:
			if err := s.line.Say(ctx, prompt.Text("invalid")); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxGreeting is the longest greeting.
const maxGreeting = 2 * time.Minute

// greeting records one greeting.
func (s *visit) greeting(ctx context.Context, g Greeting) error {
	l := s.line
	for range maxTakes {
		take, err := s.Boxes.RecordGreeting(s.box, g, l.Rate())
		if err != nil {
			return s.unstored(ctx, l, err)
		}
		again, err := s.recordGreeting(ctx, g, take)
		if !again || err != nil {
			return err
		}
	}
	return nil
}

// recordGreeting records one take of a greeting, which lasts only if it is kept by a key.
func (s *visit) recordGreeting(ctx context.Context, g Greeting, take Take) (again bool, err error) {
	defer take.Drop()
	l := s.line
	if err := l.Say(ctx, prompt.Text("greeting-record")); err != nil {
		return false, err
	}
	l.Forget()
	if err := l.Play(ctx, l.Beep()); err != nil {
		return false, err
	}
	r, err := l.Record(ctx, take, Limits{Max: maxGreeting, Stop: "#"})
	if err != nil {
		return false, err
	}
	for range maxTakes {
		key, err := l.choose(ctx, "greeting-review")
		switch {
		case errors.Is(err, ErrSilent):
		case err != nil:
			return false, err
		case key == '1':
			if err := take.Keep(ctx, r.Length); err != nil {
				return false, s.unstored(ctx, l, err)
			}
			return false, l.Say(ctx, prompt.Text("greeting-kept"))
		case key == '2':
			if err := (&clip{take.File()}).play(ctx, l); err != nil {
				return false, err
			}
		case key == '3':
			return true, nil
		case key == '4':
			return false, errors.Join(s.Boxes.RemoveGreeting(s.box, g), l.Say(ctx, prompt.Text("greeting-removed")))
		case key == '*':
			return false, nil
		}
	}
	return false, nil
}
