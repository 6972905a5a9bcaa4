//go:build !linux || !(amd64 || arm64)

// Systems whose kernel carries nothing for us.

package kernel

import "errors"

// Table is that of no system.
type Table struct{}

// Entry is a place in a [Table].
type Entry struct{}

// Open returns errors.ErrUnsupported.
func Open() (*Table, error) { return nil, errors.ErrUnsupported }

// Close is never called.
func (*Table) Close() error { return nil }

// Changed is never called.
func (*Table) Changed() <-chan struct{} { return nil }

// Review is never called.
func (*Table) Review() error { return nil }

// Reserve is never called.
func (*Table) Reserve() (*Entry, error) { return nil, errors.ErrUnsupported }

// Start is never called.
func (*Table) Start(*Entry, Way) error { return errors.ErrUnsupported }

// Release is never called.
func (*Table) Release(*Entry) {}

// Running is never called.
func (*Table) Running() int { return 0 }

// Stop is never called.
func (*Entry) Stop() {}

// Running is never called.
func (*Entry) Running() bool { return false }

// Count is never called.
func (*Entry) Count() Count { return Count{} }
