// Messages on a stream, cut anywhere. RFC 3261 §18.3.

package sip

import (
	"errors"
	"strings"
	"testing"
)

// frames are streams and what is in them: the length of the first message, or the status of its refusal.
var frames = []struct {
	name, in string
	n        int
	want     Status
}{
	{"plain", "A\r\nContent-Length: 2\r\n\r\nxyMORE", 26, 0},
	{"compact", "A\r\nl:2\r\n\r\nxyMORE", 12, 0},
	{"blanks", "A\r\nL \t:  0002 \r\n\r\nxy", 20, 0},
	{"folded", "A\r\nContent-Length\r\n :\r\n 2\r\n\r\nxy", 0, 400},
	{"folded value", "A\r\nContent-Length:\r\n 2\r\nX: y\r\n\r\nxy", 34, 0},
	{"fold is no field", "A\r\nX: y\r\n l: 9\r\nl: 0\r\n\r\n", 24, 0},
	{"bare line ends", "A\nl: 1\n\nx", 9, 0},
	{"no length", "A\r\nX: y\r\n\r\n", 11, 400},
	{"negative", "A\r\nl: -1\r\n\r\n", 12, 400},
	{"two numbers", "A\r\nl: 1\r\n 0\r\n\r\n", 15, 400},
	{"twice", "A\r\nl: 1\r\nContent-Length: 1\r\n\r\nx", 30, 400},
	{"disagree", "A\r\nl: 1\r\nContent-Length: 2\r\n\r\nx", 30, 400},
	{"overflow", "A\r\nl: 18446744073709551617\r\n\r\nx", 30, 400},
	{"too long", "A\r\nl: 1000\r\n\r\nx", 14, 513},
	{"header too long", "A\r\nX: " + strings.Repeat("y", 200) + "\r\nl: 0\r\n\r\n", 0, 513},
	{"binary", "\x16\x03\x01", 0, 400},
}

func TestFramer(t *testing.T) {
	for _, c := range frames {
		t.Run(c.name, func(t *testing.T) {
			f := Framer{Limits: FrameLimits{Header: 100, Message: 500}}
			whole, wholeErr := f.Next([]byte(c.in))
			if StatusOf(wholeErr) != c.want && wholeErr != nil || wholeErr == nil && c.want != 0 || c.want == 0 && whole != c.n {
				t.Fatalf("n = %d, %v; want %d, %d", whole, wholeErr, c.n, c.want)
			}
			if c.want != 0 && c.n != 0 && whole != c.n {
				t.Errorf("header part of %d, want %d", whole, c.n)
			}
			g := Framer{Limits: f.Limits}
			for i := range len(c.in) + 1 {
				n, err := g.Next([]byte(c.in[:i]))
				if errors.Is(err, ErrShort) {
					continue
				}
				if n != whole || (err == nil) != (wholeErr == nil) {
					t.Errorf("after %d bytes: %d, %v; at once: %d, %v", i, n, err, whole, wholeErr)
				}
				break
			}
		})
	}
}

func TestFramerNextMessage(t *testing.T) {
	var f Framer
	s := "A\r\nl: 1\r\n\r\nx" + "B\r\nl: 2\r\n\r\nyz" + "C\r\nl: 0\r\n\r\n"
	for _, want := range []int{12, 13, 11} {
		n, err := f.Next([]byte(s))
		if n != want || err != nil {
			t.Fatalf("%d, %v; want %d", n, err, want)
		}
		s = s[n:]
	}
	if _, err := f.Next(nil); !errors.Is(err, ErrShort) {
		t.Errorf("at the end: %v", err)
	}
}

func TestKeepAlive(t *testing.T) {
	for in, want := range map[string]int{"": 0, "\r": 0, "\r\n": 2, "\r\n\r": 2, "\r\n\r\nA": 4, "A\r\n": 0, "\n": 0} {
		if n := KeepAlive([]byte(in)); n != want {
			t.Errorf("%q: %d, want %d", in, n, want)
		}
	}
}
