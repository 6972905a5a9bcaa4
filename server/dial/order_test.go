package dial

import (
	"strings"
	"testing"
)

func TestOrders(t *testing.T) {
	for dialled, want := range map[string]string{
		"*21*200#": "21 0 200", "*21*+49170#": "21 0 +49170", "*21": "21 0 ", "*61*200": "61 0 200", "#21#": "21 1 ", "#62": "62 1 ", "*#67#": "67 2 ", "*26": "26 0 ", "*26#": "26 0 ", "#26": "26 1 ",
		"forward-busy": "67 0 ", "Do-Not-Disturb": "26 0 ",
	} {
		o, ok := ReadOrder(dialled)
		if got := strings.Join([]string{o.Digits, string('0' + rune(o.Verb)), o.Number}, " "); !ok || got != want {
			t.Errorf("%s: %q, want %q", dialled, got, want)
		}
	}
	for _, dialled := range []string{"", "*", "#", "*#", "200", "*43", "*22*1", "*26*1", "#21*1#", "*21*", "**21", "21"} {
		if o, ok := ReadOrder(dialled); ok {
			t.Errorf("%q: %+v", dialled, o)
		}
	}
}
