package test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"netab/cmd/netab/kernels"
	"netab/results"
	"netab/results/vocab"
	"netab/runner/guest"
	"netab/runner/guest/kernel"
)

// TestGuestExplained: kernels of several years are explained, each with what it tells:
// what it does not is withheld by itself, and says what it takes. There is one CPU: of two
// emulated ones, one may run what the kernel rewrites for a tracepoint, and hang or oops.
func TestGuestExplained(t *testing.T) {
	longBoots(t)
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		kernel func(*testing.T, place) []string
		starts string
		lacks  []string // parts of the events that it does not tell
	}{
		{"5.10", debian("bullseye", "linux-image-cloud-amd64"), "5.10.", []string{"reasons", "locks"}},
		{"6.1", named("apt:linux-image-6.1.0-57-cloud-amd64"), "6.1.", nil},
		{"6.12", named("apt:linux-image-6.12-cloud-amd64"), "6.12.", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlace(t)
			t.Setenv("XDG_CACHE_HOME", filepath.Join(cache, "netab-tests")) // a kernel is fetched once
			of := tt.kernel(t, p)
			var o kernel.Options
			if len(of) == 3 {
				o.Apt = filepath.Join(p.dir, of[2])
			}
			k, err := kernel.Find(t.Context(), of[0], o)
			if err != nil {
				t.Fatal(err)
			}
			_, lines, said := inMachine(t, guest.Machine{CPUs: 1}, 4*time.Minute, kernels.ForGuest(k), nil, "/tmp/store/*/run.jsonl", "run", "loopback-rps", "--only", "sink", "--set", "placement=same",
				"--store", "/tmp/store", "--max-time", "60s", "--set", "measure.max_bytes=1", "--explain=on", "--explain-time", "45s")
			run, err := results.Read(strings.NewReader(strings.Join(lines, "\n") + "\n"))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(run.Header.Machine.Kernel, tt.starts) {
				t.Errorf("kernel %s", run.Header.Machine.Kernel)
			}
			n := map[vocab.Instrument]int{}
			withheld, absent := map[string]string{}, []string(nil)
			attached := time.Duration(0)
			for i := range run.Explains {
				x := &run.Explains[i]
				if x.Invalid != "" {
					t.Errorf("trial %d, %s: %s", x.Index, x.Instrument, x.Invalid)
					continue
				}
				if len(x.Absent) > 0 {
					absent = x.Absent
				}
				attached = max(attached, time.Duration(x.AttachNS))
				for part, why := range x.Withheld {
					withheld[part] = why
				}
				if told(t, x) {
					n[x.Instrument]++
				}
			}
			t.Logf("%s: %v, attached in %v at most, withheld %v, no tracepoints of %v", run.Header.Machine.Kernel, n, attached, withheld, absent)
			if n[vocab.Accounting] == 0 || n[vocab.Sampling] == 0 || n[vocab.Events] == 0 {
				t.Errorf("trials that told something: %v\n%s", n, said)
			}
			for _, part := range tt.lacks {
				if len(withheld[part]) < 10 {
					t.Errorf("%s: nothing says why there is none: %q", part, withheld[part])
				}
			}
		})
	}
}

// told holds what an explain trial tells against what there is, and says whether it is
// anything.
func told(t *testing.T, x *results.Explain) bool {
	t.Helper()
	switch x.Instrument {
	case vocab.Accounting:
		for _, c := range x.CPUs {
			var sum int64
			for _, of := range c.NS {
				for _, ns := range of {
					sum += ns
				}
			}
			if math.Abs(float64(sum-c.CountedNS)) > 0.001*float64(c.CountedNS) {
				t.Errorf("trial %d, CPU %d: its parts are %v of %v", x.Index, c.CPU, time.Duration(sum), time.Duration(c.CountedNS))
			}
		}
		return slices.ContainsFunc(x.Slices, func(s results.ExplainSlice) bool { return s.Source != nil && s.Source.NS["task"] > 0 })
	case vocab.Sampling:
		return x.Samples != nil && len(x.Samples.Stacks) > 0
	}
	return slices.ContainsFunc(x.Scheduling, func(s results.RoleScheduling) bool { return s.Wakeups > 0 }) || x.Withheld["scheduling"] != ""
}
