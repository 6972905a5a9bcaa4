package video

// One stream made of several, one after the other: what a receiver sees has one SSRC and numbers without a jump, whoever is shown. RFC 7667 §3.7; RFC 3550 §5.1.

import (
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
)

const (
	clock     = 90_000 // of every format here, in Hz: RFC 7741 §4.1, RFC 6184 §5.1
	frameStep = clock / 30
)

// A Track numbers the packets of one stream. The zero Track is ready. One goroutine at a time.
type Track struct {
	source uint32 // SSRC of what is forwarded
	format Format
	open   bool
	first  uint16 // its number of the packet that opened it
	far    bool   // it has gone so far since that a number before first is one of the next circle

	sequence  uint16 // added to its numbers
	timestamp uint32 // added to its time
	pictures  pictures

	sent   bool
	last   uint16    // number sent last
	stamp  uint32    // time of the stream sent last
	moment time.Time // when that was sent first
}

// Source returns the SSRC of what is forwarded; false if nothing is.
func (t *Track) Source() (uint32, bool) { return t.source, t.open }

// Open begins to forward the stream of p, a packet for which [Format.Opens] is true, in the place of what was forwarded. p itself is to be given to [Track.Renumber].
func (t *Track) Open(p *rtp.Packet, f Format, now time.Time) {
	t.source, t.format, t.open, t.first, t.far = p.SSRC, f, true, p.Sequence, false
	t.sequence, t.timestamp = 0, 0
	if t.sent {
		t.sequence = t.last + 1 - p.Sequence
		t.timestamp = t.stamp + t.elapsed(now) - p.Timestamp
	}
	if f == VP8 {
		t.pictures.begin(p.Payload)
	}
}

// elapsed is how far the time of the stream has gone on since the last packet: the clocks of two senders have nothing in common but ours.
func (t *Track) elapsed(now time.Time) uint32 {
	d := min(max(now.Sub(t.moment), 0), time.Hour)
	return max(frameStep, uint32(int64(d)*(clock/1000)/int64(time.Millisecond)))
}

// Close ends what is forwarded; the numbers go on with the next.
func (t *Track) Close() { t.open = false }

// Renumber changes the numbers of p and, in p.Payload, those of its format, so that it fits the stream. It reports false if p is of another source, or older than what opened this one.
func (t *Track) Renumber(p *rtp.Packet, now time.Time) bool {
	if !t.open || p.SSRC != t.source || t.before(p.Sequence) {
		return false
	}
	t.far = t.far || p.Sequence-t.first > 1<<14
	p.Sequence += t.sequence
	p.Timestamp += t.timestamp
	newest := !t.sent || rtp.Before(t.last, p.Sequence)
	if newest {
		if !t.sent || p.Timestamp != t.stamp {
			t.stamp, t.moment = p.Timestamp, now
		}
		t.last, t.sent = p.Sequence, true
	}
	if t.format == VP8 {
		t.pictures.renumber(p.Payload, newest)
	}
	return true
}

// before tells whether a number of the source is older than the one that opened it.
func (t *Track) before(sequence uint16) bool { return !t.far && rtp.Before(sequence, t.first) }

// Origin returns the number that the source gave to a packet sent under this one; false if that was of another source, or was not sent.
func (t *Track) Origin(sequence uint16) (uint16, bool) {
	origin := sequence - t.sequence
	if !t.open || !t.sent || rtp.Before(t.last, sequence) || t.before(origin) {
		return 0, false
	}
	return origin, true
}
