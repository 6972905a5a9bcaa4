// The journal: every change on its way to the disk before it is answered. One write(2) carries a batch; the disk confirms within a second.
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
	reserveStep = 1 << 20 // room is reserved in pieces of this size
	maxPending  = 8 << 20 // bytes that may wait for a disk that does not take them
	syncEvery   = 500 * time.Millisecond
)

// errPending: the disk has not taken the changes made before.
var errPending = errors.New("registrar: too much waits to be written")

// journal appends records to the newest log of a folder.
type journal struct {
	folder folder
	log    *slog.Logger
	dirty  chan struct{} // wakes syncLoop after a write

	mu       sync.Mutex // guards up to the blank line; never held across a write
	pending  []byte     // frames to be written
	spare    []byte     // the memory of the batch before
	room     int64      // bytes that may be added to pending and be sure of a place
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
	if len(j.pending) > maxPending {
		return errPending
	}
	if j.reserves && need > j.room {
		if err := j.reserveLocked(); err != nil {
			return err
		}
	}
	j.room -= need
	j.pending = appendFrame(j.pending, name, bindings)
	j.accepted.Add(need)
	return nil
}

// reserveLocked takes room from the disk behind all that was accepted.
func (j *journal) reserveLocked() error {
	err := reserve(j.file, j.accepted.Load()-j.stored.Load()+j.room+reserveStep)
	if errors.Is(err, errors.ErrUnsupported) {
		j.reserves = false
		return nil
	}
	if err == nil {
		j.room += reserveStep
	}
	return err
}

// certain reports whether what was accepted has its place on the disk. Otherwise only a write tells.
func (j *journal) certain() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.reserves && !j.failing
}

// flush returns nil when all that was accepted before the call is written.
func (j *journal) flush() error {
	want := j.accepted.Load()
	if j.stored.Load() >= want {
		return nil
	}
	j.writing.Lock()
	defer j.writing.Unlock()
	if j.stored.Load() >= want {
		return nil // the writer before took our change along
	}
	return j.writeLocked()
}

// writeLocked writes what is pending. After an error it is pending again, and the file is as long as before.
func (j *journal) writeLocked() error {
	j.mu.Lock()
	batch := j.pending
	j.pending, j.spare = j.spare[:0], nil
	j.mu.Unlock()
	_, err := j.file.WriteAt(batch, j.size)
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failing = err != nil; j.failing {
		j.room = 0 // truncation gives reserved room back
		j.pending = append(batch, j.pending...)
		return errors.Join(err, j.file.Truncate(j.size))
	}
	j.spare = batch
	j.size += int64(len(batch))
	j.grown += int64(len(batch))
	j.stored.Add(int64(len(batch)))
	select {
	case j.dirty <- struct{}{}:
	default:
	}
	return nil
}

// syncLoop asks the disk to confirm what was written, at most half a second later, and compacts, until ctx ends.
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
		}
		if err := j.sync(); err != nil {
			j.log.Error("bindings: the disk does not confirm", "error", err)
		}
		if err := j.compact(all); err != nil {
			j.log.Error("bindings: journal not compacted", "error", err)
		}
	}
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
	return errors.Join(err, j.file.Truncate(j.size), j.file.Sync(), j.file.Close())
}
