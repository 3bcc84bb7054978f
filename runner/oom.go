package runner

import (
	"os"
	"strconv"
	"strings"
)

const oomScore = "/proc/self/oom_score_adj"

// worthKeeping is the score of the process that has the machine's settings to put
// back: long after agents and anything ordinary, and yet not unkillable (-1000), for
// then a fault that takes all memory would cost the machine.
const worthKeeping = -500

// spareFromOOM keeps this process from the OOM killer where it may
// (CAP_SYS_RESOURCE); agents undo it for themselves. The function that it returns
// puts the score back.
func spareFromOOM() (undo func()) {
	before, err := os.ReadFile(oomScore)
	score, wrong := strconv.Atoi(strings.TrimSpace(string(before)))
	if err != nil || wrong != nil || score <= worthKeeping || os.WriteFile(oomScore, []byte(strconv.Itoa(worthKeeping)), 0) != nil {
		return func() {}
	}
	return func() { _ = os.WriteFile(oomScore, before, 0) }
}
