//go:build unix

// Waiting on a TCP connection without a buffer.

package transport

import (
	"io"
	"syscall"
)

const canWaitBare = true

// waitBare waits until the connection is readable and only then takes a buffer.
func (w *byteWire) waitBare(l *Layer) (buf *[]byte, n int, err error) {
	var fault error
	err = w.raw.Read(func(fd uintptr) bool {
		buf = l.buffer()
		for {
			n, fault = syscall.Read(int(fd), *buf)
			if fault != syscall.EINTR {
				break
			}
		}
		if fault == syscall.EAGAIN {
			l.buffers.Put(buf)
			buf = nil
			return false
		}
		return true
	})
	if err == nil {
		err = fault
	}
	if err == nil && n == 0 {
		err = io.EOF
	}
	if err != nil && buf != nil {
		l.buffers.Put(buf)
		buf = nil
	}
	return buf, n, err
}
