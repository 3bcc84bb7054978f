package results

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// The newest runs that are wanted are digested, each once: what the index knows
// is not read again, and what is not wanted is not read beyond its header.
func TestEarlier(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)
	for i := range 8 {
		started := began.Add(time.Duration(i) * time.Hour)
		name := []string{"asked", "other"}[i%2]
		w, err := Create(dir, NewID(name, started, uint64(i)), Header{Started: started, Design: Design{Name: name}})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.End(End{Reason: "decided"}); err != nil {
			t.Fatal(err)
		}
	}
	var read atomic.Int64 // the index reads several at once
	digest := func(r *Run) Digest {
		read.Add(1)
		d := Digest{Scenario: r.Header.Design.Name, Asked: "q", State: map[string]float64{"distance_ns": 70}, Semantics: 1,
			Effects: []DigestEffect{{Arm: "a", Baseline: "b", Metric: "goodput", X: 0.05, SE: 0.01, DF: 7}}}
		if r.Header.Started.Equal(began) {
			d.Unused = "cut off"
		}
		return d
	}
	of := func(most int, keep bool) (hours []int) {
		t.Helper()
		ds, err := s.Earlier("v", most, keep, digest, func(h *Header) bool { return h.Design.Name == "asked" }, func(d *Digest) bool { return d.Scenario == "asked" })
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range ds {
			hours = append(hours, int(d.Started.Sub(began).Hours()))
			if d.Asked != "q" || d.State["distance_ns"] != 70 || d.Semantics != 1 || len(d.Effects) != 1 || d.Effects[0].SE != 0.01 {
				t.Errorf("%+v", d)
			}
		}
		return hours
	}
	for _, tt := range []struct {
		most int
		keep bool
		read int64
		want []int
	}{
		{2, false, 2, []int{6, 4}}, // nothing is kept
		{2, true, 2, []int{6, 4}},
		{2, true, 0, []int{6, 4}},
		{50, true, 2, []int{6, 4, 2}}, // the oldest was cut off
		{50, true, 0, []int{6, 4, 2}},
	} {
		read.Store(0)
		if got := of(tt.most, tt.keep); !slices.Equal(got, tt.want) || read.Load() != tt.read {
			t.Errorf("%+v: %v, %d read", tt, got, read.Load())
		}
	}
	// The whole index takes what is there, and reads the others.
	read.Store(0)
	if x, err := s.Index("v", digest, nil); err != nil || read.Load() != 4 || len(x.Runs) != 8 {
		t.Errorf("%v, %d read", err, read.Load())
	}
}
