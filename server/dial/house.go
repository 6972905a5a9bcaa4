// What the numbers of a domain stand for, as its dial plan asks.

package dial

import (
	"strings"

	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/service/dialplan"
)

// House implements [dialplan.House]: the objects are a snapshot, accounts and rooms those that there are.
type House struct {
	Set      *object.Settings
	Accounts Accounts                 // nil: nobody
	Features Features                 // nil: none
	Carries  func(domain string) bool // whether a trunk leads outside; nil: those that are set and enabled do
	Numbers  []Number                 // of the house, to be explained
	World    *World                   // nil: no server runs
}

// Place implements [dialplan.House]. People come first.
func (h *House) Place(number string) (dialplan.Place, bool) {
	if box, ok := strings.CutPrefix(number, string(dialplan.KindMailbox)+":"); ok {
		_, has := h.Set.Mailboxes[box]
		return dialplan.Place{Kind: dialplan.KindMailbox, Name: box}, has
	}
	if h.Accounts != nil {
		if account, ok := h.Accounts.Account(h.Set.Domain, number); ok {
			return dialplan.Place{Kind: dialplan.KindAccount, Name: account, Account: h.account(account)}, true
		}
	}
	switch o := h.Set.Number(number).(type) {
	case *object.Group:
		return dialplan.Place{Kind: dialplan.KindGroup, Name: number, Group: groupOf(o)}, true
	case *object.Queue:
		return dialplan.Place{Kind: dialplan.KindQueue, Name: number}, true
	case *object.Menu:
		return dialplan.Place{Kind: dialplan.KindMenu, Name: number}, true
	case *object.Room:
		return dialplan.Place{Kind: dialplan.KindRoom, Name: number}, true
	case *object.Page:
		return dialplan.Place{Kind: dialplan.KindPage, Name: number}, true
	}
	if h.Features.has(number) {
		return dialplan.Place{Kind: dialplan.KindFeature, Name: number}, true
	}
	return dialplan.Place{}, false
}

// HasTrunk implements [dialplan.House].
func (h *House) HasTrunk() bool {
	if h.Carries != nil {
		return h.Carries(h.Set.Domain)
	}
	for _, t := range h.Set.Trunks {
		if t.Enabled {
			return true
		}
	}
	return false
}

// account are the settings of an account, as the plan knows them.
func (h *House) account(user string) *dialplan.Account {
	a, _ := h.Set.Account(user)
	_, box := h.Set.Mailboxes[user]
	return &dialplan.Account{
		ForwardAlways: a.ForwardAlways, ForwardBusy: a.ForwardBusy, ForwardNoAnswer: a.ForwardNoAnswer, ForwardOffline: a.ForwardOffline, RingTime: a.RingTime.D(), DND: a.DND,
		Mailbox: box, CallerID: a.CallerID, HideCallerID: a.HideCallerID, OneCall: !a.CallWaiting, MaxCalls: a.MaxCalls, Minutes: a.MinutesADay, Countries: a.Countries,
		NightLock: dialplan.Lock(a.NightLock),
	}
}

func groupOf(g *object.Group) *dialplan.Group {
	return &dialplan.Group{Members: g.Members, Strategy: dialplan.Strategy(g.Strategy), RingTime: g.RingTime.D(), Otherwise: g.Otherwise}
}
