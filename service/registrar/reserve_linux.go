// Room on the disk, reserved without changing the length of the file.

package registrar

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// keepSize is FALLOC_FL_KEEP_SIZE of fallocate(2).
const keepSize = 1

// reserve makes sure that the file can be written up to an offset; errors.ErrUnsupported if the file system cannot promise that.
func reserve(f *os.File, to int64) error {
	at, err := f.Stat()
	if err != nil || at.Size() >= to {
		return err
	}
	err = syscall.Fallocate(int(f.Fd()), keepSize, at.Size(), to-at.Size())
	if errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.ENOSYS) {
		return errors.ErrUnsupported
	}
	if err != nil {
		return fmt.Errorf("reserve room in %s: %w", f.Name(), err)
	}
	return nil
}
