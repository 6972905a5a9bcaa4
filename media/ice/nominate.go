package ice

// Which pair carries media, and whether the peer still wants it. RFC 8445 §8, RFC 7675 §5.

import (
	"net/netip"
	"time"

	"github.com/pion/stun/v4"
)

// consent is that of the selected pair.
type consent struct {
	id   [stun.TransactionIDSize]byte
	open bool      // a request waits for its answer
	due  time.Time // of the next request; zero: none is due
	last time.Time // when the peer agreed last
}

const (
	consentPace = 5 * time.Second  // between two requests, give or take a fifth: RFC 7675 §5.1
	consentEnd  = 30 * time.Second // after so long without an answer nothing may be sent: RFC 7675 §5.1
)

// vigil is a row of the peer's checks over the selected pair. One that asks for consent makes a check every 4 to 6 s as long as it is there; others end with the nomination, check again when a
// candidate turns up, or keep the ports of a translator open, which takes no more than one every 15 s. RFC 7675 §5.1, RFC 8445 §11.
type vigil struct {
	id          [stun.TransactionIDSize]byte // of the last
	first, last time.Time
	since       time.Time // the last description of the peer came then; zero: none did
	gaps        bool      // the peer was there all the same when a row had ended
	asked       bool      // a row was that of consent, before the last description of the peer
}

const (
	vigilGap  = 15 * time.Second // a longer one ends a row: two lost checks of consent may be
	vigilTime = 15 * time.Second // so long a row is no chance
)

// note takes a check; one that is sent again counts once.
func (v *vigil) note(now time.Time, r request) {
	if r.id == v.id {
		return
	}
	if v.pause(now); now.Sub(v.last) >= vigilGap {
		v.first = now
	}
	v.id, v.last = r.id, now
}

// pause takes note that the peer is there, whether or not it checks.
func (v *vigil) pause(now time.Time) {
	from := v.last
	if from.IsZero() {
		from = v.since
	}
	if !from.IsZero() && now.Sub(from) >= vigilGap {
		v.gaps, v.first = true, v.last
	}
}

// renew begins again with a description of the peer: who goes on after it need not be who checked before. What the peer was seen to do stays as long as it has not begun anew (RFC 8445 §9).
func (v *vigil) renew(now time.Time) {
	*v = vigil{since: now, gaps: v.gaps && !v.steady(), asked: v.asked || v.steady()}
}

// steady tells whether the row is, or was to the end, that of consent: three checks at least, for the gaps are shorter than the whole.
func (v *vigil) steady() bool { return v.last.Sub(v.first) >= vigilTime }

// habit is what the row shows.
func (v *vigil) habit() Habit {
	switch {
	case v.steady():
		return Steady
	case v.gaps:
		return Seldom
	case v.asked:
		return Former
	}
	return Unknown
}

// A Habit is whether the peer goes on to check the chosen way, as one does that asks for consent: such a peer is gone when its checks stop, while another may have nothing to say. RFC 7675 §5.1.
type Habit uint8

// The habits.
const (
	Unknown Habit = iota // it has not been there for long
	Former               // it went on until its last description, and has not been there for long since
	Seldom               // it was there without checks
	Steady               // it goes on
)

// nominate takes the choice of the controlling side. A peer of RFC 5245 that nominates all it checks means the best of them, one that moves to
// another network means the last.
func (a *agenda) nominate(now time.Time, p *pair) {
	switch {
	case a.selected == p:
		return
	case a.selected == nil:
		a.first = now
	case now.Sub(a.first) < flux && a.order(p) <= a.order(a.selected):
		return
	}
	a.selected = p
	a.news.selected = p.remote
	a.consent = consent{last: now}
	if !a.lite {
		a.consent.due = now.Add(a.spread())
	}
}

// spread is how long until the next request of consent.
func (a *agenda) spread() time.Duration {
	var b [1]byte
	a.draw(b[:])
	return consentPace*4/5 + consentPace*2/5*time.Duration(b[0])/256
}

// candidateToChoose returns the best pair that works; nil: there is none, or a choice is under way.
func (a *agenda) candidateToChoose() *pair {
	for _, p := range a.pairs {
		if p.state == running && p.check.choose {
			return nil
		}
	}
	return a.best(func(p *pair) bool { return p.state == succeeded })
}

// choose nominates, if that is up to us and the time has come: nothing better is to be expected, or has not come in time. RFC 8445 §8.1.1.
func (a *agenda) choose(now time.Time) {
	if !a.controlling || a.selected != nil {
		return
	}
	p := a.candidateToChoose()
	if p == nil {
		return
	}
	better := a.best(func(o *pair) bool { return (o.state == waiting || o.state == running) && a.order(o) > a.order(p) })
	if better == nil && a.complete || !now.Before(a.first.Add(settling)) {
		a.start(now, p, true)
	}
}

// refresh asks the peer whether it still wants packets. RFC 7675 §5.1.
func (a *agenda) refresh(now time.Time) {
	if a.selected == nil || a.consent.due.IsZero() || now.Before(a.consent.due) {
		return
	}
	if now.Sub(a.consent.last) >= consentEnd {
		a.consent = consent{}
		a.news.failed = ErrConsent
		return
	}
	a.draw(a.consent.id[:])
	a.consent.open = true
	a.consent.due = now.Add(a.spread())
	if end := a.consent.last.Add(consentEnd); a.consent.due.After(end) {
		a.consent.due = end
	}
	a.out = append(a.out, datagram{a.selected.remote, a.request(a.consent.id, false)})
}

// consented takes the answer of the selected pair.
func (a *agenda) consented(now time.Time, b []byte, from netip.AddrPort) {
	if r, ok := readResponse(b, a.remote.Pwd); ok && r.code == 0 && from == a.selected.remote {
		a.consent.last, a.consent.open = now, false
		a.permit(a.selected)
	}
}
