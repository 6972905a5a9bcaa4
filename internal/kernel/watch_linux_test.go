//go:build amd64 || arm64

package kernel

import (
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// event is a message of rtnetlink about an interface.
func event(kind uint16, index uint32) []byte {
	b := binary.NativeEndian.AppendUint32(nil, unix.NLMSG_HDRLEN+unix.SizeofIfInfomsg)
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, make([]byte, unix.NLMSG_HDRLEN-len(b)+unix.SizeofIfInfomsg)...)
	binary.NativeEndian.PutUint32(b[unix.NLMSG_HDRLEN+4:], index)
	return b
}

// TestWatchMatters: what happens to interfaces by which no stream goes stops nobody; routes, addresses and what is not understood do.
func TestWatchMatters(t *testing.T) {
	w := &watch{used: make(map[int]bool)}
	w.use(2)
	w.use(3)
	w.keep(map[uint32]link.Link{2: nil})
	for name, c := range map[string]struct {
		b    []byte
		want bool
	}{
		"another's":              {event(unix.RTM_NEWLINK, 7), false},
		"another is gone":        {event(unix.RTM_DELLINK, 7), false},
		"forgotten":              {event(unix.RTM_NEWLINK, 3), false},
		"ours":                   {event(unix.RTM_NEWLINK, 2), true},
		"ours is gone":           {event(unix.RTM_DELLINK, 2), true},
		"ours behind another's":  {slices.Concat(event(unix.RTM_NEWLINK, 7), event(unix.RTM_NEWLINK, 2)), true},
		"a route":                {event(unix.RTM_NEWROUTE, 7), true},
		"an address":             {event(unix.RTM_DELADDR, 7), true},
		"cut":                    {event(unix.RTM_NEWLINK, 7)[:unix.NLMSG_HDRLEN+4], true},
		"nothing":                {nil, true},
		"a message without body": {append([]byte{unix.NLMSG_HDRLEN, 0, 0, 0, unix.RTM_NEWLINK, 0}, make([]byte, 10)...), true},
	} {
		if got := w.matters(c.b); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestWatchBlind: when events can be read no more that is told, and no stream may begin from then on.
func TestWatchBlind(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	write.Close()
	w := &watch{changed: make(chan struct{}, 1), used: make(map[int]bool)}
	w.read(read, w.matters)
	table := &Table{watch: w}
	select {
	case <-table.Changed():
	default:
		t.Error("nobody is told")
	}
	if err := table.Review(); !errors.Is(err, errBlind) {
		t.Errorf("Review returns %v", err)
	}
}

// TestWatchClosed: the end of a table is no fault.
func TestWatchClosed(t *testing.T) {
	w, err := newWatch()
	if err != nil {
		t.Logf("this system allows none: %v", err)
		return
	}
	w.close()
	if w.blind.Load() {
		t.Error("taken for a fault")
	}
}
