//go:build unix

// TCP connections without detours: waiting without a buffer, writing without a goroutine.

package transport

import (
	"io"
	"syscall"
)

const canWaitBare = true

// waitBare waits until the connection is readable and only then takes a buffer.
func (w *byteWire) waitBare(l *Layer) (buf *[]byte, n int, err error) {
	if w.readable == nil {
		w.readable = func(fd uintptr) bool { return w.tryRead(l, int(fd)) }
	}
	if err = w.raw.Read(w.readable); err == nil {
		err = w.fault
	}
	buf, n, w.buf, w.fault = w.buf, w.n, nil, nil
	if err == nil && n == 0 {
		err = io.EOF
	}
	if err != nil && buf != nil {
		l.buffers.Put(buf)
		buf = nil
	}
	return buf, n, err
}

// tryRead reads what is there; it is false if nothing is.
func (w *byteWire) tryRead(l *Layer, fd int) bool {
	w.buf = l.buffer()
	for {
		w.n, w.fault = syscall.Read(fd, *w.buf)
		if w.fault != syscall.EINTR {
			break
		}
	}
	if w.fault != syscall.EAGAIN {
		return true
	}
	l.buffers.Put(w.buf)
	w.buf, w.fault = nil, nil
	return false
}

// writeBare writes what the system takes at once and says how much that was. It never waits.
func (w *byteWire) writeBare(b []byte) int {
	if w.writable == nil {
		w.writable = func(fd uintptr) bool {
			w.sent, _ = syscall.Write(int(fd), w.out)
			return true
		}
	}
	w.out, w.sent = b, 0
	_ = w.raw.Write(w.writable) // a fault shows when the rest is written
	w.out = nil
	return max(w.sent, 0)
}
