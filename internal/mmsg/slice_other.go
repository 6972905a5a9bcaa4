//go:build !linux

package mmsg

// ShortenSlice does nothing on systems whose scheduler has no slices to be chosen.
func ShortenSlice() {}
