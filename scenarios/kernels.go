package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"netab/results/vocab"
)

// A KernelArms is what each boot of one kernel measures.
type KernelArms struct {
	Kernel   string // as it was written
	Arms     []Arm  // named alike for all kernels, without what names the kernel
	Baseline string // of them; "" of one arm
}

// ByKernel divides arms by the kernel that they name: arms of one kernel are
// measured side by side in one boot, and arms of one name in the boots of several are
// compared. So an arm loses what its name says of the kernel: "kernel=a,rps=on" and
// "kernel=b,rps=on" of a matrix are "rps=on"; explicit arms "old-on" and "new-on" are
// "on". nil where no arm names a kernel; Parse has seen to it that then all do.
func (s *Scenario) ByKernel(arms []Arm) []KernelArms {
	if !slices.ContainsFunc(arms, func(a Arm) bool { return a.Config.Kernel != "" }) {
		return nil
	}
	baseline := s.BaselineArm(arms)
	var out []KernelArms
	for _, kernel := range kernelsOf(arms) {
		out = append(out, KernelArms{Kernel: kernel})
	}
	names := s.withoutKernel(arms)
	based := ""
	for i, a := range arms {
		at := slices.IndexFunc(out, func(k KernelArms) bool { return k.Kernel == a.Config.Kernel })
		if a.Name == baseline {
			based = names[i].name
			out[0], out[at] = out[at], out[0] // the baseline's kernel is the one that others are compared with
			at = 0
		}
		a.Name, a.Levels, a.Config.Kernel = names[i].name, names[i].levels, ""
		out[at].Arms = append(out[at].Arms, a)
	}
	for i, k := range out {
		switch {
		case len(k.Arms) < 2:
		case slices.ContainsFunc(k.Arms, func(a Arm) bool { return a.Name == based }):
			out[i].Baseline = based
		default:
			out[i].Baseline = k.Arms[0].Name
		}
	}
	return out
}

func kernelsOf(arms []Arm) (kernels []string) {
	for _, a := range arms {
		if !slices.Contains(kernels, a.Config.Kernel) {
			kernels = append(kernels, a.Config.Kernel)
		}
	}
	return kernels
}

// A label is the name of an arm, and its levels.
type label struct {
	name   string
	levels []ArmLevel
}

// withoutKernel are the arms' labels less what they say of the kernel.
func (s *Scenario) withoutKernel(arms []Arm) []label {
	if len(s.Matrix) > 0 {
		return s.withoutFactor(arms)
	}
	byKernel := map[string][]int{}
	for i, a := range arms {
		byKernel[a.Config.Kernel] = append(byKernel[a.Config.Kernel], i)
	}
	kernels := kernelsOf(arms)
	labels := make([]label, len(arms))
	seen := map[string]bool{}
	for n := range byKernel[kernels[0]] {
		var names []string
		for _, k := range kernels {
			if of := byKernel[k]; len(of) == len(byKernel[kernels[0]]) {
				names = append(names, arms[of[n]].Name)
			}
		}
		name := commonName(names)
		if name == "" && len(byKernel[kernels[0]]) == 1 {
			name = s.Name
		}
		if len(names) < len(kernels) || name == "" || seen[name] {
			return ownNames(arms)
		}
		seen[name] = true
		for _, k := range kernels {
			labels[byKernel[k][n]].name = name
		}
	}
	return labels
}

// ownNames are the labels of explicit arms that cannot be laid side by side: those
// that are called the same are compared, and there are none.
func ownNames(arms []Arm) []label {
	var out []label
	for _, a := range arms {
		out = append(out, label{name: a.Name})
	}
	return out
}

// withoutFactor leaves out the factors whose level says which kernel it is.
func (s *Scenario) withoutFactor(arms []Arm) []label {
	says := func(factor string) bool {
		of := map[string]string{}
		for _, a := range arms {
			for _, l := range a.Levels {
				if l.Factor != factor {
					continue
				}
				if k, ok := of[l.Level]; ok && k != a.Config.Kernel {
					return false
				}
				of[l.Level] = a.Config.Kernel
			}
		}
		return true
	}
	several := len(kernelsOf(arms)) > 1
	out := make([]label, len(arms))
	for i, a := range arms {
		var names []string
		for _, l := range a.Levels {
			if several && says(l.Factor) {
				continue
			}
			names = append(names, l.Factor+"="+l.Level)
			out[i].levels = append(out[i].levels, l)
		}
		if out[i].name = strings.Join(names, ","); out[i].name == "" {
			out[i].name = s.Name
		}
	}
	return out
}

// commonName is the part that names have in common at their end, else at their
// begin, between the marks that part a name; "" where there is none.
func commonName(names []string) string {
	parted := func(name string) []string {
		return strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("._+=,@:-", r) })
	}
	common := func(at func(parts []string, n int) string) (n int) {
		for first := parted(names[0]); n < len(first); n++ {
			if slices.ContainsFunc(names, func(name string) bool {
				p := parted(name)
				return n >= len(p) || at(p, n) != at(first, n)
			}) {
				return n
			}
		}
		return n
	}
	first := parted(names[0])
	if n := common(func(p []string, n int) string { return p[len(p)-1-n] }); n > 0 {
		return strings.Join(first[len(first)-n:], "-")
	}
	return strings.Join(first[:common(func(p []string, n int) string { return p[n] })], "-")
}

// sideBySide are the drafts that are measured together: all of them, or of the kernel
// that has most.
func sideBySide(drafts []draft) (most []draft) {
	byKernel := map[string][]draft{}
	for _, dr := range drafts {
		k := dr.cfg.Kernel
		if byKernel[k] = append(byKernel[k], dr); len(byKernel[k]) > len(most) {
			most = byKernel[k]
		}
	}
	return most
}

// eachBoot is what max_time leaves for each boot, and how many boots there are.
func (m Measure) eachBoot(drafts []draft) (Duration, int) {
	kernels := map[string]bool{}
	for _, dr := range drafts {
		if dr.cfg.Kernel != "" {
			kernels[dr.cfg.Kernel] = true
		}
	}
	if len(kernels) == 0 {
		return 0, 0
	}
	boots := len(kernels) * m.BootsOfEach()
	return m.MaxTime / Duration(boots), boots
}

// BootsOfEach is how often each kernel is booted.
func (m Measure) BootsOfEach() int {
	fill(&m.Boots, defaultBoots)
	return m.Boots
}

// checkKernels holds the kernels of all arms against each other: some in a guest and
// some on this machine could not be compared.
func (s *Scenario) checkKernels(d *decoder, drafts []draft) {
	const path = "kernel"
	with := slices.IndexFunc(drafts, func(dr draft) bool { return dr.cfg.Kernel != "" })
	if with < 0 {
		return
	}
	for _, dr := range drafts {
		if dr.cfg.Kernel == "" {
			d.fail(dr.where.at(""), fmt.Sprintf("arm %s names no kernel, and arm %s does", dr.name, drafts[with].name), "give each arm a kernel, or none: one in a guest and one on this machine are not comparable")
			return
		}
		if dr.cfg.Topology.Kind == vocab.NIC {
			d.fail(dr.where.at(path), path+": a guest has no devices of this machine", "use topology loopback or veth")
			return
		}
	}
}
