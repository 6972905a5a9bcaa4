package session

import (
	"testing"
	"unsafe"

	"github.com/sipwerk/sipwerk/media/carriage"
)

// TestSizes holds what the media of a call that stands takes: a server has ten thousands of each of these.
func TestSizes(t *testing.T) {
	for name, size := range map[string][2]uintptr{
		"Leg": {unsafe.Sizeof(Leg{}), 240}, "line": {unsafe.Sizeof(line{}), 208}, "said": {unsafe.Sizeof(said{}), 192}, "transport": {unsafe.Sizeof(carriage.Transport{}), 232},
	} {
		if size[0] > size[1] {
			t.Errorf("%s has %d bytes instead of %d: what few calls need belongs behind a pointer", name, size[0], size[1])
		}
	}
}
