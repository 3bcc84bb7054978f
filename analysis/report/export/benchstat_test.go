package export

import (
	"bytes"
	"encoding/csv"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"netab/analysis/record"
	"netab/analysis/report/sample"
	"netab/results"
	"netab/test/need"
)

// benchstat runs the real one, the tool of go.mod, on runs as they are
// exported, and returns its tables as CSV. Whatever it has to complain of goes
// to stderr, and is an error here.
func benchstat(t *testing.T, runs []*results.Run, args ...string) [][]string {
	t.Helper()
	need.Program(t, "go") // benchstat is a tool of the module
	args = append([]string{"tool", "benchstat", "-format", "csv"}, args...)
	for i, run := range runs {
		var b bytes.Buffer
		if err := Benchfmt(&b, run); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "run"+strconv.Itoa(i)+".txt")
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	download(t)
	cmd := exec.Command("go", args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil || errs.Len() > 0 {
		t.Fatalf("%v: %v: %s", cmd.Args, err, errs.String())
	}
	r := csv.NewReader(&out)
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// download gets the tool's modules: on a fresh machine go says on stderr that it
// does.
func download(t *testing.T) {
	t.Helper()
	if out, err := exec.Command("go", "build", "-o", os.DevNull, "golang.org/x/perf/cmd/benchstat").CombinedOutput(); err != nil {
		t.Fatalf("build benchstat: %v\n%s", err, out)
	}
}

// benchRow is the row of a name in the table of a unit.
func benchRow(t *testing.T, rows [][]string, unit, name string) []string {
	t.Helper()
	in := false
	for _, r := range rows {
		if len(r) > 1 && r[0] == "" && r[2] == "CI" {
			in = r[1] == unit
		}
		if in && r[0] == name {
			return r
		}
	}
	t.Fatalf("no row %q of %s in %q", name, unit, rows)
	return nil
}

// medianOf is that of an arm's rates over the trials, as benchstat takes it.
func medianOf(run *results.Run, arm int) float64 {
	var xs []float64
	r := record.Of(run.Header.Design, run.Trials)
	for i := range r.Trials {
		sum := r.Trials[i].Arm(arm).Totals()
		xs = append(xs, 1e9*float64(sum.RxBytes)/float64(sum.CountedNS))
	}
	slices.Sort(xs)
	return (xs[(len(xs)-1)/2] + xs[len(xs)/2]) / 2
}

func near(t *testing.T, what, got string, want float64) {
	t.Helper()
	if x, err := strconv.ParseFloat(got, 64); err != nil || math.Abs(x/want-1) > 1e-5 {
		t.Errorf("%s is %q, want %v", what, got, want)
	}
}

func TestBenchstatOfArms(t *testing.T) {
	run := sample.TCPWorld().Run()
	run.Header.Design.Arms[1].Name = "to sink/flows-8 é=1"
	rows := benchstat(t, []*results.Run{run}, "-col", "/arm")
	r := benchRow(t, rows, "B/s", "LoopbackRps-2")
	off, sink := medianOf(run, 0), medianOf(run, 1)
	near(t, "off", r[1], off)
	near(t, "to sink", r[3], sink)
	change, err := strconv.ParseFloat(strings.TrimSuffix(r[5], "%"), 64)
	if err != nil || math.Abs(change-100*(sink/off-1)) > 0.01 {
		t.Errorf("the change is %q, want %v %%", r[5], 100*(sink/off-1))
	}
	if !strings.HasSuffix(r[6], "n="+strconv.Itoa(len(run.Trials))) {
		t.Errorf("%q, want n=%d", r[6], len(run.Trials))
	}
	for _, unit := range []string{"source-sec/byte", "sink-sec/byte"} { // it takes ns for seconds
		benchRow(t, rows, unit, "LoopbackRps-2")
	}
}

func TestBenchstatOfRequests(t *testing.T) {
	rows := benchstat(t, []*results.Run{sample.Requests()}, "-col", "/arm")
	for _, unit := range []string{"transactions/s", "p50-sec", "p99-sec", "max-sec", "bulk.B/s"} {
		benchRow(t, rows, unit, "RrBusyPoll-2")
	}
}

func TestBenchstatOfMatrix(t *testing.T) {
	rows := benchstat(t, []*results.Run{sample.MatrixWorld().Run()}, "-col", "/rps")
	for _, size := range []string{"64", "512", "4K", "32K", "128K"} {
		if r := benchRow(t, rows, "B/s", "MessageSize/message="+size+"-2"); len(r) < 7 || !strings.HasPrefix(r[6], "p=") {
			t.Errorf("size %s: %q", size, r)
		}
	}
}

// TestBenchstatOfRuns: two runs stand side by side without further ado, and
// those of two kernels with -col kernel.
func TestBenchstatOfRuns(t *testing.T) {
	before, after := sample.TCPWorld().Run(), sample.TCPWorld().Run()
	after.Header.ID = "another"
	for i := range after.Trials {
		for k := range after.Trials[i].Slices {
			after.Trials[i].Slices[k].RxBytes = after.Trials[i].Slices[k].RxBytes * 9 / 10
		}
	}
	for _, args := range [][]string{{}, {"-col", "kernel"}} {
		r := benchRow(t, benchstat(t, []*results.Run{before, after}, args...), "B/s", "LoopbackRps/arm=off-2")
		if len(r) < 7 || !strings.HasPrefix(r[5], "-10.0") {
			t.Errorf("%q: %q, want a change of -10 %%", args, r)
		}
		after.Header.Machine.Kernel = "6.19.0"
	}
}
