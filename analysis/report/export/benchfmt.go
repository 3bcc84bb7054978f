package export

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"

	"netab/analysis/escape"
	"netab/analysis/prose"
	"netab/analysis/record"
	"netab/results"
	"netab/results/vocab"
)

// Benchfmt writes a run in the Go benchmark format, so that benchstat and all
// that reads its input can be used on it: one line for each valid trial and
// arm. The iteration count is the number of slices counted.
//
// benchstat compares unpaired trials and so knows less than netab does: it
// cannot see that the arms took turns. Use it to look at levels and to keep a
// history, not to overrule a verdict.
//
// The lines are by hand and not of x/perf's benchfmt.Writer: that writes numbers
// with exponents (2.83e+10), which some readers do not know, and no comments. That
// benchstat reads what comes of it, the tests ask benchstat.
func Benchfmt(w io.Writer, run *results.Run) error {
	b := bufio.NewWriter(w)
	benchConfig(b, run.Header)
	for _, t := range record.Of(run.Header.Design, run.Trials).Valid() {
		for arm := range run.Header.Design.Arms {
			if sum := t.Arm(arm).Totals(); sum.Slices > 0 && sum.CountedNS > 0 {
				benchLine(b, run.Header, arm, t.Arm(arm), sum)
			}
		}
	}
	return b.Flush()
}

// benchConfig writes the key: value lines that hold for the whole file, and
// tells benchstat which way is better. benchstat puts files whose keys differ
// into tables of their own, so that nothing stands beside anything: the run,
// which differs always, is therefore a comment, and only what makes figures
// another matter is a key.
func benchConfig(b *bufio.Writer, h results.Header) {
	if h.ID != "" {
		fmt.Fprintf(b, "# run: %s\n", escape.Line(h.ID))
	}
	for _, kv := range [][2]string{
		{"goos", "linux"},
		{"goarch", goarch(h.Machine.Arch)},
		{"cpu", h.Machine.CPUModel},
		{"kernel", h.Machine.Kernel},
		{"scenario", h.Design.Name},
		{"netab-version", h.Netab.Version},
	} {
		if kv[1] != "" {
			fmt.Fprintf(b, "%s: %s\n", kv[0], escape.Line(kv[1]))
		}
	}
	b.WriteString("Unit B/s better=higher\n")
	if slices.ContainsFunc(h.Design.Arms, func(a results.Arm) bool { return a.Protocol.Datagrams() }) {
		b.WriteString("Unit packets/s better=higher\n") // of a byte stream messages are whatever a receive call returned
	}
	b.WriteString("Unit source-ns/byte better=lower\nUnit sink-ns/byte better=lower\n")
	units := map[string]bool{}
	for _, a := range h.Design.Arms {
		for _, u := range benchUnits("", a.Kind) {
			units[u] = true
		}
		for name, kind := range a.Beside {
			for _, u := range append(benchUnits(name, kind), escape.Bench(name)+".B/s") {
				units[u] = true
			}
		}
	}
	for _, u := range slices.Sorted(maps.Keys(units)) {
		better := "higher"
		if strings.HasSuffix(u, "-ns") {
			better = "lower"
		}
		fmt.Fprintf(b, "Unit %s better=%s\n", u, better)
	}
	b.WriteByte('\n')
}

func benchLine(b *bufio.Writer, h results.Header, arm int, in *record.Arm, t record.Totals) {
	fmt.Fprintf(b, "%s\t%d\t%s B/s", benchName(h, arm), t.Slices, benchNumber(1e9*float64(t.RxBytes)/float64(t.CountedNS)))
	if arm < len(h.Design.Arms) && h.Design.Arms[arm].Protocol.Datagrams() {
		fmt.Fprintf(b, "\t%s packets/s", benchNumber(1e9*float64(t.RxMsgs)/float64(t.CountedNS)))
	}
	if t.RxBytes > 0 {
		fmt.Fprintf(b, "\t%s source-ns/byte\t%s sink-ns/byte",
			benchNumber(float64(t.SourceCPU)/float64(t.RxBytes)), benchNumber(float64(t.SinkCPU)/float64(t.RxBytes)))
	}
	benchAnswers(b, "", record.KindOf(h.Design, arm), t.RxMsgs, t.Transactions, t.CountedNS, in.Latency(""))
	beside := in.Beside()
	for _, name := range slices.Sorted(maps.Keys(beside)) {
		sum := beside[name]
		fmt.Fprintf(b, "\t%s %s.B/s", benchNumber(1e9*float64(sum.RxBytes)/float64(t.CountedNS)), escape.Bench(name))
		if arm < len(h.Design.Arms) {
			benchAnswers(b, name, h.Design.Arms[arm].Beside[name], sum.RxMsgs, sum.Transactions, t.CountedNS, in.Latency(name))
		}
	}
	b.WriteByte('\n')
}

// benchPercentiles are those of latency.
var benchPercentiles = []struct {
	name string
	q    float64
}{{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1}}

// benchUnits names what benchAnswers writes, in its order.
func benchUnits(of string, kind vocab.Kind) []string {
	if of != "" {
		of = escape.Bench(of) + "."
	}
	var units []string
	if kind.Transacts() {
		units = append(units, of+"transactions/s")
	}
	if kind.Answers() {
		for _, p := range benchPercentiles {
			units = append(units, of+p.name+"-ns")
		}
	}
	return units
}

func benchAnswers(b *bufio.Writer, of string, kind vocab.Kind, msgs, transactions, counted int64, latency *results.Histogram) {
	if kind == vocab.Conn {
		transactions = msgs
	}
	for i, unit := range benchUnits(of, kind) {
		switch {
		case i == 0:
			fmt.Fprintf(b, "\t%s %s", benchNumber(1e9*float64(transactions)/float64(counted)), unit)
		case latency != nil && record.Shows(latency, benchPercentiles[i-1].q):
			fmt.Fprintf(b, "\t%s %s", benchNumber(latency.Quantile(benchPercentiles[i-1].q)), unit)
		}
	}
}

// benchName is "BenchmarkLoopbackRps/rps=sink-2". The number of CPUs always
// stands at the end, as go test writes it: without it a name like "flows-8"
// would be read as eight CPUs.
func benchName(h results.Header, arm int) string {
	var name strings.Builder
	name.WriteString("Benchmark")
	for _, word := range strings.FieldsFunc(escape.Visible(h.Design.Name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		r := []rune(word)
		if r[0] = unicode.ToUpper(r[0]); unicode.IsLower(r[0]) {
			name.WriteByte('_') // a letter without a capital: "Benchmarkß" would be no benchmark
		}
		name.WriteString(string(r))
	}
	var levels []results.FactorLevel
	if arm < len(h.Design.Arms) {
		levels = h.Design.Arms[arm].Levels
	}
	if len(levels) == 0 {
		levels = []results.FactorLevel{{Factor: "arm", Value: record.ArmName(h.Design, arm)}}
	}
	for _, l := range levels {
		fmt.Fprintf(&name, "/%s=%s", escape.Bench(l.Factor), escape.Bench(l.Value))
	}
	fmt.Fprintf(&name, "-%d", max(h.Machine.CPUs, 1))
	return name.String()
}

// benchNumber never uses an exponent, which some readers do not know.
func benchNumber(x float64) string { return prose.Long(x) }

func goarch(machine string) string {
	switch machine {
	case "x86_64":
		return "amd64"
	case "aarch64":
		return "arm64"
	}
	return machine
}
