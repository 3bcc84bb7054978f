package html

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"netab/analysis"
	"netab/analysis/report/sample"
	"netab/analysis/why"
	"netab/results"
	"netab/results/vocab"
)

func pageOf(t *testing.T, in Input) string {
	t.Helper()
	var b strings.Builder
	if err := Runs(&b, in); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestWhy: the explanation stands as tables under the verdict, and text of a record is
// no markup.
func TestWhy(t *testing.T) {
	run := sample.TCPWorld().Run()
	run.Explains = []results.Explain{{Instrument: vocab.Accounting, CPUs: []results.ExplainCPU{
		{CPU: 1, Arm: 0, CountedNS: 1e9, NS: map[vocab.Owner]map[string]int64{vocab.SourceTime: {"net_rx": 321e6, "task": 5e8}, vocab.IdleTime: {"task": 1e8}}},
	}}}
	s := analysis.Summarize(run)
	measured := 0.19
	s.Explanations = []why.Explanation{{Baseline: "off", Arm: "sink", Role: vocab.SourceTime, Unit: "ns/KiB", Text: "sink is faster <because>", Measured: &measured, Parts: []why.Part{
		{Role: vocab.SourceTime, Context: "net_rx", From: 62.8, To: 42.2, Delta: -20.6, Lo: -22, Hi: -19, Significant: true},
		{Role: vocab.SourceTime, Category: "TCP/IP", From: 60, To: 40, Delta: -20, Lo: -22, Hi: -18, Significant: true},
		{Role: vocab.SourceTime, Context: "net_rx", Category: "TCP/IP", From: 60, To: 40, Delta: -20, Lo: -22, Hi: -18, Significant: true},
		{Role: vocab.SourceTime, Context: "net_rx", Category: "TCP/IP", Function: "tcp_ack", From: 6, To: 4, Delta: -2, Lo: -3, Hi: 1},
	}, Notes: []string{"a note"}}}
	page := pageOf(t, Input{Runs: []*results.Run{run}, Summaries: []analysis.Summary{s}})
	for _, want := range []string{"Why: sink against off", "sink is faster &lt;because&gt;", "source: net_rx softirq on its back", "<strong>−20.6</strong>", "source: TCP/IP", "tcp_ack",
		"By function", "a note", "Softirq time of each CPU", `style="--heat:1.00">321<`, "The verdict&#39;s change, of the trials before", "Measured in the same trials</th><td class=\"num\">&#43;19", `<a href="#r1-why-1" title="why">`, `id="r1-why-1"`,
		`width="100.00%" height="18" class="of"`, `<title>net_rx softirq on its back, TCP/IP: 60.0 ns/KiB</title>`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if strings.Index(page, "Why: sink") < strings.Index(page, `class="verdicts"`) {
		t.Error("it does not stand below the verdicts")
	}
	if strings.Contains(page, "data-flame=") || strings.Contains(page, "differential flame graphs") {
		t.Error("it has a flame graph of no samples, or the script of one")
	}
}

// TestWhyWithoutScript: what a script draws is not seen without one, and its figures
// stand in tables.
func TestWhyWithoutScript(t *testing.T) {
	page := pageOf(t, judgedInput(sample.Explained(sample.TCPWorld(), 8)))
	for _, want := range []string{`<figure class="flame" id="r1-why-1-flame-1" data-short="By role: source" hidden>`, `<script type="application/json" data-flame="r1-why-1-flame-1">{"role":"source","from":"off","to":"`,
		`<th scope="row">CPU 1, source: net_rx softirq on its back</th>`, `data-short="By CPU"`,
		"<th scope=\"row\">source: net_rx softirq on its back, scheduling and wake-ups, try_to_wake_up</th>", "<text x=\"5\" y=\"16.5\">drivers and IPIs</text>"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
}

// TestManyExplained: the report of 64 arms, all of them explained, stays small.
func TestManyExplained(t *testing.T) {
	w := sample.TCPWorld()
	for i := len(w.Design.Arms); i < 64; i++ {
		a := w.Design.Arms[1]
		a.Name = fmt.Sprintf("arm-%d-of-many", i)
		w.Design.Arms = append(w.Design.Arms, a)
	}
	w = sample.Widened(w)
	page := pageOf(t, judgedInput(sample.Explained(w, 8)))
	if n := len(page); n > 2<<20 {
		t.Errorf("%d bytes", n)
	}
	if n := strings.Count(page, "data-flame="); n != 2*mostDetailed { // by role, and by CPU
		t.Errorf("%d flame graphs", n)
	}
	if n := strings.Count(page, `<section class="why"`); n != 63 {
		t.Errorf("%d explanations", n)
	}
}

// TestFlameInBrowser: a flame graph is drawn, enlarged, searched and operated by keys,
// and what the second arm does not do is seen on switching to the first.
func TestFlameInBrowser(t *testing.T) {
	b := newBrowser(t)
	file := reportFile(t, judgedInput(sample.Explained(sample.TCPWorld(), 8)))
	const graph = `document.querySelector('.flame')`
	shown := func(name string) bool {
		return eval[bool](t, b, fmt.Sprintf(`Array.from(%s.querySelectorAll('.frame')).some(function (e) { return e.textContent === %q && e.getClientRects().length > 0; })`, graph, name))
	}
	for _, width := range []int64{390, 1440} {
		b.open(t, file, width, "light")
		b.shoot(t, fmt.Sprintf("%d-light", width))
		b.inspect(t)
		if n := eval[int](t, b, fmt.Sprintf(`Array.from(%s.querySelectorAll('.frame')).filter(function (e) { return e.getClientRects().length && e.offsetWidth > 0; }).length`, graph)); n < 20 {
			t.Errorf("%d px: %d frames", width, n)
		}
		colors := `Array.from(document.querySelectorAll('.flame .frame')).map(function (e) { return getComputedStyle(e).backgroundColor; }).join()`
		light := eval[string](t, b, colors)
		b.scheme(t, "dark")
		b.settle(t)
		b.shoot(t, fmt.Sprintf("%d-dark", width))
		if eval[string](t, b, colors) == light {
			t.Error("the dark has the colours of the light")
		}
	}
	if shown("try_to_wake_up") || !shown("native_write_msr") {
		t.Error("with the widths of sink, what only off does is shown, or what only sink does is not")
	}
	eval[chromedp.Void](t, b, graph+`.querySelector('.flame-sides button').click()`)
	if !shown("try_to_wake_up") || shown("native_write_msr") {
		t.Error("with the widths of off, what only off does is not shown, or what only sink does is")
	}
	if kinds := eval[string](t, b, `['.less', '.more', ':not(.less):not(.more)'].map(function (k) { return document.querySelectorAll('.flame .frame' + k).length > 0; }).join()`); kinds != "true,true,true" {
		t.Errorf("less, more and the same: %s", kinds)
	}
	// Keys: down to the widest call, enlarge it, back, search.
	eval[chromedp.Void](t, b, graph+`.querySelector('.frame').focus()`)
	if err := chromedp.Do(b.ctx, chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.Enter)); err != nil {
		t.Fatal(err)
	}
	if at := eval[string](t, b, `document.activeElement.textContent + ' ' + document.activeElement.style.width`); at != "entry_SYSCALL_64_after_hwframe 100%" {
		t.Errorf("after two arrows and Enter: %s", at)
	}
	if shown("tcp_ack") {
		t.Error("what is beside the enlarged one is shown")
	}
	if err := chromedp.Do(b.ctx, chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent("/")); err != nil {
		t.Fatal(err)
	}
	eval[chromedp.Void](t, b, `document.activeElement.value = ''`) // what sends keys here sends a letter too, whatever became of its key
	if err := chromedp.Do(b.ctx, chromedp.KeyEvent("TCP_A")); err != nil {
		t.Fatal(err)
	}
	if said := eval[string](t, b, graph+`.querySelector('.flame-said').textContent`); !strings.HasPrefix(said, "1 box: ") || !strings.Contains(said, "ns/KiB, −") {
		t.Errorf("searching says %q", said)
	}
	if !shown("tcp_ack") || eval[int](t, b, `document.querySelectorAll('.flame .hit').length`) == 0 {
		t.Error("Escape does not show all, or what is found has no mark")
	}
	// By role or by CPU: one is shown, and keys switch.
	const views = `Array.from(document.querySelector('.flames').querySelectorAll('figure.flame')).map(function (f) { return f.hidden ? '-' : f.dataset.short; }).join()`
	if got := eval[string](t, b, views); got != "By role: source,-" {
		t.Errorf("shown at first: %s", got)
	}
	eval[chromedp.Void](t, b, `document.querySelector('.flame-views button').focus()`)
	if err := chromedp.Do(b.ctx, chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter)); err != nil {
		t.Fatal(err)
	}
	if got := eval[string](t, b, views+` + ' ' + document.activeElement.getAttribute('aria-pressed')`); got != "-,By CPU true" {
		t.Errorf("after Tab and Enter: %s", got)
	}
	b.settle(t)
	b.shoot(t, "by-cpu")
	b.inspect(t)
	if n := eval[int](t, b, `Array.from(document.querySelectorAll('.flames figure.flame')[1].querySelectorAll('.frame')).filter(function (e) { return e.offsetWidth > 0 && e.textContent === 'CPU 1'; }).length`); n != 1 {
		t.Errorf("CPU 1 is drawn %d times", n)
	}
	b.check(t)
}

// TestWhyBetweenRuns: the comparison of runs that both have explain trials says what
// moved between them, and draws it.
func TestWhyBetweenRuns(t *testing.T) {
	w := sample.TCPWorld()
	a := sample.Explained(w, 8)
	w.Seed = 8
	b := sample.Explained(w, 8)
	b.Header.ID, b.Header.Machine.Kernel, b.Header.Machine.BootID = "20260315T101112-loopback-rps", "6.19.0", "another-boot"
	for i := range b.Explains { // the later kernel takes twice as long over acknowledgements
		if s := b.Explains[i].Samples; s != nil {
			for j, stack := range s.Stacks {
				if s.Functions[append(stack.Frames, 0)[0]] == "tcp_ack" {
					s.Stacks[j].N *= 2
				}
			}
		}
	}
	in := judgedInput(a)
	in.Runs, in.Summaries = append(in.Runs, b), append(in.Summaries, analysis.Summarize(b))
	cmp := analysis.Compare(a, b, "kernel")
	in.Compare = &cmp
	if len(cmp.Explanations) != 3 {
		t.Fatalf("%d explanations", len(cmp.Explanations))
	}
	page := pageOf(t, in)
	for _, want := range []string{`id="cmp-why-1"`, `data-flame="cmp-why-1-flame-1"`, "These runs were not interleaved"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
}
