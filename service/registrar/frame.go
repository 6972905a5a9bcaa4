// How records lie in a file: a header with a version, then frames of length, checksum and record.

package registrar

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"
)

const (
	fileHeader  = "sipwerk-bindings" // 16 bytes, followed by the version
	fileVersion = 1
	headerSize  = len(fileHeader) + 4
	frameSize   = 8 // in front of a record: length, CRC-32C of the record
)

// errTorn: the file ends within a frame, or a checksum is wrong. What comes before is good.
var errTorn = errors.New("registrar: torn record")

func appendHeader(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(append(b, fileHeader...), fileVersion)
}

// frameLen is how many bytes the record of a name takes in a file.
func frameLen(name, bindings []byte) int {
	return frameSize + uvarintLen(len(name)) + len(name) + len(bindings)
}

func uvarintLen(n int) int { return (bits.Len(uint(n)|1) + 6) / 7 }

// appendFrame appends the record of a name as it lies in a file: length and checksum, then the name with its length, and its bindings, none as one byte.
func appendFrame(b, name, bindings []byte) []byte {
	at := len(b)
	b = append(b, make([]byte, frameSize)...)
	b = append(binary.AppendUvarint(b, uint64(len(name))), name...)
	b = append(b, bindings...)
	rec := b[at+frameSize:]
	binary.LittleEndian.PutUint32(b[at:], uint32(len(rec)))
	binary.LittleEndian.PutUint32(b[at+4:], checksum(rec))
	return b
}

// checksum is CRC-32C, which the processor computes.
func checksum(rec []byte) uint32 { return crc32.Checksum(rec, crc32.MakeTable(crc32.Castagnoli)) }

// readFrames calls each with every record of a file, valid until it returns. good is how many bytes were read without fault; the error is
// errTorn if the file goes on badly, io.ErrUnexpectedEOF within the header.
func readFrames(file io.Reader, each func(rec []byte) error) (good int64, err error) {
	r := bufio.NewReaderSize(file, 1<<20)
	if err := readHeader(r); err != nil {
		return 0, err
	}
	good, err = eachFrame(r, each)
	return int64(headerSize) + good, err
}

func readHeader(r io.Reader) error {
	var header [headerSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return io.ErrUnexpectedEOF
	}
	if string(header[:len(fileHeader)]) != fileHeader {
		return errors.New("no bindings file")
	}
	if v := binary.LittleEndian.Uint32(header[len(fileHeader):]); v != fileVersion {
		return fmt.Errorf("version %d, this program knows %d", v, fileVersion)
	}
	return nil
}

func readFrame(r io.Reader, room []byte) ([]byte, error) {
	var head [frameSize]byte
	if _, err := io.ReadFull(r, head[:]); err == io.EOF {
		return nil, err
	} else if err != nil {
		return nil, errTorn
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n > uint32(len(room)) {
		return nil, errTorn
	}
	rec := room[:n]
	if _, err := io.ReadFull(r, rec); err != nil || checksum(rec) != binary.LittleEndian.Uint32(head[4:]) {
		return nil, errTorn
	}
	return rec, nil
}
