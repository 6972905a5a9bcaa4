package audio

// Opus in Ogg files. RFC 3533 §6 (pages), RFC 7845 (what is in them).

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/sipwerk/sipwerk/media/codec"
)

const (
	oggHead     = 27
	oggSegments = 255 // of a page, each of up to 255 bytes
	oggBegins   = 2   // flags of a page
	oggEnds     = 4
	oggGoesOn   = 1
	opusHead    = 19
	opusClock   = 48000 // of granule positions, RFC 7845 §4
	opusPreSkip = 312   // samples at 48000 Hz by which libopus lags, RFC 7845 §4.2
	oggPage     = 50    // packets of a page: what a crash takes is less than a second
	maxOpus     = 1275 * 48
)

// An OggError says why a file is no Opus in Ogg.
type OggError string

// Error implements error.
func (e OggError) Error() string { return "audio: read Ogg: " + string(e) }

// Reasons to refuse a file.
const (
	errNotOgg   OggError = "not an Ogg file"
	errNotOpus  OggError = "no Opus in it"
	errOggSum   OggError = "checksum of a page is wrong"
	errOggLong  OggError = "a packet is longer than any of Opus"
	errOggLinks OggError = "more than one stream"
)

// oggTable is for the checksum of pages: CRC-32 with the polynomial 0x04c11db7, highest bit first, which the standard library does not have.
var oggTable = oggSums()

func oggSums() (table [256]uint32) {
	for i := range table {
		sum := uint32(i) << 24
		for range 8 {
			sum = sum<<1 ^ -(sum>>31)&0x04c11db7
		}
		table[i] = sum
	}
	return table
}

// oggSum is the checksum of a page whose own field is zero. RFC 3533 §6.
func oggSum(page []byte) (sum uint32) {
	for _, b := range page {
		sum = sum<<8 ^ oggTable[byte(sum>>24)^b]
	}
	return sum
}

// An OggWriter writes Opus packets of 20 ms into an Ogg file, a page for each second, each by one Write: a file that is cut off plays up to its last whole page.
// Its errors are those of the writer below.
type OggWriter struct {
	w        io.Writer
	serial   uint32
	sequence uint32
	granule  uint64
	sizes    []byte
	body     []byte
	packets  int
	page     []byte
}

// NewOggWriter writes the headers of a stream of one or two channels, whose sound came at that rate. The serial number tells it from others it may be joined with.
func NewOggWriter(w io.Writer, rate, channels int, serial uint32) (*OggWriter, error) {
	o := &OggWriter{w: w, serial: serial, granule: opusPreSkip}
	head := append(make([]byte, 0, opusHead), "OpusHead\x01"...)
	head = append(head, byte(channels))
	head = binary.LittleEndian.AppendUint16(head, opusPreSkip)
	head = binary.LittleEndian.AppendUint32(head, uint32(rate))
	head = append(head, 0, 0, 0)
	o.add(head)
	if err := o.flush(oggBegins, 0); err != nil {
		return nil, err
	}
	tags := append([]byte(nil), "OpusTags"...)
	tags = binary.LittleEndian.AppendUint32(tags, uint32(len("Sipwerk")))
	tags = append(tags, "Sipwerk"...)
	o.add(binary.LittleEndian.AppendUint32(tags, 0))
	return o, o.flush(0, 0)
}

// add puts a packet on the page.
func (o *OggWriter) add(packet []byte) {
	n := len(packet)
	for ; n >= 255; n -= 255 {
		o.sizes = append(o.sizes, 255)
	}
	o.sizes = append(o.sizes, byte(n))
	o.body = append(o.body, packet...)
	o.packets++
}

// WritePacket appends a packet of 20 ms. It is written with the next page.
func (o *OggWriter) WritePacket(packet []byte) error {
	if len(o.sizes)+len(packet)/255+1 > oggSegments {
		if err := o.flush(0, o.granule); err != nil {
			return err
		}
	}
	o.add(packet)
	o.granule += opusClock / 50
	if o.packets >= oggPage {
		return o.flush(0, o.granule)
	}
	return nil
}

// flush writes the page. RFC 3533 §6.
func (o *OggWriter) flush(flags byte, granule uint64) error {
	p := append(o.page[:0], "OggS\x00"...)
	p = append(p, flags)
	p = binary.LittleEndian.AppendUint64(p, granule)
	p = binary.LittleEndian.AppendUint32(p, o.serial)
	p = binary.LittleEndian.AppendUint32(p, o.sequence)
	p = append(p, 0, 0, 0, 0, byte(len(o.sizes)))
	p = append(append(p, o.sizes...), o.body...)
	binary.LittleEndian.PutUint32(p[22:], oggSum(p))
	o.page, o.sizes, o.body, o.packets = p, o.sizes[:0], o.body[:0], 0
	o.sequence++
	if _, err := o.w.Write(p); err != nil {
		return fmt.Errorf("audio: write Ogg: %w", err)
	}
	return nil
}

// Close writes the last page. It does not close the writer below.
func (o *OggWriter) Close() error { return o.flush(oggEnds, o.granule) }

// An OggReader reads the packets of an Ogg file of one Opus stream. It holds one page.
type OggReader struct {
	r        io.Reader
	channels int
	sizes    []byte // of the page, not read yet
	body     []byte // of the page, not read yet
	page     []byte
	serial   uint32
	partial  []byte // of a packet that goes on on the next page
	ended    bool
}

// NewOggReader reads the headers. The error is an [OggError] or one of r.
func NewOggReader(r io.Reader) (*OggReader, error) {
	o := &OggReader{r: r}
	head, err := o.Packet()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = errNotOgg
		}
		return nil, err
	}
	if len(head) < opusHead || string(head[:8]) != "OpusHead" || head[8]>>4 != 0 || head[9] == 0 || head[9] > 2 {
		return nil, errNotOpus
	}
	o.channels = int(head[9])
	if tags, err := o.Packet(); err != nil || len(tags) < 8 || string(tags[:8]) != "OpusTags" {
		return nil, errNotOpus
	}
	return o, nil
}

// Channels returns how many channels the stream has, 1 or 2.
func (o *OggReader) Channels() int { return o.channels }

// Packet returns the next packet, valid until the next call; io.EOF at the end, which may come in the middle of a page.
func (o *OggReader) Packet() ([]byte, error) {
	o.partial = o.partial[:0]
	for {
		for len(o.sizes) > 0 {
			n := int(o.sizes[0])
			o.partial = append(o.partial, o.body[:n]...)
			o.sizes, o.body = o.sizes[1:], o.body[n:]
			if len(o.partial) > maxOpus {
				return nil, errOggLong
			}
			if n < 255 {
				return o.partial, nil
			}
		}
		if err := o.next(); err != nil {
			return nil, err
		}
	}
}

// next reads a page.
func (o *OggReader) next() error {
	if o.ended {
		return io.EOF
	}
	var head [oggHead]byte
	if _, err := io.ReadFull(o.r, head[:]); err != nil {
		return cutOff(err)
	}
	if string(head[:5]) != "OggS\x00" {
		return errNotOgg
	}
	page := append(o.page[:0], head[:]...)
	page = append(page, make([]byte, head[26])...)
	if _, err := io.ReadFull(o.r, page[oggHead:]); err != nil {
		return cutOff(err)
	}
	sizes, total := len(page), 0
	for _, n := range page[oggHead:] {
		total += int(n)
	}
	page = append(page, make([]byte, total)...)
	if _, err := io.ReadFull(o.r, page[sizes:]); err != nil {
		return cutOff(err)
	}
	o.page = page
	sum := binary.LittleEndian.Uint32(page[22:])
	clear(page[22:26])
	if oggSum(page) != sum {
		return errOggSum
	}
	serial := binary.LittleEndian.Uint32(page[14:])
	if head[5]&oggBegins != 0 {
		if o.serial != 0 && o.serial != serial {
			return errOggLinks
		}
		o.serial = serial
	}
	if head[5]&oggGoesOn == 0 {
		o.partial = o.partial[:0] // what went before has lost its end
	}
	o.ended = head[5]&oggEnds != 0
	o.sizes, o.body = page[oggHead:sizes], page[sizes:]
	return nil
}

// cutOff makes the end of a file that a crash has cut off an end like any other.
func cutOff(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return io.EOF
	}
	return err
}

// An OpusReader is a [Source] that plays an Ogg file of Opus. What cannot be decoded is left out.
type OpusReader struct {
	ogg     *OggReader
	decoder codec.Decoder
	waiting []int16
	skip    int // samples at the beginning that are not meant to be heard
}

// NewOpusReader reads the headers and decodes at the rate of the format and to its channels, whose samples come in turn. The error is an [OggError], one of r or of the decoder.
func NewOpusReader(r io.Reader, f codec.Format) (*OpusReader, error) {
	o, err := NewOggReader(r)
	if err != nil {
		return nil, err
	}
	d, err := f.NewDecoder()
	if err != nil {
		return nil, err
	}
	return &OpusReader{ogg: o, decoder: d, skip: opusPreSkip * f.Rate / opusClock * f.Channels}, nil
}

// ReadSamples implements [Source].
func (s *OpusReader) ReadSamples(pcm []int16) (int, error) {
	for len(s.waiting) == 0 {
		packet, err := s.ogg.Packet()
		if err != nil {
			return 0, err
		}
		s.waiting, _ = s.decoder.Decode(s.waiting, packet)
		n := min(s.skip, len(s.waiting))
		s.skip -= n
		s.waiting = s.waiting[:copy(s.waiting, s.waiting[n:])]
	}
	n := copy(pcm, s.waiting)
	s.waiting = s.waiting[:copy(s.waiting, s.waiting[n:])]
	return n, nil
}
