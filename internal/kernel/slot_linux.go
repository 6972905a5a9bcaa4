//go:build linux && (amd64 || arm64)

// What the kernel knows of a stream: a row of memory that it shares with us.

package kernel

import (
	"encoding/binary"
	"net/netip"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/sipwerk/sipwerk/media/rtp"
)

// keySize is how long two addresses and two ports are, as a packet has them.
const keySize = 12

// slot is a way. The first half is ours to write, before the state is on; the second half is the program's from then on. Both fill whole cache lines.
type slot struct {
	state      uint32
	in, out    uint32 // interfaces; out 0: this machine
	limit      uint32 // longest IP packet
	key, next  [keySize]byte
	source     [4]byte // SSRC, as a packet has it
	clock      uint32
	epoch      uint64 // by the clock of the system
	addressSum uint32 // what is added to the checksum of UDP for new addresses, and for new ports
	portSum    uint32

	packets, bytes, last uint64
	transit              int64
	jitter, maxJitter    uint64
	highest, timestamp   uint32
	_                    uint64
}

// Offsets for the program.
const (
	slotState      = int16(unsafe.Offsetof(slot{}.state))
	slotIn         = int16(unsafe.Offsetof(slot{}.in))
	slotOut        = int16(unsafe.Offsetof(slot{}.out))
	slotLimit      = int16(unsafe.Offsetof(slot{}.limit))
	slotKey        = int16(unsafe.Offsetof(slot{}.key))
	slotNext       = int16(unsafe.Offsetof(slot{}.next))
	slotSource     = int16(unsafe.Offsetof(slot{}.source))
	slotClock      = int16(unsafe.Offsetof(slot{}.clock))
	slotEpoch      = int16(unsafe.Offsetof(slot{}.epoch))
	slotAddressSum = int16(unsafe.Offsetof(slot{}.addressSum))
	slotPortSum    = int16(unsafe.Offsetof(slot{}.portSum))
	slotPackets    = int32(unsafe.Offsetof(slot{}.packets))
	slotBytes      = int32(unsafe.Offsetof(slot{}.bytes))
	slotLast       = int16(unsafe.Offsetof(slot{}.last))
	slotTransit    = int16(unsafe.Offsetof(slot{}.transit))
	slotJitter     = int16(unsafe.Offsetof(slot{}.jitter))
	slotMaxJitter  = int16(unsafe.Offsetof(slot{}.maxJitter))
	slotHighest    = int16(unsafe.Offsetof(slot{}.highest))
	slotTimestamp  = int16(unsafe.Offsetof(slot{}.timestamp))
	slotSize       = uint32(unsafe.Sizeof(slot{}))
)

// The states of a slot.
const (
	stateOff  = iota // nobody's, or stopped: packets go to the sockets
	stateHeld        // somebody's, not begun
	stateOn
)

// hold takes a slot for a new owner, for whom nothing is counted: what the former one has had is not asked for any more.
func (s *slot) hold() {
	for _, total := range [...]*uint64{&s.packets, &s.bytes, &s.last} {
		atomic.StoreUint64(total, 0)
	}
	atomic.StoreUint32(&s.state, stateHeld)
}

// fill writes w into a slot that is held.
func (s *slot) fill(w *Way, r *route, t *clock) {
	s.in, s.out, s.limit = r.in, r.out, r.limit
	s.key, s.next = keyOf(w.From, w.At), keyOf(w.Via, w.To)
	binary.BigEndian.PutUint32(s.source[:], w.Standing.SSRC)
	s.clock, s.epoch = w.Clock, t.system(w.Standing.Epoch)
	s.addressSum, s.portSum = difference(s.key[:8], s.next[:8]), difference(s.key[8:], s.next[8:])
	s.transit, s.jitter, s.maxJitter = w.Standing.Transit, w.Standing.Jitter, w.Standing.MaxJitter
	s.highest, s.timestamp = w.Standing.Highest, w.Standing.Timestamp
}

// count reads what the program has written. It writes on meanwhile: the figures are of one packet or the next. Before the first one the rest may be about to be filled, and is not looked at.
func (s *slot) count(t *clock) Count {
	packets := atomic.LoadUint64(&s.packets)
	if packets == 0 {
		return Count{}
	}
	return Count{
		Packets: packets, Bytes: atomic.LoadUint64(&s.bytes),
		Standing: rtp.Standing{
			SSRC: binary.BigEndian.Uint32(s.source[:]), Highest: atomic.LoadUint32(&s.highest), Timestamp: atomic.LoadUint32(&s.timestamp),
			Epoch: t.ours(s.epoch), Transit: atomic.LoadInt64(&s.transit), Jitter: atomic.LoadUint64(&s.jitter), MaxJitter: atomic.LoadUint64(&s.maxJitter),
			Last: t.ours(atomic.LoadUint64(&s.last)),
		},
	}
}

// keyOf is what a packet from one address to another begins with, behind the first twelve bytes of its IP header.
func keyOf(from, to netip.AddrPort) (k [keySize]byte) {
	a, b := from.Addr().As4(), to.Addr().As4()
	copy(k[:], a[:])
	copy(k[4:], b[:])
	binary.BigEndian.PutUint16(k[8:], from.Port())
	binary.BigEndian.PutUint16(k[10:], to.Port())
	return k
}

// difference is what is to be added to a checksum when one row of words takes the place of another.
func difference(from, to []byte) (sum uint32) {
	for i := 0; i < len(from); i += 2 {
		sum += uint32(^binary.NativeEndian.Uint16(from[i:])) + uint32(binary.NativeEndian.Uint16(to[i:]))
	}
	return sum
}

// clock turns times of ours into those of the system, and back.
type clock struct {
	at    time.Time
	ticks uint64 // CLOCK_MONOTONIC at at, in ns
}

func (c *clock) system(t time.Time) uint64   { return c.ticks + uint64(t.Sub(c.at)) }
func (c *clock) ours(ticks uint64) time.Time { return c.at.Add(time.Duration(ticks - c.ticks)) }
