package b2bua

import (
	"testing"
	"unsafe"
)

// TestSizes holds what a call that stands takes: a server has ten thousands of each of these.
func TestSizes(t *testing.T) {
	for name, size := range map[string][2]uintptr{
		"call": {unsafe.Sizeof(call{}), 1144}, "leg": {unsafe.Sizeof(leg{}), 408},
	} {
		if size[0] > size[1] {
			t.Errorf("%s has %d bytes instead of %d: what few calls need belongs behind a pointer", name, size[0], size[1])
		}
	}
}
