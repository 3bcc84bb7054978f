package agent

import (
	"os"
	"strconv"
)

// maxExpendable is the highest score of the OOM killer.
const maxExpendable = 1000

// expendable makes this process the first that the OOM killer takes: an agent that
// is gone costs an arm a trial, any other process of the machine is worth more.
// Everybody may raise the score of his own process (oom_adjust_permission and
// __set_oom_adj in fs/proc/base.c). Where it cannot be, agents work all the same.
func expendable() {
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte(strconv.Itoa(maxExpendable)), 0)
}
