// The night switch: opening hours that are opened and closed by hand at a telephone. *48 and the code of the hours changes between what the times say and the opposite of that, so that one
// key does; *48CODE*1 opens, *48CODE*2 closes, #48CODE goes by the times again, and *#48CODE tells.

package dial

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sipwerk/sipwerk/media/prompt"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/service/pbx"
)

// NightCode is what stands before the code of the hours, and NightName a user part that means the same without one.
const (
	NightCode = "*48"
	NightName = "night-switch"
)

// What [object.Hours.State] may be.
const (
	hoursAuto   = "auto"
	hoursOpen   = "open"
	hoursClosed = "closed"
)

// NightOrder is what somebody has dialled with the code.
type NightOrder struct {
	Code  string // of the hours; "": none was dialled
	Tell  bool   // nothing changes
	State string // as it is to be; "": the other way round
}

// ReadNight reads what was dialled; ok is false if it is nothing of the kind.
func ReadNight(dialled string) (o NightOrder, ok bool) {
	s, digits := strings.TrimSuffix(dialled, "#"), NightCode[1:]
	switch {
	case strings.HasPrefix(s, "*#"+digits):
		o.Tell, s = true, s[2+len(digits):]
	case strings.HasPrefix(s, "#"+digits):
		o.State, s = hoursAuto, s[1+len(digits):]
	case strings.HasPrefix(s, NightCode):
		s = s[len(NightCode):]
	default:
		return NightOrder{Tell: true}, strings.EqualFold(s, NightName)
	}
	code, state, more := strings.Cut(s, "*")
	if more {
		if o.Tell || o.State != "" {
			return NightOrder{}, false
		}
		if o.State = map[string]string{"0": hoursAuto, "1": hoursOpen, "2": hoursClosed}[state]; o.State == "" {
			return NightOrder{}, false
		}
	}
	o.Code = code
	return o, strings.Trim(code, "0123456789") == ""
}

// HoursOf are the hours that have a code; nil if none have.
func HoursOf(set *object.Settings, code string) *object.Hours {
	for _, h := range set.Hours {
		if h.Code == code && code != "" {
			return h
		}
	}
	return nil
}

// Night switches hours by telephone.
type Night struct {
	Settings func(domain string) *object.Settings
	Open     func(domain, hours string) bool // now
	Times    func(domain, hours string) bool // as the times say now, whatever was done by hand
	// Change lets f change hours as they stand in the store, durable, and in force when it returns; [ErrNoHours] if there are none of that name any more.
	Change func(ctx context.Context, domain, hours string, f func(*object.Hours) error) error
}

// ErrNoHours says that no hours have the code.
var ErrNoHours = errors.New("no hours have this code; see sipwerk hours set --code")

// errNotEntitled says that an account may not switch hours.
var errNotEntitled = errors.New("may not switch these hours; see sipwerk hours set --switch-by")

// Player carries out an order and says what has become of it.
func (n *Night) Player(o NightOrder) pbx.Player {
	return pbx.PlayerFunc(func(ctx context.Context, l *pbx.Line) error {
		domain, user := l.Account.Host, l.Account.UserName()
		err := n.CarryOut(ctx, o, domain, user)
		switch {
		case errors.Is(err, errNotEntitled):
			return l.Say(ctx, prompt.Text("forbidden"))
		case errors.Is(err, ErrNoHours):
			return l.Say(ctx, prompt.Text("impossible"))
		case err != nil:
			return errors.Join(l.Say(ctx, prompt.Text("impossible")), fmt.Errorf("night switch %s of %s: %w", o.Code, user, err))
		}
		how, why := n.words(domain, o.Code)
		return l.Say(ctx, prompt.Text(how), prompt.Text(why))
	})
}

// CarryOut does what somebody has ordered who is an account of the domain. Whoever may not switch may ask.
func (n *Night) CarryOut(ctx context.Context, o NightOrder, domain, user string) error {
	if user == "" {
		return errNotEntitled
	}
	h := HoursOf(n.Settings(domain), o.Code)
	switch {
	case h == nil:
		return ErrNoHours
	case o.Tell:
		return nil
	}
	return n.Change(ctx, domain, h.Name, func(h *object.Hours) error { // two who switch at once see what the other has done
		switch {
		case h.Code != o.Code:
			return ErrNoHours
		case !slices.Contains(h.SwitchBy, user) && !slices.Contains(h.SwitchBy, "*"):
			return fmt.Errorf("%s %w", user, errNotEntitled)
		case o.State != "":
			h.State = o.State
		default:
			h.State = opposite(h, n.Times(domain, h.Name))
		}
		return nil
	})
}

// opposite is what a key does: hours that go by the times become the opposite of what these say, and those that were set by hand go by the times.
func opposite(h *object.Hours, byTimes bool) string {
	switch {
	case h.State == hoursOpen || h.State == hoursClosed:
		return hoursAuto
	case byTimes:
		return hoursClosed
	}
	return hoursOpen
}

// words are the texts that say how things stand.
func (n *Night) words(domain, code string) (how, why string) {
	h := HoursOf(n.Settings(domain), code)
	how, why = "hours-closed", "hours-times"
	if h == nil || n.Open(domain, h.Name) { // hours that have gone meanwhile close nothing
		how = "hours-open"
	}
	if h != nil && (h.State == hoursOpen || h.State == hoursClosed) {
		why = "hours-hand"
	}
	return how, why
}
