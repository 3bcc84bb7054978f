package guest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"netab/runner/guest/arch"
)

// Fastest says what of KVM and TCG guests can use here, and where that is TCG why.
// /dev/kvm may be there, may even be opened, and not work (in a container, under
// another hypervisor): KVM it is only where a guest's own instructions have run, and
// this kernel came up.
func (m Machine) Fastest(ctx context.Context, k Kernel) (Accel, string, error) {
	m.Accel = "" // which is asked
	m, err := m.filled()
	if err != nil {
		return "", "", err
	}
	q, err := FindQEMU(ctx, m.QEMU, m.Arch)
	if err != nil {
		return "", "", err
	}
	switch {
	case m.Arch != arch.Here():
		return TCG, fmt.Sprintf("no KVM: this machine is none of %s", m.Arch.Name), nil
	case m.Arch.Probe == nil:
		return TCG, fmt.Sprintf("KVM is not tried with guests of %s", m.Arch.Name), nil
	}
	if err := unix.Access("/dev/kvm", unix.R_OK|unix.W_OK); err != nil {
		return TCG, fmt.Sprintf("no KVM: /dev/kvm: %v", err), nil
	}
	if err := q.try(ctx, KVM, "host", m.Arch); err != nil {
		return TCG, fmt.Sprintf("KVM does not work: %v", err), ctx.Err()
	}
	m.Accel, m.CPUModel, m.BootWithin = KVM, "", kvmBoots
	o, err := m.Run(ctx, k, Job{Args: []string{"version"}, Deadline: kvmBoots}, func([]byte) error { return nil }, io.Discard)
	if err != nil {
		return "", "", err
	}
	if o.End != Finished {
		return TCG, "KVM does not work: " + o.Text, ctx.Err()
	}
	return KVM, "", nil
}

const (
	kvmAnswers = 5 * time.Second  // a program of three instructions
	kvmBoots   = 20 * time.Second // a kernel needs less than one
)

// firmware is a program in place of a BIOS, whose last 16 bytes are where a CPU begins: it
// says its answer to isa-debug-exit, and halts.
func firmware(probe []byte) []byte {
	const size, reset = 64 << 10, 16
	rom := make([]byte, size)
	copy(rom[size-reset:], probe)
	return rom
}

// try has a guest run a few instructions.
func (q *QEMU) try(ctx context.Context, accel Accel, cpu string, a *arch.Arch) error {
	rom, err := memory("firmware", func(w io.Writer) error { _, err := w.Write(firmware(a.Probe)); return err })
	if err != nil {
		return err
	}
	defer rom.Close()
	args := []string{q.Path, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine", "q35", "-m", "16",
		"-accel", string(accel), "-cpu", cpu, "-bios", fmt.Sprintf("/proc/self/fd/%d", initrdFD), "-device", "isa-debug-exit,iobase=0x501,iosize=1"}
	p, err := start(args, []*os.File{rom}...)
	if err != nil {
		return err
	}
	timer := time.NewTimer(kvmAnswers)
	defer timer.Stop()
	select {
	case <-p.exited:
	case <-ctx.Done():
		p.kill()
		<-p.exited
		return context.Cause(ctx)
	case <-timer.C:
		p.kill()
		<-p.exited
		return errors.New("a guest of three instructions does not end")
	}
	if s := p.state(); s.signal != 0 || s.status != arch.ProbeAnswer<<1|1 {
		return fmt.Errorf("a guest of three instructions did not run: %s%s", s, behind(p.said()))
	}
	return nil
}
