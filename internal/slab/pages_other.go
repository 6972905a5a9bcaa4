//go:build !linux

// Memory where none is asked of the system: the heap's.

package slab

// mapped returns nil: there is none beside the heap.
func mapped(int) []byte { return nil }

// unmap has nothing to give back.
func unmap([]byte) {}
