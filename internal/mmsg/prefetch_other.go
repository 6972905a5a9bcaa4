//go:build !(amd64 || arm64)

package mmsg

// Fetch does nothing for processors that hubs do not run on.
func Fetch[T any](*T) {}
