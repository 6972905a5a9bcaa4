//go:build linux && (amd64 || arm64)

// When a datagram arrived. socket(7), SIOCGSTAMP.

package mmsg

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sioGetStampNano is SIOCGSTAMPNS of 64-bit systems: _IOR(0x89, 0x07, long long[2]).
const sioGetStampNano = 0x80108907

// Waited is how long the datagram received last lay in the socket, 0 if the system does not tell. The first call lets the system note the times from then on. It
// is for the goroutine that receives.
func (c *Conn) Waited(now time.Time) time.Duration {
	if c.raw != nil {
		return 0
	}
	c.use.RLock()
	defer c.use.RUnlock()
	var at unix.Timespec
	if c.closed.Load() {
		return 0
	}
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(c.fd), sioGetStampNano, uintptr(unsafe.Pointer(&at))); errno != 0 {
		return 0
	}
	return max(0, now.Sub(time.Unix(at.Sec, at.Nsec)))
}
