// Package knob turns kernel and device settings, and puts them back.
//
// A knob is borrowed, never owned. One file per family (sysctl, queues, attrs,
// offload, channels, mtu, qdisc, irq, governor) says how to read and write it, and a row
// of the table in families.go makes it known; the journal holds what host and device knobs were before, on disk before the
// first write, so that whatever ends the run, the machine is left as it was.
//
// The way of a scenario's knob: Bind finds its objects at a host and fails if
// the kernel or the device lacks it; Journal.Set (or Borrow, for those who
// write by themselves) remembers, writes, reads back and compares; Restore, in
// this process or a later one, goes backwards. Knobs of a namespace of our own
// die with it and need only Apply. Lock is the right to measure: restoring
// while a run is alive would pull the knobs from under it.
//
// Values are for people: CPU sets are lists ("0,2-3", "none") although the
// kernel takes masks, features are on and off. It refuses what cannot be put
// back: an MTU or a disable_ipv6 that deletes the addresses of existing
// devices, a device in a bridge that should be moved away.
package knob

import (
	"time"

	"netab/runner/host"
)

// Scope says what a knob's change touches, and so whether arms that differ in
// it can stand side by side.
type Scope string

// The scopes of design.md.
const (
	Netns  Scope = "netns"  // a namespace of our own, gone with it
	Device Scope = "device" // one existing device: borrowed for the run
	Host   Scope = "host"   // the whole machine
)

// A Knob is one setting of one object at one host. It is bound to its object
// (which file, which device) by Bind but holds no value.
type Knob interface {
	// String names the knob for people and records: "sysctl
	// net.ipv4.tcp_rmem", "lo rx-0 rps_cpus", "eth0 offload gro".
	String() string
	Scope() Scope
	// Settle is how long traffic needs to feel a change of it. SlowSwitch
	// knobs (queue counts, MTU of a NIC) disturb live flows so much that they
	// are changed between trials only.
	Settle() time.Duration
	SlowSwitch() bool
	// Read returns the value in the form that Write accepts and Equal compares.
	Read(h host.Host) (string, error)
	Write(h host.Host, value string) error
	// Check says what is wrong with a value that cannot be the knob's, whatever
	// the host. Write and the journal do it themselves.
	Check(value string) error
	// Equal says whether a value read back is the value asked for (masks with
	// and without leading zero groups, runs of blanks in a sysctl).
	Equal(asked, got string) bool
	// Spec is how the journal writes the knob down; FromSpec makes it again.
	Spec() Spec
}

// A Spec is a knob in the journal: enough to bind it again in another process.
type Spec struct {
	Family string `json:"family"`
	Device string `json:"device,omitempty"`
	Queue  string `json:"queue,omitempty"`
	Name   string `json:"name,omitempty"`
	Scope  Scope  `json:"scope"`
}

// A Collateraler is a knob whose write makes the kernel or the driver change
// others as well. The journal remembers those before the first write.
type Collateraler interface {
	// Collateral lists the knobs, as they are now, that a write may disturb.
	Collateral(h host.Host) ([]Knob, error)
}
