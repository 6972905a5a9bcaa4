// What a process and its children have used, out of /proc. proc(5).

package load

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of processor time in /proc on every Linux.
const tick = 10 * time.Millisecond

// processes is a process with all its descendants.
type processes []int

// processTree finds the descendants of a process.
func processTree(pid int) (processes, error) {
	if _, _, err := readStat(pid); err != nil {
		return nil, fmt.Errorf("load: process %d cannot be measured: %w", pid, err)
	}
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	children := make(map[int][]int)
	for _, path := range all {
		child, err := strconv.Atoi(filepath.Base(path))
		if err != nil {
			continue
		}
		if parent, _, err := readStat(child); err == nil { // otherwise it has ended meanwhile
			children[parent] = append(children[parent], child)
		}
	}
	tree := processes{pid}
	for i := 0; i < len(tree); i++ {
		tree = append(tree, children[tree[i]]...)
	}
	return tree, nil
}

// readStat returns parent and processor time of a process.
func readStat(pid int) (parent int, used time.Duration, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	// The name stands in parentheses and may hold anything.
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 13 {
		return 0, 0, errors.New("too few fields in stat")
	}
	parent, err = strconv.Atoi(fields[1])
	for _, field := range fields[11:13] { // utime, stime
		n, e := strconv.ParseInt(field, 10, 64)
		used, err = used+time.Duration(n)*tick, errors.Join(err, e)
	}
	return parent, used, err
}

// used is the processor time of all.
func (p processes) used() (sum time.Duration) {
	for _, pid := range p {
		if _, used, err := readStat(pid); err == nil {
			sum += used
		}
	}
	return sum
}

// memory is the proportional set size of all, in kB.
func (p processes) memory() (sum int64) {
	for _, pid := range p {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			if value, ok := strings.CutPrefix(line, "Pss:"); ok {
				n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
				sum += n
			}
		}
	}
	return sum
}
