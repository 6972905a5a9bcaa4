//go:build !unix

// Systems without a way to wait on a TCP connection without a buffer read one byte first, and write from a goroutine.

package transport

import "errors"

const canWaitBare = false

func (w *byteWire) waitBare(*Layer) (*[]byte, int, error) {
	return nil, 0, errors.ErrUnsupported
}

func (w *byteWire) writeBare([]byte) int { return 0 }
