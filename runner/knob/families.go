package knob

import (
	"fmt"

	"netab/runner/host"
	"netab/scenarios"
)

// The families, by the names that scenarios gives them.
const (
	familySysctl            = "sysctl"
	familyRPSCPUs           = "rps_cpus"
	familyRPSFlowCnt        = "rps_flow_cnt"
	familyXPSCPUs           = "xps_cpus"
	familyGROFlushTimeout   = "gro_flush_timeout"
	familyNAPIDeferHardIRQs = "napi_defer_hard_irqs"
	familyTxQueueLen        = "tx_queue_len"
	familyThreaded          = "threaded"
	familyOffload           = "offload"
	familyChannels          = "channels"
	familyMTU               = "mtu"
	familyQdisc             = "qdisc"
	familyIRQ               = "irq"
	familyGovernor          = "governor"
)

// families is the table of what there is. A new family is a row here and a file
// that says how its knobs are found, read and written.
var families = []family{
	{name: familySysctl, of: OfNamespace, bind: bindSysctl, make: newSysctl, named: naming{name: true}},
	{name: familyRPSCPUs, bind: bindQueues, make: newQueue, named: naming{device: true, queue: true}},
	{name: familyRPSFlowCnt, bind: bindQueues, make: newQueue, named: naming{device: true, queue: true}},
	{name: familyXPSCPUs, bind: bindQueues, make: newQueue, named: naming{device: true, queue: true}},
	{name: familyGROFlushTimeout, bind: bindAttr, make: newAttr, named: naming{device: true}},
	{name: familyNAPIDeferHardIRQs, bind: bindAttr, make: newAttr, named: naming{device: true}},
	{name: familyTxQueueLen, bind: bindAttr, make: newAttr, named: naming{device: true}},
	{name: familyThreaded, bind: bindAttr, make: newAttr, named: naming{device: true}},
	{name: familyOffload, bind: bindOffload, make: newOffload, named: naming{device: true, name: true}},
	{name: familyChannels, bind: bindChannels, make: newChannels, named: naming{device: true, name: true}},
	{name: familyMTU, bind: bindMTU, make: newMTU, named: naming{device: true}},
	{name: familyQdisc, bind: bindQdisc, make: newQdisc, named: naming{device: true}},
	{name: familyIRQ, of: OfMachine, bind: bindIRQ, make: newIRQ, named: naming{name: true}, mayNameDevice: true},
	{name: familyGovernor, of: OfMachine, bind: bindGovernor, make: newGovernor, named: naming{name: true}},
}

// A family is one kind of knob.
type family struct {
	name string
	of   Subject
	bind func(h host.Host, a asked) ([]Knob, error)
	make func(Spec) (Knob, error) // of a Spec of the right form
	// named says which fields of a Spec are set; with mayNameDevice the device is
	// another one that may be, and then the knob is that device's.
	named         naming
	mayNameDevice bool
}

// A naming is which fields of a Spec are set.
type naming struct{ device, queue, name bool }

// asked is a scenario's knob and what Bind was told of it.
type asked struct {
	scenarios.Knob        // Device is the key that the scenario gave
	device         string // its real name
	scope          Scope
}

// spec is the Spec of one knob of what was asked for, by its family's naming.
func (a asked) spec(queue, name string) Spec {
	return Spec{Family: a.Family, Device: a.device, Queue: queue, Name: name, Scope: a.scope}
}

// A Subject is what a knob of a family is a setting of, and so where it is to be
// looked for.
type Subject int

// The subjects. Of a device's knob the namespace is where the device is; a sysctl
// may be the machine's all the same, see SysctlScope.
const (
	OfDevice Subject = iota
	OfNamespace
	OfMachine
)

// SubjectOf is what a family's knobs are settings of.
func SubjectOf(name string) Subject {
	f, err := familyOf(name)
	if err != nil {
		return OfDevice // Bind says that there is no such family
	}
	return f.of
}

func familyOf(name string) (family, error) {
	for _, f := range families {
		if f.name == name {
			return f, nil
		}
	}
	return family{}, fmt.Errorf("%.40q is not a family of knobs that this netab knows", name)
}

// Bind finds what a scenario's knob speaks of at a host: one Knob per queue,
// interrupt or cpufreq policy that matches. It changes nothing, and fails when
// the device or the kernel lacks the knob.
//
// device is the real name of the device that k.Device stands for; scope is
// what the caller knows of it: Netns for a device in a namespace of our own,
// Device for an existing one. For a sysctl scope comes from SysctlScope, and h
// is the namespace (Netns) or the machine (Host).
func Bind(h host.Host, k scenarios.Knob, device string, scope Scope) ([]Knob, error) {
	f, err := familyOf(k.Family)
	if err != nil {
		return nil, err
	}
	return f.bind(h, asked{Knob: k, device: device, scope: scope})
}

// FromSpec makes the knob that a journal wrote down. It asks no host: the
// device may be gone, and Restore wants to find out itself.
func FromSpec(s Spec) (Knob, error) {
	f, err := familyOf(s.Family)
	if err != nil {
		return nil, err
	}
	if err := f.check(s); err != nil {
		return nil, err
	}
	return f.make(s)
}

// check refuses a Spec that Bind makes none like: with fields that its family has
// not, or of another scope.
func (f family) check(s Spec) error {
	want, whole := f.named, Device
	if f.mayNameDevice && s.Device != "" {
		want.device = true
	} else if f.of != OfDevice {
		whole = Host
	}
	if want != (naming{s.Device != "", s.Queue != "", s.Name != ""}) || s.Scope != Netns && s.Scope != whole {
		return fmt.Errorf("%s: what names it is incomplete, or too much: %+q", s.Family, []string{s.Device, s.Queue, s.Name, string(s.Scope)})
	}
	return nil
}
