package dialog

import (
	"slices"
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/sip"
)

// TestReuse: the memory of a message goes to the next call when the message is repeated no more, and not before: a call that rings for long, and one whose ACK is lost, say the same
// again while others come and go.
func TestReuse(t *testing.T) {
	s := newStage()
	come := func(status sip.Status) *Usage {
		t.Helper()
		if err := s.incoming([]string{"offer"}); err != nil {
			t.Fatal(err)
		}
		if err := s.usage.Provisional(status, Body{}); err != nil {
			t.Fatal(err)
		}
		return s.usage
	}
	rings := come(sip.StatusRinging)
	unacknowledged := come(sip.StatusForwarded)
	if err := unacknowledged.Answer(SDP([]byte("lost"))); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		come(sip.StatusQueued)
		for _, step := range [][]string{{"answer", "answer"}, {"ack", "10"}, {"req", "BYE", "11"}} {
			if err := s.do(step); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.log, s.usage = nil, rings
	if err := s.wait([]string{"65s"}); err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, line := range s.log {
		if _, what, ok := strings.Cut(line, " respond "); ok && !slices.Contains(said, what) {
			said = append(said, what)
		}
	}
	if want := []string{"200 to INVITE 10 [lost]", "180 to INVITE 10"}; !slices.Equal(said, want) {
		t.Errorf("said %q, want %q", said, want)
	}
}
