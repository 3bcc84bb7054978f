package topology

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"netab/results/crew"
	"netab/runner/agent"
	"netab/runner/host"
	"netab/runner/knob"
	"netab/runner/place"
	"netab/scenarios"
)

// A NIC is a topology of two existing interfaces, each moved into a namespace of
// its own, so that packets cross the wire and not the local routing table. The
// namespaces have names and outlive agents: a virtual device in an anonymous
// one would be deleted with it. Both the namespaces and the devices are in the
// journal before they are touched.
type NIC struct {
	built  Built       // without agents
	spaces [2]*os.File // open namespaces: source, sink
}

// OpenNIC moves the two devices and sets them up. What it did is undone by the
// journal's Restore.
func OpenNIC(ctx context.Context, at place.Pair, j *knob.Journal, t scenarios.Topology, o agent.Options) (*NIC, error) {
	n := &NIC{built: Built{Source: Side{Place: at.Source}, Sink: Side{Place: at.Sink}}}
	if err := n.open(ctx, j, t, o); err != nil {
		return nil, errors.Join(err, n.dismiss(ctx), n.Close())
	}
	return n, n.dismiss(ctx)
}

func (n *NIC) open(ctx context.Context, j *knob.Journal, t scenarios.Topology, o agent.Options) error {
	source, sink, err := addresses(t)
	if err != nil {
		return err
	}
	for i, side := range []struct {
		*Side
		device, role string
		addr         netip.Prefix
	}{{&n.built.Source, t.SourceDevice, "source", source}, {&n.built.Sink, t.SinkDevice, "sink", sink}} {
		name := fmt.Sprintf("%s%d-%s", knob.NetnsPrefix, os.Getpid(), side.role)
		if n.spaces[i], err = takeDevice(j, side.device, name); err != nil {
			return err
		}
		o.Namespace = n.spaces[i]
		if side.Agent, err = side.Place.Start(ctx, o); err != nil {
			return err
		}
		if err := side.configure(side.device, side.addr, mtu(t)); err != nil {
			return err
		}
	}
	if err := waitForCarrier(ctx, &n.built); err != nil {
		return err
	}
	return n.built.introduce(ctx)
}

// dismiss ends the agents that set the devices up.
func (n *NIC) dismiss(ctx context.Context) error {
	var errs []error
	for _, side := range []*Side{&n.built.Source, &n.built.Sink} {
		if side.Agent != nil {
			errs = append(errs, side.Agent.Close(ctx))
			side.Agent = nil
		}
	}
	return errors.Join(errs...)
}

// Enter starts fresh agents on both sides, for one setup of one trial.
func (n *NIC) Enter(ctx context.Context, o agent.Options) (*Built, error) {
	p := n.built
	for i, side := range []*Side{&p.Source, &p.Sink} {
		var err error
		o.Namespace = n.spaces[i]
		if side.Agent, err = side.Place.Start(ctx, o); err != nil {
			if p.Source.Agent != nil {
				p.Source.Agent.Close(ctx)
			}
			return nil, err
		}
	}
	for _, side := range []*Side{&p.Source, &p.Sink} {
		if _, err := side.Link(); err != nil {
			return nil, errors.Join(err, p.Close(ctx))
		}
	}
	return &p, nil
}

// StartAtSource and StartAtSink start an agent in one side's namespace alone.
func (n *NIC) StartAtSource(ctx context.Context, o agent.Options) (*agent.Agent, error) {
	o.Namespace = n.spaces[0]
	return n.built.Source.Place.Start(ctx, o)
}

// StartAtSink is the other.
func (n *NIC) StartAtSink(ctx context.Context, o agent.Options) (*agent.Agent, error) {
	o.Namespace = n.spaces[1]
	return n.built.Sink.Place.Start(ctx, o)
}

// Close lets go of the namespaces. The devices go home by the journal.
func (n *NIC) Close() error {
	var errs []error
	for _, f := range n.spaces {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// CheckNIC refuses what would cut the machine off, cannot work, or could not be
// put back after a kill, before anything is touched. note says what the devices
// then depend on; "" = on nothing but the machine. The journal, and so what moves
// devices, is of this machine.
func CheckNIC(at place.Pair, t scenarios.Topology) (note string, err error) {
	if !at.Here() {
		return "", fmt.Errorf("topology nic moves devices of this machine, and its sides are to be on %s and on %s", place.Called(at.Source), place.Called(at.Sink))
	}
	if !host.Privileged() {
		return "", fmt.Errorf("topology nic: moving interfaces: %s", host.NeedsRoot())
	}
	var atStake []string
	var errs []error
	for _, device := range []string{t.SourceDevice, t.SinkDevice} {
		link, err := netlink.LinkByName(device)
		if err != nil {
			return "", fmt.Errorf("topology nic: %s: %w", device, err)
		}
		if !knob.ComesBackAlone(link) {
			atStake = append(atStake, device)
		}
		reasons, err := ReasonsNotTo(device)
		if err != nil {
			return "", fmt.Errorf("topology nic: %s: find out what hangs on it: %w", device, err)
		}
		for _, reason := range reasons {
			errs = append(errs, fmt.Errorf("topology nic: %s %s", device, reason))
		}
	}
	if len(errs) > 0 {
		return "", errors.Join(append(errs, errors.New("topology nic: use devices that nothing else hangs on"))...)
	}
	if len(atStake) == 0 {
		return "", nil
	}
	return checkKeeper(strings.Join(atStake, " and "))
}

// checkKeeper looks at what keeps the names of the devices' namespaces. They are
// mounts, and end with this mount namespace; the namespaces end with their
// names, and the devices with these. A mount namespace of netab's alone would
// not outlive kill -9.
func checkKeeper(devices string) (note string, err error) {
	keeper, err := knob.MountKeeper()
	switch {
	case errors.Is(err, knob.ErrDiesWithUs):
		return "", fmt.Errorf("topology nic: %w: a kill -9 would end it, and %s with it, before netab restore could bring them back; "+
			"run netab from a shell in there (ip netns exec NAME sh, unshare -n -m sh), which outlives it", err, devices)
	case err != nil:
		return "", fmt.Errorf("topology nic: find out what keeps this mount namespace: %w", err)
	case keeper == "":
		return "", nil
	}
	return fmt.Sprintf("this mount namespace lives on with %s: if netab is killed, keep that until netab restore has run in here, or %s cannot be brought back",
		keeper, devices), nil
}

// takeDevice makes a named namespace and moves the device into it; the journal
// knows of each before it happens.
func takeDevice(j *knob.Journal, device, name string) (*os.File, error) {
	moved, err := knob.CaptureDevice(device, name)
	if err != nil {
		return nil, err
	}
	link, err := netlink.LinkByName(device)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", device, err)
	}
	if _, err := j.Record(knob.UndoNetns, "namespace "+name, name); err != nil {
		return nil, err
	}
	if err := makeNamespace(name); err != nil {
		return nil, fmt.Errorf("make namespace %s: %w", name, err)
	}
	space, err := os.Open(filepath.Join(knob.NetnsDir, name))
	if err != nil {
		return nil, err
	}
	if _, err := j.Record(knob.UndoDevice, "device "+device+" in namespace "+name, moved); err != nil {
		return space, err
	}
	if err := netlink.LinkSetNsFd(link, int(space.Fd())); err != nil {
		return space, fmt.Errorf("%s: move into namespace %s: %w", device, name, err)
	}
	return space, nil
}

// makeNamespace makes a named namespace and leaves this thread where it was.
func makeNamespace(name string) error {
	var c crew.Crew
	c.Go(func() error {
		// The thread is not unlocked: it has been in another namespace, and
		// dies with this goroutine.
		runtime.LockOSThread()
		h, err := netns.NewNamed(name)
		if err != nil {
			return err
		}
		return h.Close()
	})
	return c.Wait()
}
