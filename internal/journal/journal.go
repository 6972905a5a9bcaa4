// Package journal keeps a small state on disk as a file of lines of JSON, one for each change: what was added survives the end of the program, and a restart reads it again.
//
// What changes thousands of times a second, or must outlive the machine at once, has journals of its own: bindings (service/registrar) and call records (server/store).
package journal

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"strings"
)

// Journal is an open file of lines. A nil Journal keeps nothing. Not safe for use by several goroutines at once.
type Journal[T any] struct {
	file *os.File
	size int64
	torn bool  // it ends in the middle of a line
	err  error // why the last lines are not in it
}

// maxLine is how long a line may be that is read, in bytes. No change is as long: a longer line is damage.
const maxLine = 1 << 20

// Read gives the lines of a file to take, the oldest first; a file that is not there has none. A line that was not written whole, or is too long, is left out.
func Read[T any](name string, take func(T)) error {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	var line []byte
	lines, long := bufio.NewReader(f), false
	for {
		part, err := lines.ReadSlice('\n')
		if long = long || len(line)+len(part) > maxLine; !long {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		var r T
		if !long && json.Unmarshal(line, &r) == nil {
			take(r)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		line, long = line[:0], false
	}
}

// fresh is what the name of a file that is not in its place yet ends with.
const fresh = ".new"

// Rewrite begins a new file that says what is so, and nothing that was; it replaces the old one when it is on the disk. The caller closes the journal that it had before.
func Rewrite[T any](name string, all iter.Seq[T]) (*Journal[T], error) {
	j, err := Prepare(name, all)
	if err == nil {
		err = j.Place()
	}
	if err != nil {
		return nil, err
	}
	return j, nil
}

// Prepare is the slow part of [Rewrite]: the new file is on the disk, and the old one in its place until [Journal.Place].
func Prepare[T any](name string, all iter.Seq[T]) (*Journal[T], error) {
	f, err := os.OpenFile(name+fresh, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	j := &Journal[T]{file: f}
	j.Add(all)
	if err := errors.Join(j.err, f.Sync()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return j, nil
}

// Place puts a prepared file into the place of the old one. If it cannot, or something is missing in it, it closes it.
func (j *Journal[T]) Place() error {
	err, name := j.err, j.file.Name()
	if err == nil {
		err = os.Rename(name, strings.TrimSuffix(name, fresh))
	}
	if err != nil {
		return errors.Join(err, j.file.Close())
	}
	return nil
}

// Add appends lines in one piece. They are in the memory of the kernel when it returns, and survive the end of the program; [Journal.Err] says if they are not.
func (j *Journal[T]) Add(records iter.Seq[T]) {
	if j == nil {
		return
	}
	var lines []byte
	if j.torn {
		lines = append(lines, '\n') // or the first of them is lost with the half one
	}
	for r := range records {
		line, err := json.Marshal(r)
		if err != nil {
			j.err = err
			return
		}
		lines = append(append(lines, line...), '\n')
	}
	n, err := j.file.Write(lines)
	j.size += int64(n)
	j.torn = err != nil && (j.torn || n > 0)
	j.err = err
}

// Size returns how long the file is, in bytes.
func (j *Journal[T]) Size() int64 {
	if j == nil {
		return 0
	}
	return j.size
}

// Err says why the last lines that were added are not in the file; nil if they are.
func (j *Journal[T]) Err() error {
	if j == nil {
		return nil
	}
	return j.err
}

// Close brings the file to the disk and ends the journal; the error says if something is missing in it.
func (j *Journal[T]) Close() error {
	if j == nil {
		return nil
	}
	return errors.Join(j.err, j.file.Sync(), j.file.Close())
}
