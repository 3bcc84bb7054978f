package analysis

import (
	"fmt"
	"strings"

	"netab/analysis/prose"
	"netab/analysis/record"
	"netab/results"
)

// An OtherMachine is one beside the first, where a path has its sides on several, and
// what it did besides while the slices ran.
type OtherMachine struct {
	Place  string `json:"place,omitempty"` // as the run calls it; "" where its trials do not say
	Host   string `json:"host"`
	Kernel string `json:"kernel"`
	CPU    string `json:"cpu"`
	CPUs   int    `json:"cpus"`
	// Foreign is the CPU time of programs that are not netab's, in CPUs; Steal is what
	// the hypervisor took, as a share of all CPU time. Nil where no trial says.
	Foreign *float64 `json:"foreign_cpus,omitempty"`
	Steal   *float64 `json:"steal,omitempty"`
}

// otherMachines are those of a run, over its valid trials.
func otherMachines(h *results.Header, trials []record.Trial) (out []OtherMachine) {
	for i, m := range h.Others {
		o := OtherMachine{Host: m.Hostname, Kernel: m.Kernel, CPU: m.CPUModel, CPUs: m.CPUs}
		var ran, foreign, steal float64
		for _, t := range trials {
			if i >= len(t.Others) || t.RunNS <= 0 {
				continue
			}
			o.Place = t.Others[i].Place
			ran += float64(t.RunNS)
			foreign += float64(t.Others[i].ForeignNS)
			steal += float64(t.Others[i].StealNS)
		}
		if ran > 0 {
			f, s := finite(foreign/ran), finite(steal/ran/float64(max(1, m.CPUs)))
			o.Foreign, o.Steal = &f, &s
		}
		out = append(out, o)
	}
	return out
}

// String is it in one line.
func (o OtherMachine) String() string {
	name := o.Host
	if o.Place != "" && o.Place != o.Host {
		name = strings.TrimSpace(o.Place + " (" + o.Host + ")")
	}
	if name == "" {
		name = "a machine without a name"
	}
	parts := []string{}
	for _, p := range []string{o.Kernel, o.CPU} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	text := name + ": " + strings.Join(append(parts, prose.Counted(o.CPUs, "CPU")), ", ")
	if o.Foreign == nil {
		return text + "; what else it did is not known"
	}
	return text + fmt.Sprintf("; other programs took %s of a CPU, the hypervisor %s of its time", prose.Percent(*o.Foreign), prose.Percent(*o.Steal))
}
