package rtp

// The jitter buffer: packets go in as they arrive and come out in order at the pace of the listener; one that is missing
// when its turn comes is reported lost, to be concealed. When it runs dry it fills again, so that a late burst is played
// later rather than thrown away; what this costs in delay is won back packet by packet when the network is calm.

// Sizes of a [Jitter], in packets.
const (
	jitterSize  = 128 // slots, a power of two; more than jitterReach plus jitterLimit
	jitterReach = 64  // how far from the next packet one may be to be believed
	jitterLimit = 32  // of Min and Max
)

// Defaults of a [Jitter], in packets.
const (
	defaultMinDelay = 2
	defaultMaxDelay = 10
)

// adaptWindow is how many packets are looked at before the delay is made shorter: 5 s at 20 ms.
const adaptWindow = 250

// A Playout says what [Jitter.Pop] brought.
type Playout uint8

// The kinds of playout.
const (
	Waiting Playout = iota // nothing to play: the buffer fills, or the sender pauses
	Played                 // the next packet
	Lost                   // the next packet did not come; later ones are there
)

// A Jitter is a jitter buffer for one stream. The zero value adapts its delay between 2 and 10 packets. It has no clock:
// Put is called for each packet that arrives and Pop for each that is due. One goroutine at a time.
type Jitter struct {
	// Min and Max limit how many packets are held before they are played; 0 means 2 and 10. At most 32.
	Min, Max int

	slots   [jitterSize]jitterSlot
	buffers [][]byte // of payloads: as many as were held at a time
	free    []uint8  // those that hold nothing, the last one what was popped last
	held    int
	ssrc    uint32
	started bool
	playing bool
	popped  bool   // since started
	next    uint16 // to play
	restart uint32 // the number behind a wild one
	delay   int    // packets to hold before playing
	waited  int    // calls of Pop since the buffer began to fill
	paused  int    // calls of Pop since it ran dry

	window  int  // packets played in this window
	least   int  // held in this window
	trouble bool // a packet came late in this window

	statistics JitterStatistics
}

// jitterSlot is where one packet waits, small because most slots wait in vain.
type jitterSlot struct {
	state       slotState
	marker      bool
	payloadType uint8
	buffer      uint8 // index of its payload
	sequence    uint16
	timestamp   uint32
}

type slotState uint8

const (
	slotEmpty slotState = iota
	slotFull
	slotDone // sequence tells which packet was here
)

// JitterStatistics are totals of a [Jitter].
type JitterStatistics struct {
	Played     uint64
	Lost       uint64 // reported as lost
	Late       uint64 // came after their turn
	Duplicates uint64
	Dropped    uint64 // left out to shorten the delay
	Delay      int    // packets it holds before it begins to play
}

// Statistics returns the totals.
func (j *Jitter) Statistics() JitterStatistics {
	s := j.statistics
	s.Delay = j.delay
	return s
}

// Put takes a packet and copies header and payload. It reports false if the packet is late, a duplicate, or wild.
func (j *Jitter) Put(p *Packet) bool {
	if !j.started || p.SSRC != j.ssrc {
		j.begin(p)
	}
	d := int(int16(p.Sequence - j.next))
	if d <= -jitterReach || d >= jitterReach {
		// Two consecutive wild ones are a new numbering: RFC 3550 §A.1.
		if uint32(p.Sequence) != j.restart {
			j.restart = uint32(p.Sequence + 1)
			return false
		}
		j.begin(p)
		d = 0
	}
	slot := &j.slots[p.Sequence%jitterSize]
	if slot.state != slotEmpty && slot.sequence == p.Sequence {
		j.statistics.Duplicates++
		return false
	}
	if d < 0 {
		if j.popped || -d >= j.delay {
			j.late()
			return false
		}
		j.next = p.Sequence // the first two have overtaken each other
	}
	if slot.state == slotFull {
		j.free = append(j.free, slot.buffer) // of a numbering long gone
		j.held--
	}
	*slot = jitterSlot{state: slotFull, marker: p.Marker, payloadType: p.PayloadType, buffer: j.keep(p.Payload), sequence: p.Sequence, timestamp: p.Timestamp}
	j.held++
	return true
}

// keep copies a payload and returns where.
func (j *Jitter) keep(payload []byte) uint8 {
	n := len(j.free)
	if n == 0 {
		j.buffers = append(j.buffers, append([]byte(nil), payload...))
		return uint8(len(j.buffers) - 1)
	}
	i := j.free[n-1]
	j.free = j.free[:n-1]
	j.buffers[i] = append(j.buffers[i][:0], payload...)
	return i
}

// packet returns what a slot holds, or held before anything else was put.
func (j *Jitter) packet(slot *jitterSlot) Packet {
	h := Header{Marker: slot.marker, PayloadType: slot.payloadType, Sequence: slot.sequence, Timestamp: slot.timestamp, SSRC: j.ssrc}
	return Packet{Header: h, Payload: j.buffers[slot.buffer]}
}

// begin forgets the stream that was and starts with p.
func (j *Jitter) begin(p *Packet) {
	j.free = j.free[:0]
	for i := range j.buffers {
		j.free = append(j.free, uint8(i))
	}
	for i := range j.slots {
		j.slots[i].state = slotEmpty
	}
	j.held, j.ssrc, j.started, j.playing, j.popped = 0, p.SSRC, true, false, false
	j.next, j.restart, j.waited, j.paused = p.Sequence, noRestart, 0, 0
	j.delay = min(max(j.delay, j.minDelay()), j.maxDelay())
	j.resetWindow()
}

func (j *Jitter) late() {
	j.statistics.Late++
	if j.popped {
		j.lengthen()
	}
}

func (j *Jitter) lengthen() {
	j.trouble = true
	j.delay = min(j.delay+1, j.maxDelay())
}

// Pop returns the packet that is due. Its payload is valid until the next call of Put.
func (j *Jitter) Pop() (Packet, Playout) {
	if !j.playing && !j.ready() {
		return Packet{}, Waiting
	}
	if j.held == 0 {
		j.playing, j.waited, j.paused = false, 0, 1
		return Packet{}, Waiting
	}
	j.adapt()
	slot := j.take()
	if slot == nil {
		j.statistics.Lost++
		return Packet{}, Lost
	}
	j.statistics.Played++
	return j.packet(slot), Played
}

// Next returns the packet that the next call of Pop would bring, if it is there: after a lost one, the one behind it. Its payload is valid until the next
// call of Put.
func (j *Jitter) Next() (Packet, bool) {
	slot := &j.slots[j.next%jitterSize]
	if !j.playing || slot.state != slotFull {
		return Packet{}, false
	}
	return j.packet(slot), true
}

// take moves on to the next packet and returns its slot, nil if it is missing.
func (j *Jitter) take() *jitterSlot {
	slot := &j.slots[j.next%jitterSize]
	j.next++
	j.popped = true
	if slot.state != slotFull {
		return nil
	}
	slot.state = slotDone
	j.free = append(j.free, slot.buffer)
	j.held--
	return slot
}

// ready decides whether a filling buffer begins to play: enough is held, or the first packet has waited its time.
func (j *Jitter) ready() bool {
	if j.held == 0 {
		j.paused++
		return false
	}
	if j.waited == 0 && j.popped && j.paused <= j.maxDelay() {
		j.lengthen() // that was no pause of the speaker, the packets were late
	}
	if j.waited++; j.held < j.delay && j.waited < j.delay {
		return false
	}
	for j.slots[j.next%jitterSize].state != slotFull {
		j.next++ // what is missing before the first packet is not waited for
		if j.popped {
			j.statistics.Lost++
		}
	}
	j.playing = true
	j.resetWindow()
	return true
}

// adapt shortens the delay once a window if nothing came late in it, and drops a packet if more were held throughout
// than the delay asks for.
func (j *Jitter) adapt() {
	j.least = min(j.least, j.held)
	if j.window++; j.window < adaptWindow {
		return
	}
	if !j.trouble {
		j.delay = max(j.delay-1, j.minDelay())
	}
	if j.least > j.delay {
		j.take()
		j.statistics.Dropped++
	}
	j.resetWindow()
}

func (j *Jitter) resetWindow() { j.window, j.least, j.trouble = 0, jitterSize, false }

func (j *Jitter) minDelay() int {
	if j.Min <= 0 {
		return defaultMinDelay
	}
	return min(j.Min, jitterLimit)
}

func (j *Jitter) maxDelay() int {
	if j.Max <= 0 {
		return max(defaultMaxDelay, j.minDelay())
	}
	return max(min(j.Max, jitterLimit), j.minDelay())
}
