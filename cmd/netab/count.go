package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"netab/analysis/counts"
	"netab/analysis/prose"
	"netab/analysis/report/html"
	"netab/cmd/netab/counting"
	"netab/cmd/netab/question"
	"netab/results"
	"netab/results/disk"
	"netab/runner/guest/arch"
	"netab/runner/guest/kernel"
)

// countFlags are the flags of netab count.
type countFlags struct {
	allow            allowance
	sets, only       []string
	kernels          string
	seeds, cpus      int
	repeats          int
	messages, warmup int64
	threads          int
	functions        bool
	rows             int
	arch             string
	qemu, apt        string
	json, quiet      bool
	unit             string
	html             string
	inside           string // of the command in a guest
}

func newCount() *cobra.Command {
	var f countFlags
	cmd := &cobra.Command{
		Use:   "count NAME|FILE",
		Short: "Count the instructions that a message takes, exactly",
		Long: `Count the instructions that a message, or a transaction, takes on the way from
source to sink: of each arm, on each kernel. No time is measured, so there is no
noise: each boots in a guest of QEMU whose clock counts instructions (-icount),
sends a fixed number of messages after a warm-up, and is over. A seed is a boot,
and the unit of the interval; with the same seed a boot gives the same count, to the
digit, whatever else the machine does (--repeats 20 has you see it).

By default the first seed's boots are logged instruction by instruction: where the
difference lies, by role (source, sink), context (task, softirq, hardirq) and
function of the kernel, as a ranked table.

It counts how long the path is. It sees no caches, no locks, no parallelism: what is
3 % longer may take longer, shorter or the same time on a CPU. Guests have one CPU.
What takes two (rps_cpus, arms that differ in their placement) has two where there is
QEMU 10 or newer (--qemu PATH; or make qemu10), and is refused elsewhere; --cpus 2 asks
for them. Each seed is then booted twice, and by how much that differs is said. Counts
of another QEMU, CPU model or netab are not comparable.

Without --kernels the kernel that runs here is booted.`,
		Example: `  netab count udp-rr --kernels 6.1.0-57-amd64,~/src/linux
  netab count udp-gso --kernels apt:linux-image-6.12-cloud-amd64      # what each arm costs
  netab count udp-rr --kernels A,B --html count.html                 # and netab report ID of one that is stored
  netab count udp-rr --kernels A,B --seeds 8 --functions=false --json
  netab count loopback-rps --kernels A,B --cpus 2 --qemu bin/qemu10/qemu-system-x86_64`,
		Args:              exactly(1, "a scenario: a name from `netab list`, or a file"),
		ValidArgsFunction: completeScenario,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.inside != "" {
				return f.countInside(cmd, args[0])
			}
			return f.count(cmd, args[0])
		},
	}
	fl := cmd.Flags()
	fl.StringArrayVar(&f.sets, "set", nil, "override `PATH=VALUE` of the scenario (repeatable)")
	fl.StringArrayVar(&f.only, "only", nil, onlyUsage)
	f.allow.flags(cmd)
	fl.StringVar(&f.kernels, "kernels", "", "boot each `KERNEL,...`, and compare the others with the first")
	fl.IntVar(&f.seeds, "seeds", 4, "boot each arm on each kernel with `NUMBER` seeds")
	fl.IntVar(&f.repeats, "repeats", 0, "boot each seed `NUMBER` times, and say whether that gave the same number (1, or 2 with two CPUs)")
	fl.Int64Var(&f.messages, "messages", 0, "count `NUMBER` messages of each source (5000; of large ones, of requests and connections fewer)")
	fl.Int64Var(&f.warmup, "warmup", 0, "send `NUMBER` messages before (a fifth of those)")
	fl.IntVar(&f.threads, "threads", 0, "2: source and sink have a thread `EACH`, even where one could do both (datagrams)")
	fl.IntVar(&f.cpus, "cpus", 0, "`NUMBER` of CPUs of a guest: 1, or 2 with QEMU 10 (1, or 2 where the question takes them)")
	fl.StringVar(&f.unit, "unit", "", "count a `UNIT`: message, transaction (of two messages) or byte (what the traffic has)")
	fl.BoolVar(&f.functions, "functions", true, "log the first seed's boots: where the instructions go")
	fl.IntVar(&f.rows, "rows", 15, "show the `NUMBER` of functions that differ most")
	fl.StringVar(&f.arch, "arch", "", "count in guests of `ARCHITECTURE`: amd64, arm64 (this machine's)")
	fl.StringVar(&f.qemu, "qemu", "", "`PATH` of the QEMU that guests run in (the architecture's in $PATH)")
	fl.StringVar(&f.apt, "apt-config", "", "`FILE` or directory of sources or of apt's configuration, for kernels that are named apt:")
	fl.BoolVar(&f.json, "json", false, "print one JSON document to stdout instead of the tables")
	htmlVar(fl, &f.html, "write a page of it to `FILE`, with the functions as a flame graph")
	fl.BoolVar(&f.quiet, "quiet", false, "print no progress")
	fl.StringVar(&f.inside, "inside", "", "count `ARM` in this guest")
	_ = fl.MarkHidden("inside") // it exists
	return cmd
}

// check says what of the flags makes no sense.
func (f countFlags) check() error {
	switch {
	case f.seeds < 1 || f.seeds > 1000:
		return fmt.Errorf("--seeds %d: want 1 to 1000", f.seeds)
	case f.repeats < 0 || f.repeats > 1000:
		return fmt.Errorf("--repeats %d: want 1 to 1000", f.repeats)
	case f.messages < 0 || f.messages > 1e8:
		return fmt.Errorf("--messages %d: want 1 to 100000000", f.messages)
	case f.warmup < 0 || f.warmup > 1e8:
		return fmt.Errorf("--warmup %d: want 0 to 100000000", f.warmup)
	case f.threads != 0 && f.threads != 1 && f.threads != 2:
		return fmt.Errorf("--threads %d: want 1 or 2", f.threads)
	case f.unit != "" && !slices.Contains(results.CountUnits, f.unit):
		return fmt.Errorf("--unit %s: want %s", f.unit, strings.Join(results.CountUnits, ", "))
	case f.cpus < 0 || f.cpus > 2:
		return fmt.Errorf("--cpus %d: want 1 or 2", f.cpus)
	case f.rows < 0:
		return fmt.Errorf("--rows %d: want 0 or more", f.rows)
	}
	return nil
}

func (f countFlags) count(cmd *cobra.Command, ref string) error {
	if err := f.check(); err != nil {
		return usage(err)
	}
	a, err := arch.Parse(f.arch)
	if err != nil {
		return usage(err)
	}
	sets := f.sets
	for _, only := range onlyTyped(f.only) {
		sets = append(sets, only.Path+"="+only.Text)
	}
	q, cpus, qemu, err := counting.Choose(cmd.Context(), ref, sets, f.cpus, f.qemu, a)
	var two *counting.NeedsTwo
	if errors.As(err, &two) {
		return failed(err)
	}
	if err == nil {
		q.Allowed, err = f.allow.check(q)
	}
	if err != nil {
		return badScenario(cmd, err)
	}
	said := cmd.ErrOrStderr()
	if f.quiet {
		said = io.Discard
	}
	var record results.Count
	c, err := counting.New(cmd.Context(), q, counting.Options{Arch: a, QEMU: qemu, CPUs: cpus, Repeats: f.repeats, Warmup: f.warmup, Messages: f.messages,
		Threads: f.threads, Functions: f.functions, Unit: f.unit, Log: said,
		Ended: func(kind string, b results.CountBoot, took time.Duration) {
			if !b.Finished() {
				writef(said, "%s, seed %d: %s: %s\n", kind, b.Seed, b.End, b.Text)
				return
			}
			writef(said, "%s, seed %d: %s instructions (%v)\n", kind, b.Seed, figure(float64(b.Instructions)/record.Of(&b)), took.Round(time.Second/10))
		}})
	if err != nil {
		return failed(err)
	}
	list := kernel.Split(f.kernels)
	if f.kernels == "" {
		list = []string{runningKernel()}
	}
	found, err := counting.Find(cmd.Context(), q, list, kernel.Options{Apt: f.apt, Arch: a, Log: said})
	if err != nil {
		return failed(otherArch(err, f.arch))
	}
	record = c.Identity()
	record.Netab, record.Command, record.Started = build(), os.Args, time.Now().UTC()
	record.ID = results.NewID(q.Name, record.Started, question.NewSeed())
	var tasks []counting.Task
	for i, k := range found {
		record.Kernels = append(record.Kernels, results.Kernel{Ref: k.Ref, Release: k.Release, Build: k.Build, Arch: k.Arch, Digest: k.Digest})
		for _, a := range q.Arms {
			tasks = append(tasks, counting.Task{Kind: len(record.Kinds), Arm: a.Name, Kernel: k})
			record.Kinds = append(record.Kinds, results.CountKind{Arm: a.Name, Kernel: i})
		}
	}
	record.Planned = len(tasks) * f.seeds * c.Repeats()
	return f.keep(cmd, c, &record, tasks)
}

// keep makes the boots, and keeps and shows those that are over, whatever ends it.
func (f countFlags) keep(cmd *cobra.Command, c *counting.Counter, record *results.Count, tasks []counting.Task) error {
	working.Add(1) // what is counted is to be kept
	defer working.Add(-1)
	boots, ended := c.Boots(cmd.Context(), tasks, counting.Seeds(f.seeds))
	if len(boots) == 0 && ended != nil {
		return failed(ended)
	}
	record.Boots, record.Ended = boots, time.Now().UTC()
	path, err := results.WriteCount(storeFlag(cmd), record)
	if err != nil {
		return failed(err)
	}
	if err := showCount(cmd, record, f.json, f.rows); err != nil {
		return err
	}
	if f.html != "" {
		if err := writeCountPage(f.html, record); err != nil {
			return failed(err)
		}
	}
	if !f.json {
		writef(cmd.OutOrStdout(), "\ncount %s\n", strings.TrimSuffix(filepath.Base(path), ".json"))
	}
	if ended != nil {
		why := ended.Error()
		if cmd.Context().Err() != nil {
			why = "interrupted"
		}
		return &statusError{exitFailed, fmt.Errorf("%s: %d of %d boots were over, and are kept and shown", why, len(boots), record.Planned)}
	}
	for _, a := range counts.Summarize(record).Arms {
		if len(a.Boots) == 0 {
			return &statusError{exitFailed, errors.New("an arm has no boot that counted: see its console in the record, " + path)}
		}
	}
	return nil
}

// otherArch says what to do where a kernel is for other machines than guests are.
func otherArch(err error, asked string) error {
	var other *kernel.ArchError
	if asked == "" && errors.As(err, &other) {
		if a := arch.Of(other.Is); a != nil {
			return fmt.Errorf("%w; --arch %s has guests of that kind", err, a.Go)
		}
	}
	return err
}

// runningKernel is the release of this machine's.
func runningKernel() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return ""
	}
	return unix.ByteSliceToString(name.Release[:])
}

// countNamed is a count of the store, if a name is that of one.
func countNamed(cmd *cobra.Command, ref string) (*results.Count, error) {
	c, err := results.ReadCount(storeFlag(cmd), ref)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return c, err
}

// showCount prints what a count came to.
func showCount(cmd *cobra.Command, c *results.Count, asJSON bool, rows int) error {
	s := counts.Summarize(c)
	out := cmd.OutOrStdout()
	if asJSON {
		return failed(writeJSON(out, s, "  "))
	}
	writef(out, "%s: instructions a %s\n\n", c.Name, c.Unit)
	width := len("arm")
	for _, a := range s.Arms {
		width = max(width, len(a.Name+" on "+a.Kernel))
	}
	writef(out, "%-*s  %12s  %10s  %10s  %10s  %10s  %s\n", width, "arm", "instructions", "±", "source", "sink", "elsewhere", "boots")
	for _, a := range s.Arms {
		half := ""
		if len(a.Boots) > 1 {
			half = figure((a.Hi - a.Lo) / 2)
		}
		writef(out, "%-*s  %12s  %10s  %10s  %10s  %10s  %d\n", width, a.Name+" on "+a.Kernel, figure(a.Mean), half, figure(a.ByRole.Source), figure(a.ByRole.Sink), figure(a.ByRole.Elsewhere), len(a.Boots))
	}
	for _, a := range s.Arms {
		for _, m := range a.Modes {
			writef(out, "%s on %s: a mode of %s of %d: %s instructions, %d receive calls, %d segments (seeds %s)\n",
				a.Name, a.Kernel, prose.Counted(m.Boots(), "boot"), len(a.Boots), figure(m.Mean), m.Calls, m.Segments, strings.Trim(fmt.Sprint(m.Seeds), "[]"))
		}
	}
	for _, a := range s.Arms {
		if r := a.Repeats; r != nil && r.Identical == r.Seeds {
			writef(out, "%s on %s: %d boots, those of a seed identical to the digit for %d of %d seeds\n", a.Name, a.Kernel, len(a.Boots), r.Identical, r.Seeds)
		}
	}
	for _, p := range s.Comparisons {
		printComparison(out, p, rows)
	}
	for _, w := range s.Warnings {
		writef(out, "\nwarning: %s\n", w)
	}
	writef(out, "\n%s\n", basis(c, &s))
	return nil
}

// basis says what a count is of, and what it does not see.
func basis(c *results.Count, s *counts.Summary) string {
	threads := "source and sink have a thread each"
	if len(s.Arms) > 0 && s.Arms[0].Turns {
		threads = "one thread sends a message and receives it (--threads 2 gives each role its own)"
	}
	blind := counts.Blind
	if c.Guest.CPUs > 1 {
		blind = counts.BlindOfTwo
	}
	return fmt.Sprintf("%d messages after %d; %s.\nQEMU %s, %s, CPU model %s. %s", c.Messages, c.Warmup, threads, c.Guest.QEMU, prose.Counted(c.Guest.CPUs, "CPU"), c.Guest.CPUModel, blind)
}

// writeCountPage writes the page of a count.
func writeCountPage(file string, c *results.Count) error { return disk.Write(file, countPage(c)) }

func countPage(c *results.Count) func(io.Writer) error {
	s := counts.Summarize(c)
	return func(w io.Writer) error { return html.Count(w, s, basis(c, &s)) }
}

// figure is a number of instructions, as far as its digits say something.
func figure(x float64) string {
	switch {
	case math.Abs(x) >= 1e5:
		return fmt.Sprintf("%.0f", x)
	case math.Abs(x) >= 10 || x == 0:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.4f", x)
}

func signed(x float64) string {
	if x < 0 {
		return figure(x)
	}
	return "+" + figure(x)
}

func percent(x float64) string { return fmt.Sprintf("%+.2f %%", 100*x) }

// printComparison prints a difference, and where it lies.
func printComparison(out io.Writer, p counts.Comparison, rows int) {
	writef(out, "\n%s against %s: ", p.Arm, p.Baseline)
	switch {
	case p.Paired > 0 && p.Identical == p.Paired:
		writef(out, "identical to the digit in %d of %d boots\n", p.Identical, p.Paired)
	case p.SE > 0:
		writef(out, "%s (%s to %s, 95 %% confidence)\n", percent(p.Change), percent(p.Lo), percent(p.Hi))
	default:
		writef(out, "%s\n", percent(p.Change))
	}
	if len(p.Functions) == 0 {
		return
	}
	whole := 0.0
	for _, g := range p.Groups {
		whole += g.From
	}
	least := whole / 1e4 // is worth a line
	for _, g := range p.Groups {
		d := g.To - g.From
		if math.Abs(d) < least {
			continue
		}
		change := ""
		if g.From > 0 {
			change = fmt.Sprintf(" (%+.0f %%)", 100*d/g.From)
		}
		writef(out, "  %s %s %s%s:", g.Role, g.Context, signed(d), change)
		n := 0
		for _, f := range p.Functions {
			if f.Role == g.Role && f.Context == g.Context && n < 3 && (f.To > f.From) == (d > 0) {
				writef(out, " %s %s", f.Function, signed(f.To-f.From))
				n++
			}
		}
		writef(out, "\n")
	}
	writef(out, "\n  %-7s %-8s %-40s %10s %10s %10s\n", "role", "context", "function", "from", "to", "change")
	for i, f := range p.Functions {
		if i == rows || math.Abs(f.To-f.From) < least/10 {
			break
		}
		writef(out, "  %-7s %-8s %-40s %10s %10s %10s\n", f.Role, f.Context, f.Function, figure(f.From), figure(f.To), signed(f.To-f.From))
	}
}
