package srtp

// What is remembered of one sender: the roll-over counter, and which packets were seen. RFC 3711 §3.3.1 to RFC 3711 §3.3.2.

// maxSources is how many SSRCs a direction has. Further ones are refused rather than that one is forgotten: whoever forgets
// takes replayed packets, or uses a nonce twice.
const maxSources = 256

// A Source is one SSRC: plain data.
type Source struct {
	SSRC    uint32
	Packets Window // RTP; its indices are roll-over counter and sequence number
	Reports Window // RTCP; its indices are those that SRTCP carries
}

// A Window is which of the last indices were used.
type Window struct {
	Highest uint64    // index
	Seen    [2]uint64 // bit n: Highest-n was used; all zero: none was yet
}

// windowSize is how far behind the highest index a packet may come.
const windowSize = 128

// started tells whether any index was used.
func (w *Window) started() bool { return w.Seen[0] != 0 || w.Seen[1] != 0 }

// index guesses the roll-over counter of a sequence number: the one that brings it closest to the highest. RFC 3711 §3.3.1.
// False: it would lie before the first.
func (w *Window) index(seq uint16) (uint64, bool) {
	if !w.started() {
		return uint64(seq), true
	}
	index := int64(w.Highest) + int64(int16(seq-uint16(w.Highest)))
	return uint64(index), index >= 0 && index < maxPackets
}

// fresh tells whether an index was not used and is not too old to know.
func (w *Window) fresh(index uint64) bool {
	if !w.started() || index > w.Highest {
		return true
	}
	back := w.Highest - index
	return back < windowSize && w.Seen[back/64]&(1<<(back%64)) == 0
}

// use notes a fresh index.
func (w *Window) use(index uint64) {
	if w.started() && index <= w.Highest {
		back := w.Highest - index
		w.Seen[back/64] |= 1 << (back % 64)
		return
	}
	switch ahead := index - w.Highest; {
	case ahead >= windowSize || !w.started():
		w.Seen = [2]uint64{}
	case ahead >= 64:
		w.Seen = [2]uint64{0, w.Seen[0] << (ahead - 64)}
	default:
		w.Seen = [2]uint64{w.Seen[0] << ahead, w.Seen[1]<<ahead | w.Seen[0]>>(64-ahead)}
	}
	w.Highest = index
	w.Seen[0] |= 1
}
