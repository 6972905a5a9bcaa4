// Memory that is a file.

package registrar

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
)

// machineLife names the present life of the machine: another one after each start.
func machineLife() ([]byte, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if b = bytes.TrimSpace(b); err == nil && (len(b) == 0 || len(b) > stageLife) {
		return nil, fmt.Errorf("boot_id has %d bytes", len(b))
	}
	return b, err
}

// mapFile makes the file n bytes long, all of them on the disk, and its bytes memory.
func mapFile(file *os.File, n int) ([]byte, error) {
	if err := syscall.Fallocate(int(file.Fd()), 0, 0, int64(n)); err != nil {
		return nil, fmt.Errorf("make room for %s: %w", file.Name(), err)
	}
	return syscall.Mmap(int(file.Fd()), 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
}

func unmapFile(b []byte) error { return syscall.Munmap(b) }
