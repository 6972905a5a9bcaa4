package conference

import (
	"testing"

	"github.com/sipwerk/sipwerk/sip"
)

func signals() map[string]byte {
	return map[string]byte{
		"application/dtmf-relay\nSignal=5\r\nDuration=160\r\n": '5', "application/dtmf-relay\nDuration=160\r\nsignal = *": '*',
		"Application/DTMF-Relay\nSignal=11\n": '#', "application/dtmf\n7": '7', "application/dtmf\n10\r\n": '*',
		"application/dtmf\n": 0, "application/dtmf\n12": 0, "application/dtmf\nA": 0, "application/dtmf-relay\n5": 0, "text/plain\n5": 0,
	}
}

func TestSignalled(t *testing.T) {
	for text, want := range signals() {
		kind, body := cut(text)
		if got := signalled(kind, []byte(body)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func cut(text string) (kind, body string) {
	for i := range text {
		if text[i] == '\n' {
			return text[:i], text[i+1:]
		}
	}
	return text, ""
}

func FuzzSignalled(f *testing.F) {
	for text := range signals() {
		kind, body := cut(text)
		f.Add(kind, []byte(body))
	}
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		if d := signalled(kind, body); d != 0 && (d < '0' || d > '9') && d != '*' && d != '#' {
			t.Errorf("%q", d)
		}
	})
}

// TestInfo: a telephone that says its digits by INFO passes the gate like another.
func TestInfo(t *testing.T) {
	run(t, func(w *world) {
		pin, _ := newPIN("4711", quick)
		w.set["4000"] = Settings{PIN: pin}
		a := w.phone("alice").dial("4000")
		info := func(kind, body string) (status sip.Status) {
			got := make(chan sip.Status, 1)
			a.usage.Do(func() {
				req := a.usage.NewRequest(sip.MethodInfo)
				req.SetBody(kind, []byte(body))
				_ = a.usage.SendRequest(req, func(res *sip.Response, _ error) { got <- res.Status })
			})
			return <-got
		}
		for _, d := range "4711#" {
			if status := info(signalType, "Signal="+string(d)+"\r\nDuration=100\r\n"); status != 200 {
				t.Fatalf("INFO: %d", status)
			}
		}
		w.Wait(1e9)
		if r := w.focus.live("sip:4000@example.org"); len(r.roster.users) != 1 {
			t.Errorf("%d users", len(r.roster.users))
		}
		if status := info("text/plain", "hello"); status != 415 {
			t.Errorf("INFO of another type: %d", status)
		}
	})
}
