package simcloud

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"sync"
	"time"
)

// A Random draws everything random from one seed. It may be used concurrently.
type Random struct {
	mu  sync.Mutex
	src *rand.Rand
}

func NewRandom(seed uint64) *Random {
	return &Random{src: rand.New(rand.NewPCG(seed, 0x7463_7369_6d00_0001))}
}

// Below returns a number in [0, n).
func (r *Random) Below(n int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.src.IntN(n)
}

// Chance reports true with probability p.
func (r *Random) Chance(p float64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.src.Float64() < p
}

// Permutation returns the numbers below n in random order.
func (r *Random) Permutation(n int) []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.src.Perm(n)
}

// Around returns a duration within a fifth of d.
func (r *Random) Around(d time.Duration) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Duration(float64(d) * (0.8 + 0.4*r.src.Float64()))
}

// Name returns prefix and eight characters, as resource ids of CVM look.
func (r *Random) Name(prefix string) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	r.mu.Lock()
	defer r.mu.Unlock()
	b := []byte(prefix)
	for range 8 {
		b = append(b, alphabet[r.src.IntN(len(alphabet))])
	}
	return string(b)
}

// UUID returns a version 4 UUID, as request ids look.
func (r *Random) UUID() string {
	var b [16]byte
	r.mu.Lock()
	binary.BigEndian.PutUint64(b[:8], r.src.Uint64())
	binary.BigEndian.PutUint64(b[8:], r.src.Uint64())
	r.mu.Unlock()
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
