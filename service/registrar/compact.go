// The files of the journal, and how they are kept short: a snapshot of all bindings, and the logs begun since.
//
// Snapshot n holds everything that was accepted before log n began, so that reading the newest snapshot and every log that is not
// older gives the present state. A new log is begun first, then the snapshot is written aside, confirmed by the disk and renamed;
// older files go last. Whatever moment the process dies in, one consistent set is left.

package registrar

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// compactAfter is how much must have been written since the last snapshot, beside twice its size, before the next is made.
const compactAfter = 16 << 20

// A snapshot is written in pieces with a pause behind each, because those who answer requests want the same processor.
const (
	snapshotPiece = 64 << 10
	snapshotPause = 100 * time.Microsecond
	snapshotSync  = 8 << 20
)

// folder is where the files lie.
type folder string

func (f folder) log(n int) string {
	return filepath.Join(string(f), fmt.Sprintf("bindings-%08d.log", n))
}
func (f folder) snapshot(n int) string {
	return filepath.Join(string(f), fmt.Sprintf("bindings-%08d.all", n))
}
func (f folder) scratch() string { return filepath.Join(string(f), "bindings.new") }
func (f folder) stage() string   { return filepath.Join(string(f), "bindings.stage") }

// numbers returns the numbers of the files with an ending, in order.
func (f folder) numbers(ending string) ([]int, error) {
	names, err := filepath.Glob(filepath.Join(string(f), "bindings-*"+ending))
	var numbers []int
	for _, name := range names {
		var n int
		if _, err := fmt.Sscanf(filepath.Base(name), "bindings-%d"+ending, &n); err == nil {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, err
}

// openJournal reads what dir holds into restore and opens the newest log.
func openJournal(dir string, log *slog.Logger, restore func(rec []byte) error) (*journal, error) {
	j := &journal{folder: folder(dir), log: log, dirty: make(chan struct{}, 1), hurry: make(chan struct{}, 1), reserves: true, number: 1}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("registrar: journal: %w", err)
	}
	if err := j.load(restore); err != nil {
		return nil, fmt.Errorf("registrar: journal: %w", err)
	}
	return j, nil
}

func (j *journal) load(restore func(rec []byte) error) error {
	snapshots, err := j.folder.numbers(".all")
	if err != nil {
		return err
	}
	if n := len(snapshots); n > 0 {
		j.number = snapshots[n-1]
		if j.base, err = j.read(j.folder.snapshot(j.number), restore); err != nil {
			return err
		}
	}
	logs, err := j.folder.numbers(".log")
	if err != nil {
		return err
	}
	for _, n := range logs {
		if n < j.number {
			continue // a snapshot holds it; it was to be removed
		}
		j.number = n
		if j.size, err = j.read(j.folder.log(n), restore); err != nil {
			return err
		}
		j.grown += j.size
	}
	if err := j.openLog(); err != nil {
		return err
	}
	if err := j.takeStage(restore); err != nil {
		return err
	}
	j.next = j.size
	return j.openStage()
}

// openStage begins an empty stage, if there can be one.
func (j *journal) openStage() error {
	if err := reserve(j.file, j.next+reserveStep); err != nil {
		return nil // without room that is certain there is no stage
	}
	j.reserved = j.next + reserveStep
	s, err := openStage(j.folder.stage())
	if err != nil {
		j.log.Info("bindings: every batch is written before it is answered", "reason", err)
		return nil
	}
	j.stage, j.pending = s, s.begin()
	j.staged.Store(true)
	return nil
}

// read reads one file. What is torn at its end is cut off and reported.
func (j *journal) read(name string, restore func(rec []byte) error) (size int64, err error) {
	file, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	good, err := readFrames(file, restore)
	if errors.Is(err, errTorn) || errors.Is(err, errRecord) || errors.Is(err, io.ErrUnexpectedEOF) {
		end, _ := file.Seek(0, io.SeekEnd)
		j.log.Warn("bindings: torn end cut off", "file", name, "bytes", end-good)
		return good, file.Truncate(good)
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return good, nil
}

// openLog opens the log of the present number, new if it does not hold a header.
func (j *journal) openLog() (err error) {
	name := j.folder.log(j.number)
	if j.size == 0 {
		j.file, j.size, err = createLog(name)
		return err
	}
	j.file, err = os.OpenFile(name, os.O_RDWR, 0)
	return err
}

// compact makes a snapshot if enough was written since the last. all yields every record in the form of a log.
func (j *journal) compact(all iter.Seq[[]byte]) error {
	j.writing.Lock()
	enough := j.grown > max(compactAfter, 2*j.base)
	j.writing.Unlock()
	if !enough {
		return nil
	}
	number, err := j.nextLog()
	if err != nil {
		return err
	}
	size, err := j.writeSnapshot(number, all)
	if err != nil {
		return err
	}
	j.writing.Lock()
	j.base, j.grown = size, j.size
	j.writing.Unlock()
	return j.removeBefore(number)
}

// nextLog begins another log and returns its number. What is pending goes there: it comes before everything that is accepted later.
func (j *journal) nextLog() (number int, err error) {
	j.writing.Lock()
	defer j.writing.Unlock()
	old, oldSize := j.file, j.size
	file, size, err := createLog(j.folder.log(j.number + 1))
	if err != nil {
		return 0, err
	}
	if err := j.switchTo(file, size); err != nil {
		return 0, errors.Join(err, file.Close(), os.Remove(file.Name()))
	}
	j.number, j.size = j.number+1, size
	return j.number, errors.Join(syncFolder(string(j.folder)), old.Truncate(oldSize), old.Sync(), old.Close())
}

// switchTo makes file, of a size, the one that room is reserved in.
func (j *journal) switchTo(file *os.File, size int64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	next := size + int64(len(j.behind)+len(j.pending))
	if j.reserves {
		if err := reserve(file, next+reserveStep); err != nil {
			return err
		}
	}
	j.file, j.next, j.reserved = file, next, next+reserveStep
	return nil
}

func createLog(name string) (file *os.File, size int64, err error) {
	if file, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, 0, err
	}
	n, err := file.WriteAt(appendHeader(nil), 0)
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, int64(n), nil
}

// writeSnapshot writes all records, piece by piece. Meanwhile it sees to the log as syncLoop does.
func (j *journal) writeSnapshot(number int, all iter.Seq[[]byte]) (size int64, err error) {
	file, err := os.OpenFile(j.folder.scratch(), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	w := bufio.NewWriterSize(file, snapshotPiece)
	n, err := w.Write(appendHeader(nil))
	size = int64(n)
	confirmed := time.Now()
	for records := range all {
		before := size
		n, err = w.Write(records)
		if size += int64(n); err != nil {
			break
		}
		if size/snapshotPiece == before/snapshotPiece {
			continue
		}
		time.Sleep(snapshotPause)
		if j.isHurried() || time.Since(confirmed) >= syncEvery {
			j.confirm()
			confirmed = time.Now()
		}
		if size/snapshotSync > before/snapshotSync {
			if err = file.Sync(); err != nil { // all at once in the end would keep the log waiting
				break
			}
		}
	}
	if err = errors.Join(err, w.Flush(), file.Sync()); err != nil {
		return 0, err
	}
	if err := os.Rename(j.folder.scratch(), j.folder.snapshot(number)); err != nil {
		return 0, err
	}
	return size, syncFolder(string(j.folder))
}

// isHurried reports whether half of the stage has come into use.
func (j *journal) isHurried() bool {
	select {
	case <-j.hurry:
		return true
	default:
		return false
	}
}

// syncFolder makes new and renamed files of a folder outlive the machine.
func syncFolder(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// removeBefore removes the files that a snapshot has replaced.
func (j *journal) removeBefore(number int) error {
	var errs []error
	for _, ending := range []string{".log", ".all"} {
		numbers, err := j.folder.numbers(ending)
		errs = append(errs, err)
		for _, n := range numbers {
			if n >= number {
				continue
			}
			name := j.folder.log(n)
			if ending == ".all" {
				name = j.folder.snapshot(n)
			}
			if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}
