package relay

import (
	"testing"
	"unsafe"
)

// TestSizes holds what a stream takes: a server has ten thousands of each of these.
func TestSizes(t *testing.T) {
	for name, size := range map[string][2]uintptr{
		"Stream": {unsafe.Sizeof(Stream{}), 768}, "latch": {unsafe.Sizeof(latch{}), 136},
	} {
		if size[0] > size[1] {
			t.Errorf("%s has %d bytes instead of %d: what few calls need belongs behind a pointer", name, size[0], size[1])
		}
	}
}
