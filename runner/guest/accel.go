package guest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Fastest says what of KVM and TCG guests can use here, and where that is TCG why.
// /dev/kvm may be there, may even be opened, and not work (in a container, under
// another hypervisor): KVM it is only where a guest's own instructions have run, and
// this kernel came up.
func (m Machine) Fastest(ctx context.Context, k Kernel) (Accel, string, error) {
	q, err := FindQEMU(ctx, m.QEMU)
	if err != nil {
		return "", "", err
	}
	if err := unix.Access("/dev/kvm", unix.R_OK|unix.W_OK); err != nil {
		return TCG, fmt.Sprintf("no KVM: /dev/kvm: %v", err), nil
	}
	if err := q.tryKVM(ctx); err != nil {
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

// answer is what the program below says. QEMU exits with twice it and one (isa-debug-exit).
const answer = 0x2a

// firmware is a program in place of a BIOS, whose last 16 bytes are where a CPU of this
// architecture begins: it says answer to isa-debug-exit, and halts.
func firmware() []byte {
	const size, reset = 64 << 10, 16
	rom := make([]byte, size)
	copy(rom[size-reset:], []byte{
		0xba, 0x01, 0x05, // mov $0x501, %dx
		0xb0, answer, // mov $answer, %al
		0xee,       // out %al, (%dx)
		0xf4,       // hlt
		0xeb, 0xfd, // jmp to hlt
	})
	return rom
}

// tryKVM has a guest run a few instructions.
func (q *QEMU) tryKVM(ctx context.Context) error { return q.try(ctx, KVM, "host") }

func (q *QEMU) try(ctx context.Context, accel Accel, cpu string) error {
	rom, err := memory("firmware", func(w io.Writer) error { _, err := w.Write(firmware()); return err })
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
	if s := p.state(); s.signal != 0 || s.status != answer<<1|1 {
		return fmt.Errorf("a guest of three instructions did not run: %s%s", s, behind(p.said()))
	}
	return nil
}
