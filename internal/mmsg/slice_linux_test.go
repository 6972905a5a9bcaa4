package mmsg

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// TestShortenSlice: neither the policy nor the niceness of the thread changes, and the slice is what was asked for where the system knows slices.
func TestShortenSlice(t *testing.T) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		before, err := unix.SchedGetAttr(0, 0)
		if err != nil {
			t.Error(err)
			return
		}
		ShortenSlice()
		after, err := unix.SchedGetAttr(0, 0)
		if err != nil {
			t.Error(err)
			return
		}
		if after.Policy != before.Policy || after.Nice != before.Nice || after.Runtime != before.Runtime && after.Runtime != uint64(slice) {
			t.Errorf("was %+v, is %+v", before, after)
		}
		t.Logf("slice: %d ns, before %d ns", after.Runtime, before.Runtime)
	}()
	<-done
}
