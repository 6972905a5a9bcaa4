// The journal: every change on its way to the disk before it is answered. A change is accepted by adding it to the stage (stage.go), which survives the process; what has come
// together there is written to the log, and confirmed by the disk, twice a second. Without a stage one write(2) carries a batch before its answers leave.
//
// A change is the whole record of one address-of-record, so that the last one of a name counts and reading is simple. Room on the
// disk is reserved before a change is accepted: a full disk is noticed while the answer can still be 503.

package registrar

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	reserveStep = 1 << 20 // room is reserved in pieces of at least this size
	maxPending  = 8 << 20 // bytes that may wait, where there is no stage, for a disk that does not take them
	syncEvery   = 500 * time.Millisecond
)

// errPending: the disk has not taken the changes made before.
var errPending = errors.New("registrar: too much waits to be written")

// journal appends records to the newest log of a folder.
type journal struct {
	folder folder
	log    *slog.Logger
	dirty  chan struct{} // wakes syncLoop: something is accepted
	hurry  chan struct{} // tells it that half of the stage is in use
	staged atomic.Bool   // what is accepted survives the process: the stage is there, and the disk takes what is written

	mu       sync.Mutex // guards up to the blank line; never held across a write
	stage    *stage     // nil: none
	pending  []byte     // frames to be written; in the active half of the stage if there is one
	behind   []byte     // frames before those, being written or refused by the disk
	spare    []byte     // the memory of the batch before
	next     int64      // where in the newest log the next frame goes
	reserved int64      // up to where it has its place on the disk
	reserves bool       // the file system can reserve
	failing  bool       // the last write failed

	accepted atomic.Int64 // bytes appended since the start
	stored   atomic.Int64 // of these, written

	writing sync.Mutex // held by who writes: the order on disk is the order of acceptance. It guards the rest
	file    *os.File   // the newest log; changed under mu too
	number  int        // of the newest log
	size    int64      // of the newest log: where the next byte goes
	grown   int64      // bytes written since the newest snapshot
	base    int64      // size of that snapshot
}

// append accepts the new bindings of a name. They are stored once flush has returned nil.
func (j *journal) append(name, bindings []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	need := int64(frameLen(name, bindings))
	if j.stage == nil && len(j.pending) > maxPending || j.stage != nil && int(need) > cap(j.pending)-len(j.pending) {
		return errPending
	}
	if j.reserves && j.next+need > j.reserved {
		if err := j.reserveLocked(j.next + need + reserveStep); err != nil {
			return err
		}
	}
	j.next += need
	first := len(j.pending) == 0
	j.pending = appendFrame(j.pending, name, bindings)
	if j.stage != nil {
		j.stage.use(len(j.pending))
	}
	j.accepted.Add(need)
	switch {
	case first:
		tell(j.dirty)
	case j.stage != nil && len(j.pending) > stageHalf/2:
		tell(j.hurry)
	}
	return nil
}

// tell wakes who waits at c, now or when it comes.
func tell(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// reserveLocked takes room from the disk up to an offset in the newest log.
func (j *journal) reserveLocked(to int64) error {
	err := reserve(j.file, to)
	if errors.Is(err, errors.ErrUnsupported) {
		j.reserves = false
		j.staged.Store(false)
		return nil
	}
	if err == nil {
		j.reserved = to
	}
	return err
}

// reserveAhead takes room for what may come in the next time, so that nobody who changes something has to.
func (j *journal) reserveAhead(busy int64) {
	j.writing.Lock()
	defer j.writing.Unlock()
	j.mu.Lock()
	to := j.next + max(reserveStep, 4*busy)
	enough := !j.reserves || j.reserved-j.next >= max(reserveStep/2, 2*busy)
	j.mu.Unlock()
	if enough || reserve(j.file, to) != nil {
		return // who needs the room will hear of the fault
	}
	j.mu.Lock()
	j.reserved = max(j.reserved, to)
	j.mu.Unlock()
}

// certain reports whether what was accepted has its place on the disk. Otherwise only a write tells.
func (j *journal) certain() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.reserves && !j.failing
}

// barrier returns nil when all that was accepted before the call survives the process.
func (j *journal) barrier() error {
	if j.staged.Load() {
		return nil
	}
	return j.flush()
}

// flush returns nil when all that was accepted before the call is written.
func (j *journal) flush() error {
	want := j.accepted.Load()
	if j.stored.Load() >= want {
		return nil
	}
	j.writing.Lock()
	defer j.writing.Unlock()
	for j.stored.Load() < want { // the writer before may have taken our change along
		if err := j.writeLocked(); err != nil {
			return err
		}
	}
	return nil
}

// writeLocked writes what was refused before, otherwise what is pending. After an error the file is as long as before.
func (j *journal) writeLocked() error {
	j.mu.Lock()
	if len(j.behind) == 0 {
		j.behind = j.pending
		if j.pending, j.spare = j.spare[:0], nil; j.stage != nil {
			j.pending = j.stage.begin()
		}
	}
	batch := j.behind
	j.mu.Unlock()
	_, err := j.file.WriteAt(batch, j.size)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failing = err != nil
	j.staged.Store(j.stage != nil && j.reserves && !j.failing)
	if j.failing {
		j.reserved = 0 // truncation gives reserved room back
		return errors.Join(err, j.file.Truncate(j.size))
	}
	if j.behind = nil; j.stage != nil {
		j.stage.release()
	} else {
		j.spare = batch
	}
	j.size += int64(len(batch))
	j.grown += int64(len(batch))
	j.stored.Add(int64(len(batch)))
	return nil
}

// syncLoop writes what is accepted, asks the disk to confirm it, at most half a second later, and compacts, until ctx ends.
func (j *journal) syncLoop(ctx context.Context, all iter.Seq[[]byte]) {
	timer := time.NewTimer(syncEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-j.dirty:
		}
		timer.Reset(syncEvery)
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-j.hurry:
		}
		j.confirm()
		if err := j.compact(all); err != nil {
			j.log.Error("bindings: journal not compacted", "err", err)
		}
	}
}

// confirm writes what is accepted and has the disk confirm it. What fails is tried again.
func (j *journal) confirm() {
	before := j.stored.Load()
	if err := errors.Join(j.flush(), j.sync()); err != nil {
		j.log.Error("bindings: the disk does not confirm", "err", err)
		tell(j.dirty)
	}
	j.reserveAhead(j.stored.Load() - before)
}

func (j *journal) sync() error {
	j.writing.Lock()
	file := j.file
	j.writing.Unlock()
	// Only syncLoop and close change the file, so it stays open meanwhile.
	return file.Sync()
}

// close writes and confirms everything.
func (j *journal) close() error {
	err := j.flush()
	// The reserved room beyond the end goes back to the disk.
	err = errors.Join(err, j.file.Truncate(j.size), j.file.Sync(), j.file.Close())
	if j.stage == nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	left := len(j.pending) + len(j.behind)
	err = errors.Join(err, j.stage.close())
	j.pending, j.behind, j.stage = nil, nil, nil
	j.staged.Store(false)
	if left > 0 {
		return err // who starts next reads the stage
	}
	return errors.Join(err, os.Remove(j.folder.stage()))
}
