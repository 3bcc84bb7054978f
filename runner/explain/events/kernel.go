package events

import (
	"fmt"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// A Kernel is what its type information says of its structs. It is read once: 10 ms.
type Kernel struct {
	missing error // why there is none
	at      map[string]uint32
	reasons map[uint32]string
	args    int // of kfree_skb's tracepoint; 0 = not known
}

// fields are those that programs read, by the variable that says where.
var fields = map[string]struct {
	of   string
	path []string
}{
	programsVarSkbDev:    {"sk_buff", []string{"dev"}},
	programsVarSkbSk:     {"sk_buff", []string{"sk"}},
	programsVarDevNet:    {"net_device", []string{"nd_net", "net"}},
	programsVarSkNet:     {"sock_common", []string{"skc_net", "net"}}, // which a sock begins with
	programsVarNetNumber: {"net", []string{"ns", "inum"}},
	programsVarTaskPid:   {"task_struct", []string{"pid"}},
	programsVarTaskName:  {"task_struct", []string{"comm"}},
}

// ReadKernel reads it; a kernel without says so where it is asked.
func ReadKernel() *Kernel {
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		return &Kernel{missing: err}
	}
	return kernelOf(spec)
}

// reasonPrefix begins the kernel's names.
const reasonPrefix = "SKB_DROP_REASON_"

// noReason are those below which nothing was dropped (include/net/dropreason-core.h).
const noReason = "NOT_DROPPED_YET"

func kernelOf(spec *btf.Spec) *Kernel {
	k := &Kernel{at: map[string]uint32{}, reasons: map[uint32]string{}}
	for variable, f := range fields {
		var s *btf.Struct
		if spec.TypeByName(f.of, &s) != nil {
			continue
		}
		if at, ok := offset(s, f.path); ok {
			k.at[variable] = at
		}
	}
	var e *btf.Enum
	if spec.TypeByName("skb_drop_reason", &e) == nil {
		for _, v := range e.Values {
			if name, ok := strings.CutPrefix(v.Name, reasonPrefix); ok && name != noReason && name != "MAX" && name != "SUBSYS_MASK" {
				k.reasons[uint32(v.Value)] = name
			}
		}
	}
	var t *btf.Typedef
	if spec.TypeByName("btf_trace_kfree_skb", &t) == nil {
		if p, ok := btf.UnderlyingType(t).(*btf.Pointer); ok {
			if f, ok := p.Target.(*btf.FuncProto); ok {
				k.args = len(f.Params) - 1 // the first is the tracepoint's own
			}
		}
	}
	return k
}

// offset of a member, also where it is in a struct or union without a name.
func offset(t btf.Type, path []string) (uint32, bool) {
	if len(path) == 0 {
		return 0, true
	}
	var members []btf.Member
	switch t := btf.UnderlyingType(t).(type) {
	case *btf.Struct:
		members = t.Members
	case *btf.Union:
		members = t.Members
	}
	for _, m := range members {
		rest := path
		if m.Name == path[0] {
			rest = path[1:]
		} else if m.Name != "" {
			continue
		}
		if at, ok := offset(m.Type, rest); ok {
			return m.Offset.Bytes() + at, true
		}
	}
	return 0, false
}

// offsets are the variables' values; 0 = not known.
func (k *Kernel) offsets() map[string]uint32 {
	out := map[string]uint32{}
	for variable := range fields {
		out[variable] = k.at[variable]
	}
	return out
}

// lacks says why not all of these are known; "" = they are.
func (k *Kernel) lacks(variables ...string) string {
	if k.missing != nil {
		return fmt.Sprintf("this kernel has no type information (CONFIG_DEBUG_INFO_BTF): %v", k.missing)
	}
	for _, v := range variables {
		if k.at[v] == 0 {
			f := fields[v]
			return fmt.Sprintf("this kernel's struct %s has no %s where netab looks for it", f.of, strings.Join(f.path, "."))
		}
	}
	return ""
}

func (k *Kernel) hasReasons() bool { return k.args >= 3 && len(k.reasons) > 0 }

func (k *Kernel) withoutReasons() string {
	if k.missing != nil {
		return k.lacks()
	}
	return "this kernel does not say why it drops a packet: Linux 5.17 does"
}

// reason names one. Those of parts of the kernel that name their own are told by number.
func (k *Kernel) reason(n uint32) string {
	switch name, ok := k.reasons[n]; {
	case !k.hasReasons():
		return ""
	case ok:
		return name
	}
	return fmt.Sprintf("reason %#x", n)
}
