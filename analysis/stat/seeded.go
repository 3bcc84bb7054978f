package stat

import (
	"hash/fnv"
	"math/rand/v2"
)

// Seeded is a source of random numbers that depends on the run's seed and on
// what it is for, so that judging a run twice, or one comparison alone, gives
// the same figures.
func Seeded(seed uint64, purpose ...string) *rand.Rand {
	h := fnv.New64a()
	for _, p := range purpose {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}
