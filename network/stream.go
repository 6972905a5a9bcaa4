// Streams that can do more than net.Conn promises.

package network

import (
	"net"
	"sync"
)

// Stream is a TCP connection of [OS] where the system allows it. One goroutine reads; writers take turns.
type Stream interface {
	net.Conn
	// Await reads into a buffer, a *[]byte that it takes from a pool and leaves to the caller; in the poller it waits without one. After an error buf is nil.
	Await(pool *sync.Pool) (buf *[]byte, n int, err error)
	// TryWrite writes what the system takes at once, which may be nothing. A fault shows at the next Write.
	TryWrite(b []byte) (n int)
	// TryRead is for the reader, and reads what has come, which may be nothing. An end or a fault shows at the next Read. b is not empty.
	TryRead(b []byte) (n int)
	// Block lets reads block their thread instead of waiting in the runtime's poller: a third of the cost for a connection on which something comes all the time.
	// It is for the reader, between two reads, and what is said of the readers of [Network.ListenPacket] holds. After a second of silence the connection goes back to
	// the poller; then, or when it is closed, done is called. It reports whether it could be done.
	Block(done func()) bool
}
