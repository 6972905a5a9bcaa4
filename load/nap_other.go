//go:build !linux

// Sleeping where there is nothing finer than the runtime's timers.

package load

import "time"

// Nap sleeps as exactly as the system lets it.
func Nap(d time.Duration) { time.Sleep(d) }
