// Drawings as they must be, character by character.

package ladder

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func ExampleLadder() {
	l := Ladder{Hosts: []string{"alice", "bob"}, ASCII: true, Messages: []Message{
		{Time: 0, From: "alice", To: "bob", Text: "INVITE [sdp]"},
		{Time: 20 * time.Millisecond, From: "bob", To: "alice", Text: "180 Ringing (INVITE)", Lost: true},
		{Time: time.Second, From: "bob", Text: "bob thinks"},
		{Time: 2 * time.Second, From: "bob", To: "alice", Text: "200 OK (INVITE) [sdp]"},
	}}
	fmt.Print(l.String())
	// Output:
	//          alice                       bob
	//    0.000 s  |----- INVITE [sdp] ------>|
	//    0.020 s  |x- 180 Ringing (INVITE) --|
	//    1.000 s  |                          | bob thinks
	//    2.000 s  |<- 200 OK (INVITE) [sdp] -|
}

func TestLadderSpansColumns(t *testing.T) {
	l := Ladder{Hosts: []string{"a", "b", "c"}, Messages: []Message{
		{From: "a", To: "c", Text: "OPTIONS"},
		{From: "b", To: "b", Text: "BYE"},
	}}
	rows := strings.Split(l.String(), "\n")
	if want := "   0.000 s  │──────────── OPTIONS ─────────────►│"; rows[1] != want {
		t.Errorf("got  %q\nwant %q", rows[1], want)
	}
	if want := "   0.000 s  │                 │ BYE (to itself) │"; rows[2] != want {
		t.Errorf("got  %q\nwant %q", rows[2], want)
	}
}

func TestEmptyLadder(t *testing.T) {
	if got := new(Ladder).String(); got != "" {
		t.Errorf("got %q, want nothing", got)
	}
}

func TestText(t *testing.T) {
	tests := []struct{ in, want string }{
		{"\r\n\r\n", "keep-alive"},
		{"OPTIONS sip:b SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n", "OPTIONS"},
		{"SIP/2.0 180 \r\nCSeq: 1 INVITE\r\n\r\n", "180 Ringing (INVITE)"},
		{"SIP/2.0 200 Fine\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: 1\r\n\r\nv", "200 Fine (INVITE) [sdp]"},
		{"\x80\x00\x01", "3 bytes"},
	}
	for _, test := range tests {
		if got := Text([]byte(test.in)); got != test.want {
			t.Errorf("Text(%q) = %q, want %q", test.in, got, test.want)
		}
	}
}
