package kernels

import (
	"testing"
	"time"

	"netab/runner/campaign"
)

// TestTogether: as many as there is room for and as may be lost, and never part of a block
// beside others.
func TestTogether(t *testing.T) {
	const guest = 512 << 20
	for _, tt := range []struct {
		name         string
		due, kernels int // of whole blocks, but for what went before
		each         time.Duration
		room         uint64
		want         int
	}{
		{"all", 10, 2, 12 * time.Second, 24 << 30, 10},
		{"what is left of a block", 1, 2, 12 * time.Second, 24 << 30, 1},
		{"an odd rest", 3, 2, 12 * time.Second, 24 << 30, 3},
		{"half of the memory", 10, 2, 12 * time.Second, 8 << 30, 8},
		{"the rest of a block and a whole one", 5, 3, 12 * time.Second, 7 << 30, 5},
		{"the rest of a block, and no part of the next", 5, 3, 12 * time.Second, 4 << 30, 2},
		{"whole blocks", 9, 3, 12 * time.Second, 8 << 30, 6},
		{"less than a block", 9, 3, 12 * time.Second, 2 << 30, 1},
		{"hardly any memory", 10, 2, 12 * time.Second, 1 << 20, 1},
		{"five minutes at most", 100, 2, 30 * time.Second, 1 << 40, 10},
		{"a block that takes longer", 10, 2, time.Hour, 1 << 40, 2},
		{"one kernel", 5, 1, time.Second, 1 << 40, 5},
	} {
		plan := campaign.Order(tt.kernels, (tt.due+tt.kernels-1)/tt.kernels, 1)
		if got := together(plan[len(plan)-tt.due:], tt.each, tt.room, guest); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}
