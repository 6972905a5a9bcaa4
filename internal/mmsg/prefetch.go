//go:build amd64 || arm64

package mmsg

import "unsafe"

// cacheLine is how much the processor fetches at once.
const cacheLine = 64

// Fetch tells the processor that *p will be needed soon. It waits for nothing and reads nothing as far as the program is concerned: *p may be guarded by a mutex that is not held.
func Fetch[T any](p *T) {
	for at := uintptr(unsafe.Pointer(p)) &^ (cacheLine - 1); at < uintptr(unsafe.Pointer(p))+unsafe.Sizeof(*p); at += cacheLine {
		prefetch(at)
	}
}

func prefetch(at uintptr)
