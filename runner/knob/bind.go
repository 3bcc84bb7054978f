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
	familyIRQ               = "irq"
	familyGovernor          = "governor"
)

// Bind finds what a scenario's knob speaks of at a host: one Knob per queue,
// interrupt or cpufreq policy that matches. It changes nothing, and fails when
// the device or the kernel lacks the knob.
//
// device is the real name of the device that k.Device stands for; scope is
// what the caller knows of it: Netns for a device in a namespace of our own,
// Device for an existing one. For a sysctl scope comes from SysctlScope, and h
// is the namespace (Netns) or the machine (Host).
func Bind(h host.Host, k scenarios.Knob, device string, scope Scope) ([]Knob, error) {
	switch k.Family {
	case familySysctl:
		return bindSysctl(h, k.Name, scope)
	case familyRPSCPUs, familyRPSFlowCnt, familyXPSCPUs:
		return bindQueues(h, k.Family, device, k.Queue, scope)
	case familyGROFlushTimeout, familyNAPIDeferHardIRQs, familyTxQueueLen, familyThreaded:
		return bindAttr(h, k.Family, device, scope)
	case familyOffload:
		return bindOffload(h, device, k.Name, scope)
	case familyChannels:
		return bindChannels(h, device, k.Name, k.Value, scope)
	case familyMTU:
		return bindMTU(h, device, k.Value, scope)
	case familyIRQ:
		return bindIRQ(h, k.Device, device)
	case familyGovernor:
		return bindGovernor(h, k.Value)
	}
	return nil, unknownFamily(k.Family)
}

// FromSpec makes the knob that a journal wrote down. It asks no host: the
// device may be gone, and Restore wants to find out itself.
func FromSpec(s Spec) (Knob, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	switch s.Family {
	case familySysctl:
		return newSysctl(s)
	case familyRPSCPUs, familyRPSFlowCnt, familyXPSCPUs:
		return newQueue(s)
	case familyGROFlushTimeout, familyNAPIDeferHardIRQs, familyTxQueueLen, familyThreaded:
		return newAttr(s)
	case familyOffload:
		return newOffload(s)
	case familyChannels:
		return newChannels(s)
	case familyMTU:
		return newMTU(s)
	case familyIRQ:
		return newIRQ(s)
	case familyGovernor:
		return newGovernor(s)
	}
	return nil, unknownFamily(s.Family)
}

// A naming is what names a knob of a family: which fields of a Spec are set, and
// whether it may be the whole machine's.
type naming struct{ device, queue, name, machine bool }

var namings = map[string]naming{
	familySysctl:            {name: true, machine: true},
	familyRPSCPUs:           {device: true, queue: true},
	familyRPSFlowCnt:        {device: true, queue: true},
	familyXPSCPUs:           {device: true, queue: true},
	familyGROFlushTimeout:   {device: true},
	familyNAPIDeferHardIRQs: {device: true},
	familyTxQueueLen:        {device: true},
	familyThreaded:          {device: true},
	familyOffload:           {device: true, name: true},
	familyChannels:          {device: true, name: true},
	familyMTU:               {device: true},
	familyIRQ:               {name: true, machine: true},
	familyGovernor:          {name: true, machine: true},
}

// check refuses a Spec that Bind makes none like: with fields that its family has
// not, or of another scope.
func (s Spec) check() error {
	n, ok := namings[s.Family]
	if !ok {
		return unknownFamily(s.Family)
	}
	if s.Family == familyIRQ && s.Device != "" {
		n.device, n.machine = true, false
	}
	whole := Device
	if n.machine {
		whole = Host
	}
	if n != (naming{s.Device != "", s.Queue != "", s.Name != "", n.machine}) || s.Scope != Netns && s.Scope != whole {
		return fmt.Errorf("%s: what names it is incomplete, or too much: %+q", s.Family, []string{s.Device, s.Queue, s.Name, string(s.Scope)})
	}
	return nil
}

func unknownFamily(name string) error {
	return fmt.Errorf("%.40q is not a family of knobs that this netab knows", name)
}
