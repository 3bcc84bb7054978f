// Package pktgen drives the kernel's own packet generator, which sends UDP
// datagrams straight into a device's driver, from a kernel thread on each CPU.
// Its control files are there in every network namespace, with threads of its
// own (net/core/pktgen.c, Documentation/networking/pktgen.rst).
//
// The tests here are on texts of real kernels and on a model of the files; that a flood
// arrives is tested in a guest whose kernel has pktgen (TestGuestPktgen in package test).
//
// Where pktgen differs from a source of package traffic:
//   - starting takes up to 100 ms, for its threads look for orders that often,
//     and they keep their CPU busy until they are stopped. To take turns in
//     slices, keep it running and change the delay (SetDelay), which a thread that
//     waits for its next packet heeds when it wakes;
//   - a signal to the thread that waits in Start ends it for all devices: run
//     agents with GODEBUG=asyncpreemptoff=1;
//   - its control files belong to the namespace of the thread that writes, not
//     of the one that opened them: the host.Host must be one process in one
//     namespace, as an agent is.
package pktgen

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"syscall"
	"time"

	"netab/runner/host"
)

const (
	directory   = "/proc/thread-self/net/pktgen/"
	controlFile = directory + "pgctrl"
)

// errNotSupported is the kernel's own ENOTSUPP, which no C library knows
// (include/linux/errno.h).
const errNotSupported = syscall.Errno(524)

func (c Config) threadFile() string { return directory + "kpktgend_" + strconv.Itoa(c.CPU) }

// name is the device's in pktgen: a device may be given to several threads only
// under different names, of which what follows the @ is ours to choose.
func (c Config) name() string { return c.Device + "@" + strconv.Itoa(c.CPU) }

// Available says why there is no pktgen here, nil if there is.
func Available(h host.Host) error {
	_, err := h.ReadFile(controlFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("the kernel has no pktgen here: it needs CONFIG_NET_PKTGEN and, as a module, modprobe pktgen")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("pktgen is for root only")
	case err != nil:
		return fmt.Errorf("pktgen: %w", err)
	}
	return nil
}

// Setup gives a device to the thread of a CPU and says what it shall send.
func Setup(h host.Host, c Config) error {
	if err := Available(h); err != nil {
		return err
	}
	if err := setup(h, c); err != nil {
		return fmt.Errorf("pktgen: %s: %w", c.Device, err)
	}
	return nil
}

func setup(h host.Host, c Config) error {
	if err := c.check(h); err != nil {
		return err
	}
	err := set(h, c.threadFile(), "add_device "+c.name())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("no thread for CPU %d: it was not online when the namespace was made", c.CPU)
	case errors.Is(err, syscall.EBUSY):
		return fmt.Errorf("CPU %d sends through it already: reset pktgen first", c.CPU)
	case err != nil:
		return err
	}
	for _, line := range c.parameters() {
		if err := set(h, directory+c.name(), line); err != nil {
			return err
		}
	}
	// Saves reading the clock for each packet; older kernels always do.
	if err := set(h, directory+c.name(), "flag NO_TIMESTAMP"); err != nil && !errors.As(err, new(refusal)) {
		return err
	}
	return nil
}

// SetDelay changes the time between packets, also while they are sent. With 0
// the device sends as fast as it goes within the delay that was set before: with
// some milliseconds it rests, but for single packets, and its CPU with it.
func SetDelay(h host.Host, c Config, d time.Duration) error {
	if d < 0 || d >= neverDelay {
		return fmt.Errorf("pktgen: %s: delay %s is not from 0 to %s", c.Device, d, neverDelay)
	}
	if err := set(h, directory+c.name(), "delay "+strconv.FormatInt(int64(d), 10)); err != nil {
		return fmt.Errorf("pktgen: %s: %w", c.Device, err)
	}
	return nil
}

// A refusal is what pktgen put in place of OK into the result of a file.
type refusal string

func (r refusal) Error() string { return string(r) }

// set writes one line and reads whether it was understood: some that are not are
// written without an error.
func set(h host.Host, path, line string) error {
	err := h.WriteFile(path, []byte(line+"\n"))
	if errors.Is(err, errNotSupported) {
		return fmt.Errorf("%s: this device does not allow a packet to be sent more than once: leave clone and burst out", line)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	data, err := h.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	result, ok := findResult(string(data))
	if !ok {
		return fmt.Errorf("%s: no result in %s", line, path)
	}
	if !strings.HasPrefix(result, "OK:") {
		return fmt.Errorf("%s: %w", line, refusal(result))
	}
	return nil
}

// findResult is the text of a file's Result, over several lines to its end.
func findResult(text string) (string, bool) {
	const key = "Result:"
	if strings.HasPrefix(text, key) {
		return strings.TrimSpace(text[len(key):]), true
	}
	_, result, ok := strings.Cut(text, "\n"+key)
	return strings.TrimSpace(result), ok
}

// control gives an order to all threads of the namespace. The kernel cuts off
// the last byte, whatever it is.
func control(h host.Host, order string) error {
	if err := h.WriteFile(controlFile, []byte(order+"\n")); err != nil {
		return fmt.Errorf("pktgen: %s: %w", order, err)
	}
	return nil
}

// stopAgain is how often Start repeats the order to stop.
const stopAgain = 20 * time.Millisecond

// Start sends through all devices of the namespace, and returns when each has
// sent its count or the context has ended, which is not an error. The kernel
// looks every 100 ms whether they have.
func Start(ctx context.Context, h host.Host) error {
	done := make(chan error, 1)
	go func() { done <- control(h, "start") }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	// An order to stop is lost on a thread that has not yet seen the one to
	// start: it obeys stop first, then start.
	tick := time.NewTicker(stopAgain)
	defer tick.Stop()
	for {
		if err := Stop(h); err != nil {
			return err
		}
		select {
		case err := <-done:
			return err
		case <-tick.C:
		}
	}
}

// Stop orders all devices of the namespace to stop, which they do soon. Better
// end the context of Start.
func Stop(h host.Host) error { return control(h, "stop") }

// Reset stops all threads of the namespace and takes their devices away.
func Reset(h host.Host) error { return control(h, "reset") }

// Read returns what a device has sent since it was started last.
func Read(h host.Host, c Config) (Status, error) {
	status, err := read(h, c)
	if err != nil {
		return status, fmt.Errorf("pktgen: %s: %w", c.Device, err)
	}
	return status, nil
}

func read(h host.Host, c Config) (Status, error) {
	data, err := h.ReadFile(directory + c.name())
	if err != nil {
		return Status{}, err
	}
	status, err := parse(string(data))
	if err != nil {
		return Status{}, err
	}
	if data, err = h.ReadFile(c.threadFile()); err != nil {
		return Status{}, err
	}
	status.Running = running(string(data), c.name())
	return status, nil
}
