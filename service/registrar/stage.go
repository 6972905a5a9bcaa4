// The stage: where a change lies from the moment it is accepted until the log on the disk has it. It is a file in memory that the kernel keeps, so that the change survives the
// process without a system call, and no answer waits for the disk.
//
// It has two halves. Changes are added to one while the other is being written to the log. After the end of a process the next one finds both. After the end of
// the machine they are worth nothing, because pages that nobody has synced may be of any age: the stage says in which life of the machine it was made.

package registrar

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

const (
	stageHalf = 4 << 20 // bytes of a half, its head included
	stageHead = 64      // life of the machine, turn, bytes in use
	stageLife = 40
)

// stage is the two halves. The journal's mu guards it.
type stage struct {
	mem    []byte
	life   []byte // of the machine
	active int    // the half that changes are added to
	turn   uint64 // counts how often halves were exchanged: the older half is read first
}

// openStage makes the stage in a file, as long as the system can: an error means that it cannot, and every batch is to be written before it is answered.
func openStage(name string) (*stage, error) {
	life, err := machineLife()
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close() // the memory stays
	mem, err := mapFile(file, 2*stageHalf)
	if err != nil {
		return nil, errors.Join(err, os.Remove(name))
	}
	return &stage{mem: mem, life: life}, nil
}

func (s *stage) half(i int) []byte { return s.mem[i*stageHalf : (i+1)*stageHalf] }

// begin turns to the other half and returns its room. The half must have been released.
func (s *stage) begin() []byte {
	s.active = 1 - s.active
	s.turn++
	h := s.half(s.active)
	copy(h[:stageLife], s.life)
	binary.LittleEndian.PutUint64(h[stageLife:], s.turn)
	s.use(0)
	return h[stageHead:stageHead]
}

// use says how many bytes of the active half are to be read after the end of the process. It is one store behind those of the bytes.
func (s *stage) use(n int) {
	binary.LittleEndian.PutUint64(s.half(s.active)[stageLife+8:], uint64(n))
}

// release empties the half that is not active.
func (s *stage) release() {
	binary.LittleEndian.PutUint64(s.half(1 - s.active)[stageLife+8:], 0)
}

func (s *stage) close() error { return unmapFile(s.mem) }

// readStage returns the frames that a process has left in a stage, the older half first; nothing if there is none, or none of this life of the machine.
func readStage(name string) ([]byte, error) {
	life, err := machineLife()
	if err != nil {
		return nil, nil // without it no stage is made
	}
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil || len(b) != 2*stageHalf {
		return nil, err
	}
	var frames []byte
	first, second := stageUsed(b[:stageHalf], life), stageUsed(b[stageHalf:], life)
	if binary.LittleEndian.Uint64(b[stageLife:]) > binary.LittleEndian.Uint64(b[stageHalf+stageLife:]) {
		first, second = second, first
	}
	return append(append(frames, first...), second...), nil
}

// stageUsed returns the bytes in use of a half.
func stageUsed(half, life []byte) []byte {
	n := binary.LittleEndian.Uint64(half[stageLife+8:])
	if !bytes.Equal(bytes.TrimRight(half[:stageLife], "\x00"), life) || n > stageHalf-stageHead {
		return nil
	}
	return half[stageHead : stageHead+n]
}

// takeStage puts what a process has left in the stage behind the log, and into restore.
func (j *journal) takeStage(restore func(rec []byte) error) error {
	frames, err := readStage(j.folder.stage())
	if err != nil || len(frames) == 0 {
		return err
	}
	good, err := eachFrame(bytes.NewReader(frames), restore)
	if err != nil && !errors.Is(err, errTorn) && !errors.Is(err, errRecord) {
		return fmt.Errorf("%s: %w", j.folder.stage(), err)
	}
	if int(good) < len(frames) {
		j.log.Warn("bindings: torn end cut off", "file", j.folder.stage(), "bytes", len(frames)-int(good))
	}
	n, err := j.file.WriteAt(frames[:good], j.size)
	if err != nil {
		return err
	}
	j.size, j.grown = j.size+int64(n), j.grown+int64(n)
	if err := j.file.Sync(); err != nil {
		return err
	}
	return os.Remove(j.folder.stage()) // read once more it would be older than the log
}

// eachFrame calls each with every record that r holds, valid until it returns, and returns how many bytes were read without fault.
func eachFrame(r io.Reader, each func(rec []byte) error) (good int64, err error) {
	var room [maxRecord]byte
	for {
		rec, err := readFrame(r, room[:])
		if err == io.EOF {
			return good, nil
		}
		if err == nil {
			err = each(rec)
		}
		if err != nil {
			return good, err
		}
		good += int64(frameSize + len(rec))
	}
}
