//go:build !linux

// No stage where the memory of a file and the life of the machine are not known to behave.

package registrar

import (
	"errors"
	"os"
)

// machineLife gives an error: no stage is made.
func machineLife() ([]byte, error) { return nil, errors.ErrUnsupported }

// mapFile is not reached.
func mapFile(*os.File, int) ([]byte, error) { return nil, errors.ErrUnsupported }

// unmapFile is not reached.
func unmapFile([]byte) error { return nil }
