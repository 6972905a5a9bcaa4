// Package slab keeps millions of small records by key without the garbage collector noticing: in pages without pointers, found through an index that grows by
// one bucket at a time, so that no insertion waits for a table to be doubled.
//
// [Map] is the table, [Pages] is where its memory comes from. Neither knows what a record means.
package slab

import "sync"

// Sizes of what is taken from the system. The first region is small: most tables are.
const (
	firstRegion = 4 << 20
	nextRegion  = 32 << 20
)

// Pages is memory for several maps: regions from the system that the garbage collector does not count, handed out piece by piece and given back all at once.
// The zero Pages is ready. Safe for use by many goroutines.
type Pages struct {
	mu      sync.Mutex // guards the rest
	rest    []byte     // of the newest region
	regions [][]byte
}

// take returns n zeroed bytes. A nil Pages takes them from the heap, so that they go with the last who knows them.
func (p *Pages) take(n int) []byte {
	if p == nil {
		return make([]byte, n)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.rest) < n {
		size := nextRegion
		if len(p.regions) == 0 {
			size = firstRegion
		}
		region := mapped(max(size, n))
		if region == nil {
			return make([]byte, n)
		}
		p.regions = append(p.regions, region)
		p.rest = region
	}
	b := p.rest[:n:n]
	p.rest = p.rest[n:]
	return b
}

// Free gives all memory back. The maps that took from it must not be used any more.
func (p *Pages) Free() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, region := range p.regions {
		unmap(region)
	}
	p.rest, p.regions = nil, nil
}
