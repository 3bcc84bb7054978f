package canary

import (
	"testing"
	"time"

	"netab/runner/detached"
	"netab/test/need"
)

// TestEdges: what one CPU does alone, and, where there are two, beside the other.
func TestEdges(t *testing.T) {
	m, err := NewMemory(MemorySize(0))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	cpus, err := Allowed()
	if err != nil {
		t.Fatal(err)
	}
	one, err := Edges([2]int{cpus[0], cpus[0]}, m)
	if err != nil {
		t.Fatal(err)
	}
	if e := one[0]; len(one) != 1 || e.Step <= 0 || e.Cache <= 0 || e.Memory <= 0 || e.Beside != 0 || e.Wake != 0 {
		t.Errorf("one CPU: %+v", one)
	}
	need.CPUs(t, 2)
	for range 5 { // others may have the CPUs
		began := detached.Now()
		both, err := Edges([2]int{cpus[1], cpus[0]}, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("in %v: %+v", time.Duration(detached.Now()-began), both)
		if both[0].CPU != cpus[1] || both[1].CPU != cpus[0] || both[0].Step <= 0 || both[0].Memory != 0 {
			t.Fatalf("two CPUs: %+v", both)
		}
		if both[0].Beside > 0 && both[1].Beside > 0 && both[0].Wake > 0 && both[1].Wake > 0 {
			return
		}
	}
	t.Error("never beside each other, or never woken")
}

// TestMemoryGoesRound: no stretch comes again before all others have.
func TestMemoryGoesRound(t *testing.T) {
	m, err := NewMemory(MemorySize(5 * stretch))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	parts := len(m.all) / (2 * stretch)
	if parts < 2 {
		t.Fatalf("%d parts", parts)
	}
	seen := map[*byte]int{}
	for i := range 2 * parts {
		to, from := m.next()
		for _, b := range []*byte{&to[0], &from[0]} {
			if before, ok := seen[b]; ok && i-before != parts {
				t.Errorf("used in turn %d and again in turn %d of %d parts", before, i, parts)
			}
			seen[b] = i
		}
	}
	if len(seen) != 2*parts {
		t.Errorf("%d stretches of %d", len(seen), 2*parts)
	}
}
