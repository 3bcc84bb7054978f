package knob

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"netab/runner/host"
	"netab/scenarios"
)

// qdisc is the queueing discipline at the root of a device. It goes through rtnetlink:
// sysfs has no file for it, and tc(8) need not be there.
//
// Its value is a scenarios.Qdisc as text. What the kernel gave a device by itself has
// the handle 0 and reads "default (noqueue)"; to write that is to delete what was put
// there, upon which the kernel puts its own there again (qdisc_graft and dev_activate,
// net/sched).
type qdisc struct{ spec Spec }

func newQdisc(spec Spec) (Knob, error) {
	if err := checkDeviceName(spec.Device); err != nil {
		return nil, err
	}
	return qdisc{spec}, nil
}

func (k qdisc) String() string { return k.spec.Device + " qdisc" }
func (k qdisc) Scope() Scope   { return k.spec.Scope }
func (k qdisc) Spec() Spec     { return k.spec }

// SlowSwitch: what waits in a qdisc is dropped with it, and a connection under another
// delay or loss is not the one that would have been there under it.
func (k qdisc) SlowSwitch() bool { return true }

// Settle is how long TCP takes to notice what was dropped (200 ms RTO minimum), and
// to go on.
func (k qdisc) Settle() time.Duration { return 500 * time.Millisecond }

// Check implements Knob.
func (k qdisc) Check(value string) error {
	if err := checkValue(value); err != nil {
		return err
	}
	_, err := parseQdisc(value)
	return err
}

// parseQdisc reads a value, of a default one also with the kind that it is.
func parseQdisc(value string) (scenarios.Qdisc, error) {
	if kind, ok := strings.CutPrefix(value, scenarios.DefaultQdisc+" ("); ok && strings.HasSuffix(kind, ")") {
		value = scenarios.DefaultQdisc
	}
	return scenarios.ParseQdisc(value)
}

// Equal compares the parameters that were asked for: the others are the kernel's.
func (k qdisc) Equal(asked, got string) bool {
	a, errA := parseQdisc(asked)
	g, errG := parseQdisc(got)
	if errA != nil || errG != nil || a.Kind != g.Kind {
		return false
	}
	for _, p := range a.Params {
		has, _ := g.Param(p.Name) // what is 0 is not written
		if !sameParam(a.Kind, p.Name, p.Value, has) {
			return false
		}
	}
	return true
}

// sameParam allows for what is lost on the way to the kernel and back: rates are whole
// bytes per second there, shares have six digits here, and the burst of tbf is kept as
// a time of 64 ns units.
func sameParam(kind, name string, asked, got uint64) bool {
	apart := math.Abs(float64(asked) - float64(got))
	switch {
	case name == "rate":
		return apart <= 8
	case kind == "tbf" && name == "burst":
		return apart <= 1+0.01*float64(asked)
	case kind == "netem" && (name == "loss" || name == "duplicate" || name == "reorder" || name == "corrupt"):
		return apart <= 2+1e-5*float64(asked)
	}
	return asked == got
}

// A deviceQdisc is the root qdisc that a device has.
type deviceQdisc struct {
	index  int32
	kind   string // "" = none, as on a device that is down
	handle uint32
	value  string
}

// look reads the root qdisc.
func (k qdisc) look(h host.Host) (deviceQdisc, error) {
	links, err := h.Links()
	if err != nil {
		return deviceQdisc{}, err
	}
	r := deviceQdisc{}
	for _, l := range links {
		if l.Name == k.spec.Device {
			r.index = int32(l.Index)
		}
	}
	if r.index == 0 {
		return r, fmt.Errorf("no such device: %w", unix.ENODEV)
	}
	dump := make([]byte, host.SizeofQdiscHead)
	messages, err := h.Rtnetlink(host.NetlinkRequest{Type: unix.RTM_GETQDISC, Flags: unix.NLM_F_DUMP, Body: dump})
	if err != nil {
		return r, fmt.Errorf("list qdiscs: %w", err)
	}
	for _, m := range messages {
		q, err := host.ParseQdisc(m)
		if err != nil {
			return r, fmt.Errorf("list qdiscs: %w", err)
		}
		if q.Index != int(r.index) || !q.Root() {
			continue
		}
		r.kind, r.handle = q.Kind, q.Handle
		if r.handle != 0 {
			r.value, err = describeQdisc(q.Kind, q.Options)
			return r, err
		}
	}
	kind := r.kind
	if kind == "" {
		kind = "none"
	}
	r.value = fmt.Sprintf("%s (%s)", scenarios.DefaultQdisc, tame(kind))
	return r, nil
}

func (k qdisc) Read(h host.Host) (string, error) {
	r, err := k.look(h)
	return r.value, err
}

// Write deletes what was put there, and puts the other there: a qdisc that is only
// changed keeps what is not said of it.
func (k qdisc) Write(h host.Host, value string) error {
	q, err := parseQdisc(value)
	if err != nil {
		return err
	}
	now, err := k.look(h)
	if err != nil {
		return err
	}
	if now.handle != 0 {
		if _, err := h.Rtnetlink(host.NetlinkRequest{Type: unix.RTM_DELQDISC, Flags: unix.NLM_F_ACK, Body: rootOf(now.index)}); err != nil {
			return fmt.Errorf("delete %s: %w", now.kind, err)
		}
	}
	if q.Kind == scenarios.DefaultQdisc {
		return nil
	}
	body := attribute(rootOf(now.index), tcaKind, append([]byte(q.Kind), 0))
	if options := encodeQdisc(q); options != nil {
		body = attribute(body, tcaOptions, options)
	}
	_, err = h.Rtnetlink(host.NetlinkRequest{Type: unix.RTM_NEWQDISC, Flags: unix.NLM_F_CREATE | unix.NLM_F_REPLACE | unix.NLM_F_ACK, Body: body})
	return lacksQdisc(q.Kind, err)
}

// lacksQdisc says what it means that the kernel knows no such kind.
func lacksQdisc(kind string, err error) error {
	if !errors.Is(err, unix.ENOENT) {
		return err
	}
	return &NoQdisc{kind}
}

// A NoQdisc says that the kernel has no such kind. It is no fs.ErrNotExist, which would
// be taken for a file's.
type NoQdisc struct{ kind string }

func (e *NoQdisc) Error() string {
	return fmt.Sprintf("does not work here: this kernel has no qdisc %s (CONFIG_NET_SCH_%s is not set, or its module sch_%s is not there)", e.kind, strings.ToUpper(e.kind), e.kind)
}

// rootOf is the head of a message about the root of a device (struct tcmsg).
func rootOf(index int32) []byte {
	m := make([]byte, host.SizeofQdiscHead)
	binary.NativeEndian.PutUint32(m[4:], uint32(index))
	binary.NativeEndian.PutUint32(m[12:], host.QdiscRoot)
	return m
}

// HasQdisc says whether the kernel at a place knows a kind, and loads its module if
// that is how it has it. It asks for one of lo that can be none, with a block of filters of
// number 0, which the kernel refuses once it has found the kind
// (qdisc_block_indexes_set in net/sched/sch_api.c): nothing is changed.
func HasQdisc(h host.Host, kind string) error {
	r, err := qdisc{Spec{Device: "lo"}}.look(h)
	if err != nil {
		return err
	}
	body := attribute(rootOf(r.index), tcaKind, append([]byte(kind), 0))
	body = attribute(body, tcaIngressBlock, binary.NativeEndian.AppendUint32(nil, 0))
	_, err = h.Rtnetlink(host.NetlinkRequest{Type: unix.RTM_NEWQDISC, Flags: unix.NLM_F_CREATE | unix.NLM_F_EXCL | unix.NLM_F_REPLACE | unix.NLM_F_ACK, Body: body})
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) {
		return nil
	}
	if err == nil {
		return fmt.Errorf("lo: the kernel took a request for %s that it should have refused", kind)
	}
	return lacksQdisc(kind, err)
}

func bindQdisc(h host.Host, a asked) ([]Knob, error) {
	k := qdisc{a.spec("", "")}
	if err := checkDevice(h, a.device); err != nil {
		return nil, fmt.Errorf("%s: %w", k, err)
	}
	now, err := k.look(h)
	if err != nil {
		return nil, &Error{Knob: k.String(), Op: "read", Err: err}
	}
	if a.scope == Netns {
		return []Knob{k}, nil
	}
	if now.handle != 0 {
		return nil, fmt.Errorf("%s: what is there (%s %x:) was put there, and could not be put back with all that may belong to it: "+
			"take it away first (tc qdisc del dev %s root), and the kernel's own takes its place", k, tame(now.kind), now.handle>>16, a.device)
	}
	if q, err := parseQdisc(a.Value); err == nil && q.Kind != scenarios.DefaultQdisc {
		// A device of the machine is touched later: what the kernel lacks is said now.
		if err := HasQdisc(h, q.Kind); err != nil {
			return nil, explain(k, "write", err)
		}
	}
	return []Knob{k}, nil
}
