package probe

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netab/results"
)

type fakeFiles map[string]string

func (f fakeFiles) ReadFile(path string) ([]byte, error) {
	if text, ok := f[path]; ok {
		return []byte(text), nil
	}
	return nil, fs.ErrNotExist
}

// softnetRow is a row of softnet_stat as Linux 6.18 prints it; without CPU as
// before 5.10.
func softnetRow(cpu string, columns ...string) string {
	all := strings.Fields(strings.Repeat("00000000 ", 11))
	for i, at := range []int{0, 1, 2, 9} {
		all[at] = columns[i]
	}
	if cpu != "" {
		all = append(all, "00000000", cpu)
	}
	return strings.Join(all, " ") + "\n"
}

// TestEdge: differences by CPU and in all, over a wrap, of what was read; what was
// not is nil.
func TestEdge(t *testing.T) {
	edge := func(files int, texts ...string) Edge {
		t.Helper()
		f := fakeFiles{}
		for i, text := range texts {
			f[EdgeFiles[i]] = text
		}
		e, err := ReadEdge(f, files)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	softirqs := func(counts string) string { return "  CPU0 CPU1\n NET_TX: 1 1\n NET_RX: " + counts + "\n" }
	before := edge(3,
		softnetRow("00000000", "fffffff0", "00000001", "00000002", "00000000")+softnetRow("00000001", "00000005", "00000000", "00000000", "00000000"),
		softirqs("10 20"), "cpu  1 2\nintr 100 0 7\nctxt 1000\n")
	after := edge(3,
		softnetRow("00000000", "00000010", "00000001", "00000005", "00000000")+softnetRow("00000001", "0000000f", "00000002", "00000000", "00000003"),
		softirqs("14 20"), "cpu  1 2\nintr 130 0 7\nctxt 1040\n")
	sum, cpus := after.Sub(before)
	want := results.Counters{Softnet: &results.Softnet{Processed: 42, Dropped: 2, TimeSqueeze: 3, ReceivedRPS: 3},
		Softirqs: &results.Softirqs{NetRX: 4}, Totals: &results.Totals{Interrupts: 30, ContextSwitches: 40}}
	if diff := cmp.Diff(want, sum); diff != "" {
		t.Error(diff)
	}
	wantCPUs := []results.CPUCounters{{CPU: 0, Processed: 32, TimeSqueeze: 3, Softirqs: map[string]int64{"NET_RX": 4}},
		{CPU: 1, Processed: 10, Dropped: 2, ReceivedRPS: 3}}
	if diff := cmp.Diff(wantCPUs, cpus); diff != "" {
		t.Error(diff)
	}

	old := func(a, b string) string { return softnetRow("", a, "0", "0", "0") + softnetRow("", b, "0", "0", "0") }
	sum, cpus = edge(1, old("3", "9")).Sub(edge(1, old("1", "4")))
	if sum.Softnet == nil || sum.Softnet.Processed != 7 || sum.Softirqs != nil || sum.Totals != nil || cpus != nil {
		t.Errorf("before Linux 5.10: %+v, %v", sum.Softnet, cpus)
	}

	for _, bad := range []string{"", "intr x\nctxt 1\n", "intr 1\n"} {
		if _, err := parseTotals([]byte(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	totals := parsed(t, "stat", parseTotals)
	if want := (results.Totals{Interrupts: 278393, ContextSwitches: 555062}); totals != want {
		t.Errorf("%+v, want %+v", totals, want)
	}
}
