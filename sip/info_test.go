package sip

import (
	"strings"
	"testing"
)

func dtmfBodies() map[string]byte {
	return map[string]byte{
		"application/dtmf-relay\nSignal=5\r\nDuration=160\r\n": '5', "application/dtmf-relay\nDuration=160\r\nsignal = *": '*',
		"Application/DTMF-Relay\nSignal=11\n": '#', "application/dtmf\n7": '7', "application/dtmf\n10\r\n": '*',
		"application/dtmf\n": 0, "application/dtmf\n12": 0, "application/dtmf\na": 'A', "application/dtmf\nE": 0, "application/dtmf-relay\n5": 0, "text/plain\n5": 0,
		"application/dtmf\n5" + strings.Repeat(" ", maxDTMF): 0,
	}
}

func TestDTMF(t *testing.T) {
	for text, want := range dtmfBodies() {
		kind, body, _ := strings.Cut(text, "\n")
		req := NewRequest(MethodInfo, MustParseURI("sip:a@b"))
		req.SetBody(kind, []byte(body))
		if got := req.DTMF(); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func FuzzDTMF(f *testing.F) {
	for text := range dtmfBodies() {
		kind, body, _ := strings.Cut(text, "\n")
		f.Add(kind, []byte(body))
	}
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		req := NewRequest(MethodInfo, MustParseURI("sip:a@b"))
		req.SetBody(kind, body)
		if d := req.DTMF(); d != 0 && !strings.ContainsRune("0123456789*#ABCD", rune(d)) {
			t.Errorf("%q", d)
		}
	})
}
