package conference

import (
	"testing"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
)

// TestInfo: a telephone that says its digits by INFO passes the gate like another.
func TestInfo(t *testing.T) {
	run(t, func(w *world) {
		pin, _ := newPIN("4711", quick)
		w.set["4000"] = Settings{PIN: pin}
		a := w.phone("alice").dial("4000")
		got := make(chan sip.Status, 1)
		info := func(kind, body string) (status sip.Status) {
			a.usage.Do(func() {
				req := a.usage.NewRequest(sip.MethodInfo)
				req.SetBody(kind, []byte(body))
				_ = a.usage.SendRequest(req, func(res *sip.Response, _ error) { got <- res.Status })
			})
			return <-got
		}
		for _, d := range "4711#" {
			if status := info("application/dtmf-relay", "Signal="+string(d)+"\r\nDuration=100\r\n"); status != 200 {
				t.Fatalf("INFO: %d", status)
			}
		}
		w.Wait(1e9)
		if r := w.focus.live("sip:4000@example.org"); len(r.roster.users) != 1 {
			t.Errorf("%d users", len(r.roster.users))
		}
		trickle := func(body string) {
			a.usage.Do(func() {
				req := a.usage.NewRequest(sip.MethodInfo)
				description.Trickle(req, []byte(body))
				_ = a.usage.SendRequest(req, func(res *sip.Response, _ error) { got <- res.Status })
			})
		}
		for body, want := range map[string]sip.Status{"a=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=end-of-candidates\r\n": 200, "nothing": 400} {
			if trickle(body); <-got != want {
				t.Errorf("%q is not answered %d", body, want)
			}
		}
		if status := info("text/plain", "hello"); status != 415 {
			t.Errorf("INFO of another type: %d", status)
		}
	})
}
