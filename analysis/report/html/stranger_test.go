package html

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"netab/analysis"
	"netab/analysis/gate"
	"netab/analysis/report"
	"netab/analysis/report/export"
	"netab/results"
)

// FuzzStranger: a run file that is read at all is judged and shown in every form,
// whatever its numbers are; none of it panics or recurses without end.
func FuzzStranger(f *testing.F) {
	files, err := filepath.Glob("../../../test/testdata/store/*/run.jsonl")
	if err != nil || len(files) == 0 {
		f.Fatalf("%v, %v", files, err)
	}
	for _, file := range append(files, "../../../results/testdata/huge-counter.jsonl") {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(cutAfter(text, 3))
	}
	const header = `{"type":"header","schema":"netab/run/1","design":{"arms":[{"name":"a"},{"name":"b"}],"baseline":"a","metrics":["goodput"],"confidence":0.95,"resolution":0.01}}` + "\n"
	f.Add([]byte(header))
	f.Add([]byte(header + `{"type":"trial","order":[1,0],"slices":[{"block":0,"arm":1,"counted_ns":9007199254740992,"rx_bytes":-9007199254740992},{"block":0,"arm":0,"counted_ns":1,"rx_bytes":1}],"arms":[{"arm":1,"latency":[9,1]},{"arm":1,"ledger":{"valid":true,"sent_msgs":-5}}],"host":{"cpus":[{"cpu":8192,"mhz":1e7}]}}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		run, err := results.Read(bytes.NewReader(text))
		if err != nil {
			return
		}
		s := analysis.Summarize(run)
		g := gate.New(s, nil, time.Unix(0, 0))
		in := Input{Runs: []*results.Run{run}, Summaries: []analysis.Summary{s}}
		for _, show := range []func(io.Writer) error{
			func(w io.Writer) error { return export.Text(w, report.Summary(s), export.Options{Width: 80}) },
			func(w io.Writer) error { return export.JSON(w, report.Summary(s), export.Options{}) },
			func(w io.Writer) error { return export.Markdown(w, report.Summary(s), export.Options{}) },
			func(w io.Writer) error { return export.CSV(w, run) },
			func(w io.Writer) error { return export.Benchfmt(w, run) },
			func(w io.Writer) error { return Runs(w, in) },
			func(w io.Writer) error { return export.Text(w, report.Gate(g), export.Options{Width: 80}) },
			func(w io.Writer) error { return export.JUnit(w, report.Gate(g), export.Options{}) },
			func(w io.Writer) error { return export.Markdown(w, report.Gate(g), export.Options{}) },
		} {
			_ = show(io.Discard) // an error is an answer
		}
	})
}

// cutAfter is the header of a run and so many trials.
func cutAfter(text []byte, n int) []byte {
	lines := bytes.SplitAfterN(text, []byte("\n"), n+2)
	return bytes.Join(lines[:min(len(lines), n+1)], nil)
}
