// Randomness that a seed repeats.

package siptest

import (
	"fmt"
	"math/rand/v2"
	"sync"
)

// Random is a source that gives the same numbers for the same seed of the bench and the same name. Any goroutine may use it.
type Random struct {
	mu     sync.Mutex // guards source
	source *rand.ChaCha8
}

// Random returns the source called name, for the stacks and tables of a program under test.
func (b *Bench) Random(name string) *Random {
	var key [32]byte
	copy(key[:], fmt.Sprintf("%d %s", b.Net.Seed, name))
	return &Random{source: rand.NewChaCha8(key)}
}

// Read fills b; it never fails.
func (r *Random) Read(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.source.Read(b)
}

// Uint64 returns a random number.
func (r *Random) Uint64() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.source.Uint64()
}
