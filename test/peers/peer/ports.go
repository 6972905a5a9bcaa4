// Ports that nobody else takes.

package peer

import (
	"errors"
	"net"
	"strconv"
	"testing"
	"time"
)

// The ports of the tests lie below those that the system gives away by itself, so that nobody takes one between the moment it is handed out
// and the moment the program that it is for opens it.
const (
	firstPort = 10000
	lastPort  = 31999
	block     = 64
)

// BlockPorts is how many ports a block has.
const BlockPorts = block - 1

// Ports hands out a block of ports until the test ends: the first, an even number, and the [BlockPorts]-1 behind it, free for UDP and TCP on
// every address of this machine. What keeps others from it is a listener on the last port. The search begins elsewhere every half second, so
// that what is still sent to a program that has gone does not reach the next one.
func Ports(t testing.TB) (first int, err error) {
	const blocks = (lastPort + 1 - firstPort) / block
	start := int(time.Now().UnixMilli() / 500 % blocks)
	for i := range blocks {
		first = firstPort + (start+i)%blocks*block
		guard, err := net.Listen("tcp", addr(first+block-1))
		if err != nil {
			continue
		}
		if !free(first) {
			_ = guard.Close()
			continue
		}
		t.Cleanup(func() { _ = guard.Close() })
		return first, nil
	}
	return 0, errors.New("no free ports for a test")
}

func addr(port int) string { return net.JoinHostPort("", strconv.Itoa(port)) }

// free says whether all ports of a block but its last can be opened.
func free(first int) bool {
	for port := first; port < first+block-1; port++ {
		c, err := net.ListenPacket("udp", addr(port))
		if err != nil {
			return false
		}
		_ = c.Close()
		l, err := net.Listen("tcp", addr(port))
		if err != nil {
			return false
		}
		_ = l.Close()
	}
	return true
}
