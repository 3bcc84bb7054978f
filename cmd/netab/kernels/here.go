package kernels

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"netab/cmd/netab/question"
	"netab/results"
	"netab/results/crew"
	"netab/results/disk"
	"netab/results/vocab"
	"netab/runner"
	"netab/runner/reboot"
)

// PlanHere finds the kernels that this machine is to boot. What it returns is the
// record that the campaign begins with, and what the machine has to know of it.
func PlanHere(ctx context.Context, q *question.Question, list []string, o reboot.Options, seed uint64) (h results.CampaignHeader, s *reboot.State, err error) {
	if q.NamesKernels() {
		return h, nil, fmt.Errorf("%s names kernels itself, and what this machine boots comes from --kernels or %s alone: a scenario may be a stranger's", q.Name, reboot.ConfigFile)
	}
	parts, err := q.ByKernel(list)
	if err != nil {
		return h, nil, err
	}
	booted, found, env, err := reboot.Find(ctx, list, o)
	if err != nil {
		return h, nil, err
	}
	if err := Lacking(found, needs(parts)); err != nil {
		return h, nil, err
	}
	h = q.Campaign(parts, seed)
	if h.Scenario, err = json.Marshal(q.Scenario); err != nil {
		return h, nil, err
	}
	recorded(h.Kernels, found)
	for i := range found {
		h.Kernels[i].Ref, h.Kernels[i].Cmdline = list[i], booted[i].Cmdline
	}
	return h, &reboot.State{By: o.By, Env: env, Kernels: booted, Allow: q.Allowed}, nil
}

// AgainHere is PlanHere for a campaign that was stopped. A kernel that is another now,
// or that would be started otherwise, is refused.
func AgainHere(ctx context.Context, c *results.Campaign, q *question.Question, o reboot.Options) (*reboot.State, error) {
	h := &c.Header
	if h.Guest != nil {
		return nil, fmt.Errorf("campaign %s boots guests: netab run --resume %s goes on with it", h.ID, h.ID)
	}
	var list []string
	for _, k := range h.Kernels {
		list = append(list, k.Ref)
	}
	now, s, err := PlanHere(ctx, q, list, o, h.Seed)
	if err != nil {
		return nil, err
	}
	for i, k := range now.Kernels {
		switch was := h.Kernels[i]; {
		case k.Digest != was.Digest:
			return nil, fmt.Errorf("kernel %s is another than when campaign %s began (%s, now %s): plan a new one", k.Ref, h.ID, was.Release, k.Release)
		case k.Cmdline != was.Cmdline:
			return nil, fmt.Errorf("kernel %s would be started otherwise than when campaign %s began (%q, now %q): plan a new one, or have %s say the old command line (cmdline)", k.Ref, h.ID, was.Cmdline, k.Cmdline, reboot.ConfigFile)
		}
	}
	return s, nil
}

// Here measures on the kernel that is up.
type Here struct {
	Question *question.Question // of the whole campaign
	Kernels  int                // so many are booted
	// Scratch is where a run is kept until it is over: a directory of root's own. What
	// an attempt that was cut off left there is removed.
	Scratch string
	// Settled is how long the machine is up before anything is measured.
	Settled time.Duration
	// Make is what a run needs besides its question; its store and seed are set here.
	Make func() (question.Here, error)
}

// Each is how long each boot measures.
func (h *Here) Each() time.Duration { return h.Question.EachBoot(h.Kernels) }

// late is how long a run may take beside its time, and abandoned how long it may then
// take to end. What hangs in the kernel does not, and ends with the boot.
const (
	late      = 2 * time.Minute
	abandoned = time.Minute
)

// Boot implements campaign.Booter.
func (h *Here) Boot(ctx context.Context, _ int, seed uint64, line func([]byte) error) (results.Boot, error) {
	if err := os.RemoveAll(h.Scratch); err != nil {
		return results.Boot{}, err
	}
	if err := h.settle(ctx); err != nil {
		return results.Boot{}, err
	}
	began, tainted := time.Now().UTC(), hasOopsed()
	limited, cancel := context.WithTimeout(ctx, 3*h.Each()+late)
	defer cancel()
	type outcome struct {
		id  string
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		o.err = crew.Caught(func() (err error) { o.id, err = h.run(limited, seed); return err })
		done <- o
	}()
	b := results.Boot{End: vocab.Finished, Started: began}
	var o outcome
	select {
	case o = <-done:
	case <-limited.Done():
		select {
		case o = <-done:
		case <-time.After(abandoned):
			o.err = errors.New("and it does not end")
		}
	}
	switch {
	case ctx.Err() != nil:
		b.End = vocab.BootInterrupted
	case limited.Err() != nil:
		b.End, b.Text = vocab.Overdue, fmt.Sprintf("its run was not over after %v", (3*h.Each()+late).Round(time.Second))
		if o.err != nil {
			b.Text += ": " + o.err.Error()
		}
	case o.err != nil:
		b.End, b.Text = vocab.RunFailed, o.err.Error()
	}
	if !tainted && hasOopsed() {
		b.End, b.Text, b.Console = vocab.Oops, "the kernel oopsed in its run", lastOfKernelLog()
	}
	b.Ended = time.Now().UTC()
	if o.id == "" {
		return b, nil
	}
	return b, errors.Join(handOn(filepath.Join(h.Scratch, o.id, results.RunFile), line), os.RemoveAll(h.Scratch))
}

// run makes the run, and says under which id.
func (h *Here) run(ctx context.Context, seed uint64) (id string, err error) {
	here, err := h.Make()
	if err != nil {
		return "", err
	}
	here.Store, here.Seed = h.Scratch, seed
	o, err := h.Question.Lasting(h.Each()).Options(here)
	if err != nil {
		return "", err
	}
	if o.Header.Warnings, err = runner.Check(o.Header.Machine); err != nil {
		return "", err
	}
	question.WholeTime(&o)
	run, err := question.Ask(ctx, o)
	if run != nil {
		id = o.Header.ID
	}
	return id, err
}

// settle waits until the machine is up for so long: a machine that comes up has much
// to do, and not the same in each boot.
func (h *Here) settle(ctx context.Context) error {
	var up unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &up); err != nil {
		return fmt.Errorf("how long the machine is up: %w", err)
	}
	left := time.NewTimer(h.Settled - time.Duration(up.Nano()))
	defer left.Stop()
	select {
	case <-left.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// handOn gives the lines of a run on.
func handOn(file string, line func([]byte) error) error {
	f, err := disk.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	for r := bufio.NewReader(f); ; {
		text, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // what has no end is torn
		}
		if err != nil {
			return err
		}
		if err := line(text); err != nil {
			return err
		}
	}
}

// oopsed is the bit of the kernel's taint that an oops sets (TAINT_DIE,
// Documentation/admin-guide/tainted-kernels.rst).
const oopsed = 1 << 7

func hasOopsed() bool {
	text, err := results.Root("").ReadFile("/proc/sys/kernel/tainted")
	taint, _ := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	return err == nil && taint&oopsed != 0
}

// shownOfLog is as much of the kernel's log as is kept of an oops.
const shownOfLog = 8 << 10

func lastOfKernelLog() []string {
	const readAll = 3 // SYSLOG_ACTION_READ_ALL, syslog(2)
	buf := make([]byte, shownOfLog)
	n, err := unix.Klogctl(readAll, buf)
	if err != nil || n <= 0 {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(buf[:n])), "\n")
}
