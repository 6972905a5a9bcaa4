// The codes by which people set their forwards at the telephone: what they hear, and when the change is in force. The codes themselves: order.go.

package dial

import (
	"context"
	"fmt"
	"strings"

	"github.com/sipwerk/sipwerk/media/prompt"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/service/pbx"
)

// Desk does what people order at the telephone.
type Desk struct {
	Change func(ctx context.Context, domain, user string, f func(*object.Account) error) error // durable, and in force when it returns
	State  func(domain, user string) *object.Account
	Target func(domain, user, number string) error // judges where an account wants to forward to
}

// Player carries out an order and says what has become of it.
func (d *Desk) Player(o Order) pbx.Player {
	return pbx.PlayerFunc(func(ctx context.Context, l *pbx.Line) error {
		domain, user := l.Account.Host, l.Account.UserName()
		if user == "" {
			return l.Say(ctx, prompt.Text("forbidden"))
		}
		if err := d.CarryOut(ctx, o, domain, user); err != nil {
			if said := l.Say(ctx, prompt.Text("impossible")); said != nil {
				return said
			}
			return fmt.Errorf("%s of %s: %w", o.Name, user, err)
		}
		return l.Say(ctx, words(&o, d.State(domain, user))...)
	})
}

// CarryOut changes the settings of an account.
func (d *Desk) CarryOut(ctx context.Context, o Order, domain, user string) error {
	if o.Verb == Tell {
		return nil
	}
	if o.Verb == TurnOn && !o.Disturbs() {
		if err := d.Target(domain, user, o.Target()); err != nil {
			return err
		}
	}
	return d.Change(ctx, domain, user, func(a *object.Account) error {
		o.Apply(a)
		return nil
	})
}

// words say how an account is set.
func words(o *Order, a *object.Account) []prompt.Words {
	if o.Disturbs() {
		if a.DND {
			return []prompt.Words{prompt.Text("disturb-on")}
		}
		return []prompt.Words{prompt.Text("disturb-off")}
	}
	switch to := o.Forward(a); {
	case to == "":
		return []prompt.Words{prompt.Text("forwarding-off")}
	case strings.Trim(to, "+*#0123456789") == "":
		return []prompt.Words{prompt.Text("forwarding-on"), prompt.Digits(to)}
	case to == "voicemail":
		return []prompt.Words{prompt.Text("forwarding-to-voicemail")}
	}
	return []prompt.Words{prompt.Text("forwarding-to-somebody")} // a name cannot be spoken
}
