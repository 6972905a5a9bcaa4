// Call back when free: somebody is called back as soon as whom they could not reach is free, and connected then. The same brings any two together (click to dial).

package pbx

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/internal/journal"
	"github.com/sipwerk/sipwerk/media/prompt"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
)

// The features of call backs.
const (
	CallBack       Feature = "call-back"        // asks to be called back when the last one called in vain is free
	CallBackCancel Feature = "call-back-cancel" // takes that back
)

// callbackNumbers are the numbers of call backs.
func callbackNumbers() []Number {
	return []Number{
		{Feature: CallBack, Dial: "*37", Names: []string{"call-back"}, Description: "calls you back when the one is free whom you have just called in vain"},
		{Feature: CallBackCancel, Dial: "*38", Names: []string{"call-back-cancel"}, Description: "does not call you back"},
	}
}

// Default values of [Callbacks].
const (
	DefaultCallbackTime   = 45 * time.Minute // as for completion of calls in ISDN (ETS 300 359-1)
	DefaultCallbackMisses = 10_000
	DefaultCallbackWishes = 5
	callbackPause         = 3 * time.Second // after the end of a call: who has put the receiver down wants to breathe
	callbackRetry         = time.Minute     // between two looks, and after one who wants to be called back did not answer
	callbackTries         = 3
	missKept              = 30 * time.Minute // how long it is known whom somebody has called in vain
	maxCallee             = 1024             // bytes of an address that is remembered: what comes from outside must fill neither memory nor journal
)

// Callbacks remembers who could not be reached, and calls back. Fill the exported fields before first use and leave them alone afterwards; all of them must be set, but those with a
// default. Safe for use by many goroutines.
type Callbacks struct {
	PBX   *PBX   // makes the calls
	Lamps *Lamps // has [Callbacks.Changed] as listener
	// Reachable reports whether somebody, called by the name of the lamp, has a telephone that can ring.
	Reachable func(name string) bool
	// Resolve returns the account that an address means; ok is false for whoever is none of ours, and cannot be watched.
	Resolve func(uri sip.URI) (account sip.URI, ok bool)
	Time    time.Duration // how long a wish lasts; 0: DefaultCallbackTime
	Wishes  int           // of one account at once; 0: DefaultCallbackWishes. The oldest makes room
	Journal string        // file that keeps the wishes over a restart; "": nothing does

	mu      sync.Mutex // guards what follows
	misses  map[string]miss
	wishes  []*wish // the oldest first
	journal *journal.Journal[wishRecord]
}

// miss is the last call of an account that came to nothing.
type miss struct {
	callee sip.Address
	at     time.Time
	rang   bool // it was not answered; otherwise it was busy
}

// wish is somebody who wants to be called back.
type wish struct {
	caller, callee string // names of their lamps
	shown          sip.Address
	rang           bool // the callee did not answer: it is waited for a sign of life, the end of a call
	tries          int
	until          time.Time
	calling        bool
	timer          *time.Timer // its end
	poll           *time.Timer // that a telephone has registered nobody tells, and who was busy is called again
}

// ObserveCall notes whom somebody has called in vain: it belongs to the observers of a B2BUA.
func (k *Callbacks) ObserveCall(d *b2bua.Detail) {
	if d.Phase != b2bua.Ended || d.Caller.Host == "" {
		return
	}
	rang, vain := inVain(d)
	to, ok := calleeOf(d.To)
	if !ok || !vain {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.misses == nil {
		k.misses = make(map[string]miss)
	}
	if len(k.misses) >= DefaultCallbackMisses {
		k.sweepLocked()
	}
	if len(k.misses) < DefaultCallbackMisses {
		k.misses[d.Caller.AOR()] = miss{sip.Address{URI: to}, time.Now(), rang}
	}
}

// calleeOf is the address that was called without what names nobody, parameters and headers; ok is false if it is none, or too long.
func calleeOf(called string) (uri sip.URI, ok bool) {
	uri, err := sip.ParseURI(called)
	if err != nil {
		return uri, false
	}
	uri.Headers = ""
	if _, gruu := uri.GRUU(); uri.IsSIP() && !gruu {
		kind, _ := uri.Param("user")
		if uri.Params = ""; kind != "" {
			uri.Params = uri.Params.With("user", kind) // says how the user part is read
		}
	}
	return uri.Clone(), len(uri.String()) <= maxCallee
}

// inVain reports whether the one who was called could not be reached, and whether their telephone has rung: that the voicemail has answered is another matter.
func inVain(d *b2bua.Detail) (rang, vain bool) {
	if len(d.Steps) > 0 && d.Steps[0].Status != sip.StatusOK {
		return d.Steps[0].Miss == b2bua.NoAnswer, d.Steps[0].Miss == b2bua.Busy || d.Steps[0].Miss == b2bua.NoAnswer
	}
	switch d.Status {
	case sip.StatusBusyHere, sip.StatusBusyEverywhere:
		return false, true
	case sip.StatusTemporarilyUnavailable, sip.StatusRequestTimeout, sip.StatusRequestTerminated:
		return true, d.Answer.IsZero()
	}
	return false, false
}

// sweepLocked forgets what is old.
func (k *Callbacks) sweepLocked() {
	for name, m := range k.misses {
		if time.Since(m.at) > missKept {
			delete(k.misses, name)
		}
	}
}

// Players returns the applications, for [PBX.Players].
func (k *Callbacks) Players() map[Feature]Player {
	return map[Feature]Player{CallBack: PlayerFunc(k.playWish), CallBackCancel: PlayerFunc(k.playCancel)}
}

// playWish takes a wish by telephone.
func (k *Callbacks) playWish(ctx context.Context, l *Line) error {
	if l.Account.Host == "" || !k.Wish(l.Account.AOR()) {
		return l.Say(ctx, prompt.Text("callback-none"))
	}
	return l.Say(ctx, prompt.Text("callback-set"))
}

// playCancel takes it back.
func (k *Callbacks) playCancel(ctx context.Context, l *Line) error {
	if l.Account.Host == "" || k.Cancel(l.Account.AOR()) == 0 {
		return l.Say(ctx, prompt.Text("callback-none"))
	}
	return l.Say(ctx, prompt.Text("callback-cancelled"))
}

// Wish asks to call somebody back when the last one whom they have called in vain is free. It reports whether there is one who can be watched: an account of ours.
func (k *Callbacks) Wish(caller string) bool {
	k.mu.Lock()
	m, ok := k.misses[caller]
	delete(k.misses, caller)
	if !ok || time.Since(m.at) > missKept {
		k.mu.Unlock()
		return false
	}
	account, known := k.Resolve(m.callee.URI)
	w := &wish{caller: caller, callee: account.AOR(), shown: m.callee, rang: m.rang, until: time.Now().Add(or(k.Time, DefaultCallbackTime))}
	if !known || w.callee == caller {
		k.mu.Unlock()
		return false
	}
	k.addLocked(w)
	k.mu.Unlock()
	k.look(w.callee)
	return true
}

// addLocked enters a wish; one for the same callee is renewed.
func (k *Callbacks) addLocked(w *wish) {
	own := 0
	for _, other := range slices.Backward(k.wishes) {
		if other.caller != w.caller {
			continue
		}
		if own++; other.callee == w.callee || own >= or(k.Wishes, DefaultCallbackWishes) {
			k.dropLocked(other)
		}
	}
	k.noteLocked(w, false)
	k.startLocked(w)
}

// startLocked lets a wish run: from now on it is looked at, and ends in time.
func (k *Callbacks) startLocked(w *wish) {
	w.timer = time.AfterFunc(time.Until(w.until), func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.dropLocked(w)
	})
	w.poll = time.AfterFunc(callbackRetry, func() { k.again(w) })
	k.wishes = append(k.wishes, w)
}

// again looks from time to time.
func (k *Callbacks) again(w *wish) {
	k.look(w.callee)
	k.mu.Lock()
	defer k.mu.Unlock()
	if slices.Contains(k.wishes, w) {
		w.poll.Reset(callbackRetry)
	}
}

// dropLocked forgets a wish.
func (k *Callbacks) dropLocked(w *wish) {
	w.timer.Stop()
	w.poll.Stop()
	k.wishes = slices.DeleteFunc(k.wishes, func(o *wish) bool { return o == w })
	k.noteLocked(w, true)
}

// Cancel takes back all wishes of somebody, and returns how many there were.
func (k *Callbacks) Cancel(caller string) (n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, w := range slices.Clone(k.wishes) {
		if w.caller == caller {
			k.dropLocked(w)
			n++
		}
	}
	return n
}

// Len returns how many want to be called back.
func (k *Callbacks) Len() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.wishes)
}

// Changed is told how many calls a lamp shows: it belongs to the listeners of [Lamps].
func (k *Callbacks) Changed(name string, calls int) {
	if calls > 0 {
		return
	}
	k.mu.Lock()
	waited := false
	for _, w := range k.wishes {
		if w.callee == name {
			if waited = true; w.rang {
				w.rang = false // a sign of life
				k.noteLocked(w, false)
			}
		}
		waited = waited || w.caller == name
	}
	k.mu.Unlock()
	if waited {
		time.AfterFunc(callbackPause, func() { k.look(name) })
	}
}

// look calls back those who wait for somebody, or who were busy themselves, the oldest first: one at a time for each callee.
func (k *Callbacks) look(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	taken := make(map[string]bool)
	for _, w := range k.wishes {
		taken[w.callee] = taken[w.callee] || w.calling
	}
	for _, w := range slices.Clone(k.wishes) {
		if (w.callee != name && w.caller != name) || w.calling || w.rang || taken[w.callee] || !k.free(w.callee) || !k.free(w.caller) {
			continue
		}
		taken[w.callee] = true
		k.callLocked(w)
	}
}

// free reports whether somebody is in no call, and can be called.
func (k *Callbacks) free(name string) bool { return k.Lamps.Calls(name) == 0 && k.Reachable(name) }

// callLocked calls one back. What cannot be called now, because the server stops or has too much to do, is called later.
func (k *Callbacks) callLocked(w *wish) {
	caller, err := sip.ParseURI(w.caller)
	if err != nil {
		k.dropLocked(w)
		return
	}
	err = k.PBX.Call(Outgoing{Feature: CallBack, To: caller, From: w.shown, Player: connect(w.shown.URI), Done: func(status sip.Status) { k.called(w, status) }})
	w.calling = err == nil
}

// called takes what became of a call back: who has answered is served; who has not is called again some time later, a few times.
func (k *Callbacks) called(w *wish, status sip.Status) {
	k.mu.Lock()
	defer k.mu.Unlock()
	w.calling = false
	if !slices.Contains(k.wishes, w) {
		return
	}
	if w.tries++; status.Success() || w.tries >= callbackTries {
		k.dropLocked(w)
		return
	}
	k.noteLocked(w, false)
}

// connect is the player that passes whoever has answered on to somebody.
func connect(to sip.URI) Player {
	return PlayerFunc(func(ctx context.Context, l *Line) error {
		status, err := l.Refer(ctx, to, l.Ringing())
		if err != nil || status.Success() {
			return err
		}
		word := "unreachable"
		if status == sip.StatusBusyHere || status == sip.StatusBusyEverywhere {
			word = "busy"
		}
		return l.Say(ctx, prompt.Text(word))
	})
}

// Connect calls an account and connects it, when it has answered, to somebody, as if it had dialled that (click to dial). done is told whether the account has answered.
func (p *PBX) Connect(account sip.URI, to sip.Address, done func(sip.Status)) error {
	return p.Call(Outgoing{Feature: ClickToDial, To: account, From: to, Player: connect(to.URI), Done: done})
}
