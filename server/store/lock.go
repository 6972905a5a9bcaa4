// Locks between processes: one server to a data folder, one migration at a time.

package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Lock is a lock held by this process until it is released or the process ends, however it ends.
type Lock struct{ file *os.File }

// LockFolder locks the data folder dir for one server and makes the folder if it is missing. It fails with [ErrLocked] and the process id of the one that has it.
func LockFolder(dir string) (*Lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("store: make the data folder: %w", err)
	}
	l, err := flock(filepath.Join(dir, "server.lock"), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("the data folder %s %w%s", dir, ErrLocked, holder(dir))
	}
	if err != nil {
		return nil, err
	}
	if err = l.file.Truncate(0); err == nil {
		_, err = l.file.WriteString(strconv.Itoa(os.Getpid()) + "\n")
	}
	if err != nil {
		l.Release()
		return nil, fmt.Errorf("store: write the lock: %w", err)
	}
	return l, nil
}

// holder says which process has locked dir, as far as that can be read.
func holder(dir string) string {
	b, err := os.ReadFile(filepath.Join(dir, "server.lock"))
	if pid := strings.TrimSpace(string(b)); err == nil && pid != "" {
		return " (process " + pid + ")"
	}
	return ""
}

// waitLock waits for the lock that is the file path.
func waitLock(path string) (*Lock, error) { return flock(path, syscall.LOCK_EX) }

func flock(path string, how int) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store: lock: %w", err)
	}
	for {
		if err = syscall.Flock(int(f.Fd()), how); !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("store: lock %s: %w", path, err)
	}
	return &Lock{file: f}, nil
}

// Release gives the lock back. The file stays, because another process may already wait on it.
func (l *Lock) Release() { l.file.Close() }
