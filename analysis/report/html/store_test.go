package html

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"netab/analysis/report/sample"
	"netab/analysis/trend"
	"netab/results"
)

// manyRuns are n runs of so many questions of four arms; every third contradicts the
// others.
func manyRuns(n, questions int) []results.Digest {
	var series []results.SeriesKey
	for a := range 4 {
		series = append(series, results.SeriesKey{Arm: fmt.Sprint("arm", a), Against: "off", Metric: "goodput", Judged: true, Resolution: 0.01})
	}
	base := sample.Nights()[0]
	var runs []results.Digest
	for i := range n {
		q := i % questions
		d := results.Digest{Started: base.Started.AddDate(0, 0, i), Scenario: fmt.Sprint("scenario", q%20), Asked: fmt.Sprintf("%016x", q), Series: series,
			Facts: map[string]string{"hostname": fmt.Sprint("ci", q%3), "cpu model": "model", "kernel": fmt.Sprint("6.18.", i/1000)}}
		d.ID = results.NewID(d.Scenario, d.Started, uint64(i))
		d.Run = d.ID
		for a := range 4 {
			x := 0.05 + 0.1*float64(i/questions%3)
			d.Effects = append(d.Effects, results.DigestEffect{Arm: fmt.Sprint("arm", a), Baseline: "off", Metric: "goodput", X: math.Log1p(x), SE: 0.002, DF: 20, Lo: x - 0.004, Hi: x + 0.004, Verdict: "improvement"})
			d.Values = append(d.Values, x)
		}
		runs = append(runs, d)
	}
	return runs
}

func storePageText(t testing.TB, runs []results.Digest) string {
	t.Helper()
	var b bytes.Buffer
	if err := Store(&b, trend.Oversee(runs, nil), func(run string) string { return "./" + run + "/report.html" }); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestStorePage(t *testing.T) {
	runs := slices.Concat(sample.Nights(), manyRuns(7, 1), []results.Digest{{ID: "broken", Unused: "unreadable: no header"}})
	text := storePageText(t, runs)
	if text != storePageText(t, runs) {
		t.Error("the page differs from one time to the next")
	}
	for _, want := range []string{"98 runs of 2 questions", "of 1 question the newest runs contradict earlier ones", "<polyline points=", "improvement", "&#43;4.6 to &#43;5.4",
		"cut off, or not ended yet", `/report.html">report</a>`, "6.19.0-rc5-00012-g0a1b2c3d0050", "unreadable: no header", "Gbit/s", "Contradiction"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if m := regexp.MustCompile(`(?i)(src|href|action|url)\s*[=(]\s*["']?(https?:)?//[^"'\s]*`).FindString(text); m != "" {
		t.Errorf("the page names another address: %s", m)
	}
	if text := storePageText(t, nil); !strings.Contains(text, "there is no run in it") {
		t.Error("the page of an empty store does not say so")
	}
}

// TestStorePageIsBounded: by what it shows, however many runs and questions there are,
// and however long their texts.
func TestStorePageIsBounded(t *testing.T) {
	for questions, most := range map[int]int{40: 2 << 20, 10000: 3 << 20} {
		text := storePageText(t, manyRuns(10000, questions))
		t.Logf("%d questions: %d bytes", questions, len(text))
		if len(text) > most {
			t.Errorf("the page of 10000 runs of %d questions has %d bytes, at most %d are meant", questions, len(text), most)
		}
		if !strings.Contains(text, "not listed") {
			t.Error("the page does not say what it leaves out")
		}
	}
}

func hostileStore() []results.Digest {
	const evil = `</script><script>window.pwned = 1</script><img src=x onerror="window.pwned = 1">'"><svg onload=alert(1)>`
	runs := manyRuns(9, 2)
	for i := range runs {
		r := &runs[i]
		r.ID, r.Scenario, r.Asked = evil+r.ID, evil, evil+r.Asked
		r.Facts = map[string]string{"hostname": evil, "kernel": evil}
		r.Series = slices.Clone(r.Series)
		for k := range r.Effects {
			e := &r.Effects[k]
			e.Arm, e.Baseline, e.Metric, e.Verdict, e.X, e.Lo, e.Hi = evil, evil, evil, evil, math.MaxFloat64*float64(1-2*(i%2)), -math.MaxFloat64, math.MaxFloat64
			r.Series[k].Arm, r.Series[k].Against, r.Series[k].Metric = evil, evil, evil
		}
	}
	return append(runs, results.Digest{ID: evil, Unused: strings.Repeat(evil, 1000)})
}

func TestStoreRecordNeverBecomesMarkup(t *testing.T) {
	text := storePageText(t, hostileStore())
	for _, bad := range []string{"<script>window.pwned", "<img", "<svg onload", "NaN", "Inf"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page contains %s", bad)
		}
	}
}

func TestPageStoreInBrowser(t *testing.T) {
	b := newBrowser(t)
	file := filepath.Join(t.TempDir(), "store.html")
	write := func(runs []results.Digest) {
		t.Helper()
		if err := os.WriteFile(file, []byte(storePageText(t, runs)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(manyRuns(10000, 40))
	b.open(t, file, 1440, "light")
	shown := `Array.from(document.querySelectorAll('tbody[data-question]')).filter(function (e) { return !e.hidden; }).length`
	if n := eval[int](t, b, shown); n != 40 {
		t.Errorf("%d questions are shown at first", n)
	}
	choose := `(function () { var f = document.getElementById('filters'); f.elements.scenario.value = '0'; f.dispatchEvent(new Event('change')); return document.getElementById('left').textContent; })()`
	if text := eval[string](t, b, choose); text != "2 shown" || eval[int](t, b, shown) != 2 {
		t.Errorf("of one scenario: %s", text)
	}
	if n := eval[int](t, b, `(function () { var f = document.getElementById('filters'); f.reset(); f.elements.kernel.value = '9'; f.dispatchEvent(new Event('change')); return document.querySelectorAll('tbody[data-question]:not([hidden])').length; })()`); n != 40 {
		t.Errorf("%d questions were asked of the oldest kernel", n)
	}
	b.shoot(t, "wide")
	b.check(t)
	write(hostileStore())
	b.open(t, file, 390, "dark")
	if eval[bool](t, b, `'pwned' in window`) {
		t.Error("a record became code")
	}
	b.shoot(t, "hostile")
	b.check(t)
}

func BenchmarkStorePage(b *testing.B) {
	runs := manyRuns(10000, 40)
	for b.Loop() {
		storePageText(b, runs)
	}
}
