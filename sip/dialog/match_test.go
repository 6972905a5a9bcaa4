package dialog

import (
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/sip"
)

// TestMatch: which calls may be replaced. RFC 3891 §3; RFC 3911 §4.
func TestMatch(t *testing.T) {
	answered := []string{"answer answer", "ack 10"}
	confirmed := []string{"res INVITE 200 b answer"}
	for _, tt := range []struct {
		name     string
		begin    string
		steps    []string
		to, from string // the tags of the request; "" takes ours for to
		early    bool
		want     sip.Status
	}{
		{"answered by us", "incoming offer", answered, "", "peer", false, 0},
		{"answered by the peer", "invite offer", confirmed, "", "b", false, 0},
		{"not acknowledged yet", "incoming offer", answered[:1], "", "peer", false, 0},
		{"only if early", "invite offer", confirmed, "", "b", true, sip.StatusBusyHere},
		{"rings at the peer", "invite offer", []string{"res INVITE 180 b"}, "", "b", true, 0},
		{"rings at one of two", "invite offer", []string{"res INVITE 180 b", "res INVITE 180 c"}, "", "c", false, 0},
		{"rings here", "incoming offer", []string{"provisional 180"}, "", "peer", true, sip.StatusCallDoesNotExist},
		{"nobody rings", "invite offer", nil, "", "b", false, sip.StatusCallDoesNotExist},
		{"another peer", "invite offer", confirmed, "", "c", false, sip.StatusCallDoesNotExist},
		{"tags the wrong way round", "invite offer", confirmed, "b", "id2", false, sip.StatusCallDoesNotExist},
		{"ending", "invite offer", append(confirmed[:1:1], "bye"), "", "b", false, sip.StatusDecline},
		{"given up", "invite offer", []string{"res INVITE 180 b", "cancel"}, "", "b", false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage()
			play := append([]string{tt.begin}, tt.steps...)
			for _, step := range play {
				if err := s.do(strings.Fields(step)); err != nil {
					t.Fatal(err)
				}
				s.settle()
			}
			to := tt.to
			if to == "" {
				to = s.usage.tag
			}
			id := s.usage.CallID()
			// The table keeps a call in the stripe that its Call-ID says; the scripts put it elsewhere.
			lane := s.table.lanes[s.usage.Stripe()]
			s.table.lanes[sip.StripeOf(id)] = lane
			calls := 0
			s.table.Match(s, sip.Replaces{CallID: id, ToTag: to, FromTag: tt.from, EarlyOnly: tt.early}, func(u *Usage, status sip.Status) {
				calls++
				if status != tt.want || status == 0 && u != s.usage {
					t.Errorf("%d, want %d", status, tt.want)
				}
			})
			s.settle()
			if calls != 1 {
				t.Errorf("told %d times", calls)
			}
		})
	}
}
