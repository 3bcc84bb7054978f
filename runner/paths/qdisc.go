package paths

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"

	"netab/runner/host"
	"netab/runner/knob"
	"netab/scenarios"
)

// Qdiscs says which queueing disciplines the kernel has, a line each for those that
// it has, and that it has not.
func Qdiscs() []string {
	var has, lacks []string
	var failed error
	isolated(func() {
		for _, kind := range scenarios.QdiscKinds() {
			var none *knob.NoQdisc
			switch err := knob.HasQdisc(host.Local{}, kind); {
			case err == nil:
				has = append(has, kind)
			case errors.As(err, &none):
				lacks = append(lacks, kind)
			default:
				failed = err
			}
		}
	})
	switch {
	case errors.Is(failed, unix.EPERM):
		return []string{"not known: needs CAP_NET_ADMIN"}
	case failed != nil:
		return []string{"not known: " + failed.Error()}
	}
	out := []string{strings.Join(has, ", ")}
	if len(lacks) > 0 {
		out = append(out, "not in this kernel (CONFIG_NET_SCH_...): "+strings.Join(lacks, ", "))
	}
	return out
}
