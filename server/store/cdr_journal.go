// The way of call records to the database: each is in a file before the last message of its call leaves, and the files move into the database in batches, so that neither a
// call waits for the disk nor is a record lost with the process.
//
// A file holds frames: length and CRC-32C of the payload, four bytes each, little endian, and the payload, a line for each column of the table. A frame that was cut off by a crash
// ends its file.

package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	cdrHead     = 8        // bytes before a payload
	maxCDR      = 1 << 20  // bytes of a record
	maxWaiting  = 16 << 20 // bytes of records that may wait for a disk that does not take them
	cdrInterval = 500 * time.Millisecond
	cdrBatch    = 1000    // records of one transaction
	keptRoom    = 1 << 20 // bytes of memory that is kept from one file to the next
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// CDRJournal takes the records of a running server. Its methods may be called from any goroutine.
type CDRJournal struct {
	store  *Store
	folder string
	log    *slog.Logger
	news   chan struct{} // wakes Run

	accepted, stored atomic.Int64 // bytes added, and of these written
	failing          atomic.Bool  // the disk does not take them; Run tries again

	mu    sync.Mutex // guards what follows
	waits []byte     // frames that are not written
	spare []byte     // memory for them
	lost  uint64     // records that found no room

	writing sync.Mutex // held by who writes; guards what follows
	file    *os.File
	number  int
	size    int64

	room []byte // for the file that moves; of Run, and of those who open and close
}

// OpenCDRs opens the journal in the data folder and moves what a former server has left there into the database. Whoever opened it calls Close.
func (s *Store) OpenCDRs(ctx context.Context, dir string, log *slog.Logger) (*CDRJournal, error) {
	j := &CDRJournal{store: s, folder: filepath.Join(dir, "cdrs"), log: log, news: make(chan struct{}, 1)}
	if err := os.MkdirAll(j.folder, 0o700); err != nil {
		return nil, fmt.Errorf("store: call records: %w", err)
	}
	left, err := j.files()
	if err != nil {
		return nil, err
	}
	if len(left) > 0 {
		j.number = left[len(left)-1]
	}
	if err := j.begin(); err != nil {
		return nil, err
	}
	if err := j.move(ctx); err != nil {
		return nil, errors.Join(err, j.file.Close())
	}
	return j, nil
}

// begin opens the next file.
func (j *CDRJournal) begin() error {
	f, err := os.OpenFile(j.name(j.number+1), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("store: call records: %w", err)
	}
	j.file, j.size = f, 0
	j.number++
	return nil
}

func (j *CDRJournal) name(number int) string {
	return filepath.Join(j.folder, fmt.Sprintf("%010d.journal", number))
}

// files returns the numbers of the files that are there, oldest first.
func (j *CDRJournal) files() ([]int, error) {
	entries, err := os.ReadDir(j.folder)
	if err != nil {
		return nil, fmt.Errorf("store: call records: %w", err)
	}
	var all []int
	for _, e := range entries {
		var n int
		if _, err := fmt.Sscanf(e.Name(), "%d.journal", &n); err == nil {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all, nil
}

// Add takes a record. It is safe from the end of the process once [CDRJournal.Write] has returned, and in the database within a second. It never waits; if the disk has taken
// nothing for so long that there is no room, the record is lost, and counted.
func (j *CDRJournal) Add(c *CDR) {
	j.mu.Lock()
	defer j.mu.Unlock()
	before := len(j.waits)
	j.waits = append(j.waits, make([]byte, cdrHead)...)
	j.waits = c.appendRow(j.waits)
	payload := j.waits[before+cdrHead:]
	if len(payload) > maxCDR || len(j.waits) > maxWaiting {
		j.waits = j.waits[:before]
		j.lost++
		return
	}
	binary.LittleEndian.PutUint32(j.waits[before:], uint32(len(payload)))
	binary.LittleEndian.PutUint32(j.waits[before+4:], crc32.Checksum(payload, castagnoli))
	j.accepted.Add(int64(len(j.waits) - before))
}

// appendRow appends the columns, a line each.
func (c *CDR) appendRow(b []byte) []byte {
	for _, column := range [...]string{c.ID, c.Domain, strconv.FormatInt(c.Start.UnixMilli(), 10), c.accounts()} {
		b = append(append(b, column...), '\n')
	}
	return append(c.appendJSON(b), '\n')
}

// Lost returns how many records found no room.
func (j *CDRJournal) Lost() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lost
}

// Waiting returns how many bytes of records the disk has not taken yet.
func (j *CDRJournal) Waiting() int64 { return j.accepted.Load() - j.stored.Load() }

// Write returns when every record added before is in the file, and so survives the process. It is cheap when there is none. A disk that takes nothing is no reason to let calls
// hang: the records wait, and the log says so.
func (j *CDRJournal) Write() {
	want := j.accepted.Load()
	if j.stored.Load() >= want || j.failing.Load() {
		return
	}
	j.writing.Lock()
	defer j.writing.Unlock()
	if j.stored.Load() >= want {
		return // the writer before has taken ours along
	}
	if err := j.writeLocked(); err != nil {
		j.failing.Store(true)
		j.log.Error("call records cannot be written; they wait in memory", "err", err)
	}
	select {
	case j.news <- struct{}{}:
	default:
	}
}

// writeLocked writes what waits. After an error the file is as long as before.
func (j *CDRJournal) writeLocked() error {
	j.mu.Lock()
	batch := j.waits
	j.waits, j.spare = j.spare[:0], nil
	j.mu.Unlock()
	_, err := j.file.WriteAt(batch, j.size)
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		j.waits = append(batch, j.waits...)
		return errors.Join(err, j.file.Truncate(j.size))
	}
	j.size += int64(len(batch))
	j.stored.Add(int64(len(batch)))
	j.spare = batch[:0]
	return nil
}

// Run moves records into the database until ctx ends.
func (j *CDRJournal) Run(ctx context.Context) {
	pause := time.NewTimer(cdrInterval)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-j.news:
		}
		pause.Reset(cdrInterval)
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		if err := j.settle(ctx); err != nil && ctx.Err() == nil {
			j.log.Error("call records do not reach the database; they wait in the data folder", "err", err)
			select {
			case j.news <- struct{}{}: // again in a while
			default:
			}
		}
	}
}

// settle writes what waits, closes the file, and moves it.
func (j *CDRJournal) settle(ctx context.Context) error {
	if err := j.turn(); err != nil {
		return err
	}
	return j.move(ctx)
}

// turn begins a new file if there is something in the one at hand.
func (j *CDRJournal) turn() error {
	j.writing.Lock()
	defer j.writing.Unlock()
	if j.Waiting() > 0 {
		if err := j.writeLocked(); err != nil {
			return err
		}
	}
	j.failing.Store(false)
	if j.size == 0 {
		return nil
	}
	old := j.file
	if err := j.begin(); err != nil {
		return err
	}
	return old.Close()
}

// move brings all files but the one at hand into the database, whose commit is on the disk, and removes them.
func (j *CDRJournal) move(ctx context.Context) error {
	all, err := j.files()
	if err != nil {
		return err
	}
	j.writing.Lock()
	current := j.number
	j.writing.Unlock()
	for _, n := range all {
		if n >= current {
			break
		}
		if err := j.moveFile(ctx, j.name(n)); err != nil {
			return err
		}
	}
	return nil
}

func (j *CDRJournal) moveFile(ctx context.Context, name string) error {
	b, err := j.read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("store: call records: %w", err)
	}
	records, rest := cdrFrames(b)
	if len(rest) > 0 {
		j.log.Warn("a call record was cut off by a crash", "file", name, "bytes", len(rest))
	}
	for batch := range slices.Chunk(records, cdrBatch) {
		if err := j.store.addCDRs(ctx, batch); err != nil {
			return err
		}
	}
	if err := os.Remove(name); err != nil {
		return fmt.Errorf("store: call records: %w", err)
	}
	return nil
}

// read returns what is in a file, in memory that the next one takes.
func (j *CDRJournal) read(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	at, err := f.Stat()
	if err != nil {
		return nil, err
	}
	b := slices.Grow(j.room[:0], int(at.Size()))[:at.Size()]
	if j.room = nil; cap(b) <= keptRoom {
		j.room = b
	}
	_, err = io.ReadFull(f, b)
	return b, err
}

// cdrFrames returns the records of a file that are whole, and what follows them. They share the memory of b, which must not change any more.
func cdrFrames(b []byte) (records []cdrRow, rest []byte) {
	for len(b) >= cdrHead {
		n := binary.LittleEndian.Uint32(b)
		if n > maxCDR || uint64(len(b)) < cdrHead+uint64(n) {
			break
		}
		payload := b[cdrHead:][:n]
		row, ok := parseCDRRow(text(payload))
		if !ok || crc32.Checksum(payload, castagnoli) != binary.LittleEndian.Uint32(b[4:]) {
			break
		}
		records = append(records, row)
		b = b[cdrHead+n:]
	}
	return records, b
}

// parseCDRRow reads what appendRow writes.
func parseCDRRow(s string) (r cdrRow, ok bool) {
	var start string
	for _, column := range [...]*string{&r.id, &r.domain, &start, &r.accounts} {
		if *column, s, ok = strings.Cut(s, "\n"); !ok {
			return r, false
		}
	}
	r.detail = strings.TrimSuffix(s, "\n")
	at, err := strconv.ParseInt(start, 10, 64)
	r.start = at
	return r, err == nil
}

// Close moves everything into the database and ends the journal. What cannot be moved is moved at the next start.
func (j *CDRJournal) Close() error {
	err := j.settle(context.Background())
	j.writing.Lock()
	defer j.writing.Unlock()
	err = errors.Join(err, j.file.Close())
	if j.size == 0 {
		err = errors.Join(err, os.Remove(j.file.Name()))
	}
	return err
}
