package sdp

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

const fragment = "a=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\nm=audio 9 RTP/AVP 0\r\na=mid:a\r\n" +
	"a=candidate:1 1 UDP 1658497328 198.51.100.33 5000 typ host\r\na=end-of-candidates\r\n"

// TestFragment: RFC 8840 §9.2.
func TestFragment(t *testing.T) {
	d, err := ParseFragment([]byte(fragment))
	if err != nil {
		t.Fatal(err)
	}
	m := &d.Media[0]
	i, ok := d.ICE(m)
	if !ok || m.MID() != "a" || i.Ufrag != "8hhY" || !i.End || len(i.Candidates) != 1 {
		t.Errorf("%+v, %v", i, ok)
	}
	if got := string((&Media{Type: "audio", Proto: "RTP/AVP", Lines: Lines{{'a', "mid:a"}}}).AppendFragment(nil, i)); got != fragment {
		t.Errorf("printed %q", got)
	}
	_, err = ParseFragment([]byte("a=mid:1\r\nnonsense\r\n"))
	if wrong, ok := errors.AsType[*ParseError](err); !ok || wrong.Line != 2 {
		t.Errorf("error %v", err)
	}
	if _, err := ParseFragment([]byte(strings.Repeat("a=candidate:1\r\n", 2000))); err == nil {
		t.Error("one of 30 kB is taken")
	}
}

// FuzzFragment: whatever is read of a fragment is printed so that it is read again.
func FuzzFragment(f *testing.F) {
	f.Add([]byte(fragment))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ParseFragment(b)
		if err != nil {
			return
		}
		for j := range d.Media {
			m := &d.Media[j]
			i, ok := d.ICE(m)
			if !ok || m.MID() == "" {
				continue
			}
			again, err := ParseFragment(m.AppendFragment(nil, i))
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := again.ICE(&again.Media[0]); !ok || got.Ufrag != i.Ufrag || !slices.Equal(got.Candidates, i.Candidates) || got.End != i.End {
				t.Errorf("%+v became %+v", i, got)
			}
		}
	})
}
