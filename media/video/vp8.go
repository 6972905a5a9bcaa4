package video

// The payload descriptor of VP8: what tells a whole picture, and the numbers that run through a stream. RFC 7741 §4.2.

import "encoding/binary"

// descriptor is what stands in front of VP8. Places are offsets into the payload, 0 where there is no such number.
type descriptor struct {
	whole   bool // it begins a picture that needs none before it
	picture int  // of PictureID
	wide    bool // it has 15 bits, otherwise 7
	base    int  // of TL0PICIDX
}

// parseVP8 reads a payload; false if it ends too soon.
func parseVP8(b []byte) (d descriptor, ok bool) {
	if len(b) == 0 {
		return d, false
	}
	at := 1
	if b[0]&0x80 != 0 {
		if at, ok = d.extension(b); !ok {
			return d, false
		}
	}
	if at >= len(b) {
		return d, false
	}
	// RFC 7741 §4.3: the inverse key frame flag is that of the first byte of the first partition.
	d.whole = b[0]&0x10 != 0 && b[0]&0x07 == 0 && b[at]&1 == 0
	return d, true
}

// extension reads the optional part and returns where the payload header begins.
func (d *descriptor) extension(b []byte) (at int, ok bool) {
	if len(b) < 2 {
		return 0, false
	}
	flags, at := b[1], 2
	if flags&0x80 != 0 {
		if at >= len(b) {
			return 0, false
		}
		d.picture, d.wide = at, b[at]&0x80 != 0
		at++
		if d.wide {
			at++
		}
	}
	if flags&0x40 != 0 {
		d.base = at
		at++
	}
	if flags&0x30 != 0 {
		at++
	}
	return at, at <= len(b)
}

// pictureIn returns the PictureID, and how many there are in its circle.
func (d *descriptor) pictureIn(b []byte) (id, circle uint16) {
	if d.wide {
		return binary.BigEndian.Uint16(b[d.picture:]) & 0x7fff, 1 << 15
	}
	return uint16(b[d.picture]) & 0x7f, 1 << 7
}

// setPicture overwrites the PictureID in its width.
func (d *descriptor) setPicture(b []byte, id uint16) {
	if d.wide {
		binary.BigEndian.PutUint16(b[d.picture:], id|0x8000)
		return
	}
	b[d.picture] = byte(id) & 0x7f
}

// pictures is how the numbers of VP8 go on from one source to the next: each wants them to run without a jump, or it waits for what never was. RFC 7741 §4.2.
type pictures struct {
	started       bool
	picture, base uint16 // added to those of the source
	lastPicture   uint16 // sent last
	lastBase      byte
}

// begin chooses what to add, by the first packet of a source.
func (p *pictures) begin(b []byte) {
	d, ok := parseVP8(b)
	if !ok {
		return
	}
	was := *p
	p.picture, p.base = 0, 0
	if d.picture > 0 && was.started {
		id, _ := d.pictureIn(b)
		p.picture = was.lastPicture + 1 - id
	}
	if d.base > 0 && was.started {
		p.base = uint16(was.lastBase + 1 - b[d.base])
	}
}

// renumber changes the numbers in a payload. newest says that no later packet was sent.
func (p *pictures) renumber(b []byte, newest bool) {
	d, ok := parseVP8(b)
	if !ok {
		return
	}
	if d.picture > 0 {
		id, circle := d.pictureIn(b)
		id = (id + p.picture) & (circle - 1)
		d.setPicture(b, id)
		if newest {
			p.lastPicture, p.started = id, true
		}
	}
	if d.base > 0 {
		b[d.base] += byte(p.base)
		if newest {
			p.lastBase, p.started = b[d.base], true
		}
	}
}
