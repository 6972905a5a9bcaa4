// Memory from the system. Large regions ask for huge pages: records are met in no order, and each would cost a walk through the page tables.

package slab

import "syscall"

// mapped returns n zeroed bytes, nil if the system has none.
func mapped(n int) []byte {
	b, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil
	}
	if n >= nextRegion {
		_ = syscall.Madvise(b, syscall.MADV_HUGEPAGE) // a wish: small pages do as well
	}
	return b
}

// unmap gives b back. It fails for nothing that mapped returned.
func unmap(b []byte) { _ = syscall.Munmap(b) }
