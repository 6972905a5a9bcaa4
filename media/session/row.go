package session

// The numbers of packets that are passed on with others in between, or some of them left out: one source in one row, with the gaps that the network has made. RFC 3550 §5.1.

import "github.com/sipwerk/sipwerk/media/rtp"

// maxLate is how far a packet may lag behind; one that lags further begins a new row. RFC 3550 §A.1.
const maxLate = 100

// row numbers packets.
type row struct {
	known   bool
	ssrc    uint32
	in, out uint16 // of the newest that came, and of the newest that went
	floor   uint16 // of those that came: what is not newer belongs before something of ours, where no number is free
}

// pass gives a packet its number. It reports false for one that comes too late to have one.
func (r *row) pass(h *rtp.Header) bool {
	if r.strange(h) {
		*r = row{known: true, ssrc: h.SSRC, in: h.Sequence, out: h.Sequence, floor: h.Sequence - maxLate}
		return true
	}
	switch ahead := r.ahead(h); {
	case ahead < -maxLate:
		r.out++
		r.in, r.floor = h.Sequence, h.Sequence
	case ahead <= 0:
		late := rtp.Before(r.floor, h.Sequence)
		h.Sequence = r.out + uint16(ahead)
		return late
	default:
		r.out += uint16(ahead)
		r.in = h.Sequence
		if low := r.in - maxLate; rtp.Before(r.floor, low) {
			r.floor = low // the circle goes on
		}
	}
	h.Sequence = r.out
	return true
}

// swallow leaves a packet out.
func (r *row) swallow(h *rtp.Header) {
	switch ahead := r.ahead(h); {
	case r.strange(h):
		*r = row{known: true, ssrc: h.SSRC, in: h.Sequence, out: h.Sequence - 1}
	case ahead > 0:
		r.out += uint16(ahead - 1)
		r.in = h.Sequence
	case ahead < -maxLate:
		r.in = h.Sequence
	}
	r.floor = r.in
}

// own gives a packet of ours source and number.
func (r *row) own(h *rtp.Header) {
	if !r.known {
		*r = row{known: true, ssrc: h.SSRC, in: h.Sequence, out: h.Sequence - 1}
	}
	r.out++
	r.floor = r.in
	h.SSRC, h.Sequence = r.ssrc, r.out
}

func (r *row) strange(h *rtp.Header) bool { return !r.known || h.SSRC != r.ssrc }

// ahead is by how much a packet is newer than the newest so far.
func (r *row) ahead(h *rtp.Header) int { return int(int16(h.Sequence - r.in)) }
