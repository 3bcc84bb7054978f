package html

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"netab/analysis"
	"netab/analysis/calibration"
	"netab/analysis/proof"
	"netab/analysis/report/sample"
	"netab/analysis/world"
	"netab/results"
	"netab/test/need"
)

// A browser is one tab of a headless Chromium that keeps what went wrong in
// it: console messages, exceptions, and requests for anything but the file.
type browser struct {
	ctx context.Context

	mu       sync.Mutex
	problems []string
}

// needBrowser finds Chromium and the chart library.
func needBrowser(t *testing.T) string {
	t.Helper()
	if _, err := assetFiles.ReadFile(echartsFile); err != nil {
		need.Missing(t, echartsFile, "run `make build`")
	}
	return need.Program(t, "chromium")
}

// chromium is started once; each test has a tab of its own.
var chromium struct {
	once sync.Once
	tabs context.Context
	err  error
	end  func()
}

// TestMain ends Chromium.
func TestMain(m *testing.M) {
	status := m.Run()
	if chromium.end != nil {
		chromium.end()
	}
	os.Exit(status)
}

func startChromium(path string) {
	dir, err := os.MkdirTemp("", "netab-chromium-")
	if err != nil {
		chromium.err = err
		return
	}
	flags := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.UserDataDir(dir), chromedp.Env("TMPDIR=" + dir)}
	for _, name := range []string{"headless", "no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking",
		"disable-component-update", "disable-sync", "disable-quic", "hide-scrollbars"} {
		flags = append(flags, chromedp.Flag(name, true))
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), flags...)
	tabs, closeAll := chromedp.NewContext(ctx)
	chromium.tabs, chromium.err = tabs, chromedp.Do(tabs)
	chromium.end = func() {
		closeAll()
		cancel()
		os.RemoveAll(dir)
	}
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	path := needBrowser(t)
	chromium.once.Do(func() { startChromium(path) })
	if chromium.err != nil {
		t.Fatal(chromium.err)
	}
	b := &browser{}
	var cancel context.CancelFunc
	b.ctx, cancel = chromedp.NewContext(chromium.tabs)
	t.Cleanup(cancel)
	if err := chromedp.Listen(b.ctx, b.note); err != nil {
		t.Fatal(err)
	}
	_, errNet := chromedp.Call(b.ctx, network.Enable, network.EnableParams{})
	_, errLog := chromedp.Call(b.ctx, log.Enable, cdp.Empty{})
	_, errRun := chromedp.Call(b.ctx, runtime.Enable, cdp.Empty{})
	if err := errors.Join(errNet, errLog, errRun); err != nil {
		t.Fatal(err)
	}
	return b
}

// note keeps every event that must not happen.
func (b *browser) note(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := ev.(type) {
	case *runtime.EventConsoleAPICalled:
		text := "console." + string(e.Type)
		for _, a := range e.Args {
			text += " " + string(a.Value) + a.Description
		}
		b.problems = append(b.problems, text)
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, fmt.Sprintf("exception: %s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
	case *log.EventEntryAdded:
		b.problems = append(b.problems, "log "+string(e.Entry.Level)+": "+e.Entry.Text)
	case *network.EventRequestWillBeSent:
		if u := e.Request.URL; !strings.HasPrefix(u, "file:") && !strings.HasPrefix(u, "data:") {
			b.problems = append(b.problems, "request: "+u)
		}
	}
}

// check fails on everything noted so far.
func (b *browser) check(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.problems {
		t.Error(p)
	}
	b.problems = nil
}

// open loads a file at a width, as a desktop or a phone, light or dark.
func (b *browser) open(t *testing.T, file string, width int64, scheme string) {
	t.Helper()
	address := (&url.URL{Scheme: "file", Path: file}).String()
	viewport := chromedp.EmulateViewport(width, 900)
	if width < 600 {
		viewport = chromedp.EmulateViewport(width, 900, chromedp.EmulateMobile, chromedp.EmulatePortrait)
	}
	b.scheme(t, scheme)
	if err := chromedp.Do(b.ctx, viewport, chromedp.Navigate(address)); err != nil {
		t.Fatal(err)
	}
}

// scheme makes the system light or dark.
func (b *browser) scheme(t *testing.T, scheme string) {
	t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}); err != nil {
		t.Fatal(err)
	}
}

// settle waits for two frames: events of a changed medium come with a frame.
func (b *browser) settle(t *testing.T) {
	t.Helper()
	const frames = `new Promise(function (done) { requestAnimationFrame(function () { requestAnimationFrame(function () { done(1); }); }); })`
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[int](frames, chromedp.EvalAwaitPromise)); err != nil {
		t.Fatal(err)
	}
}

// eval runs a script and returns what it gives.
func eval[T any](t *testing.T, b *browser, js string) T {
	t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](js))
	if err != nil {
		t.Fatalf("%s: %v", js, err)
	}
	return v
}

func reportFile(t *testing.T, in Input) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(Runs(f, in), f.Close()); err != nil {
		t.Fatal(err)
	}
	return file
}

// proofFile is the proof page with figures for all worlds.
func proofFile(t *testing.T) string {
	t.Helper()
	p := proof.Proof{Repetitions: 2000}
	for i, c := range proof.Cases() {
		r := proof.Result{Name: c.Name, Title: c.Title, Resolution: c.Resolution, MaxTimeS: c.MaxTime.Seconds(), Beyond: c.Beyond, Broken: []string{}}
		for _, x := range []float64{0, 0.5, 1, 2, 3, 5} {
			found := min(1, x*x/4)
			r.Effects = append(r.Effects, proof.Effect{Effect: x, Different: 0.03, Found: found, Covered: 0.96, Equivalent: 1 - found,
				Seconds: 60 / (1 + x*x) * (1 + float64(i)/20), Seconds90: 60, Trials: 12})
		}
		p.Worlds = append(p.Worlds, r)
	}
	var page bytes.Buffer
	if err := Proof(&page, p); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "proof.html")
	if err := os.WriteFile(file, page.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// calibrationFile is the page of a calibration with one run far off.
func calibrationFile(t *testing.T) string {
	t.Helper()
	c := results.Calibration{Scenario: "slowdown", Metric: "goodput", Confidence: 0.95, Resolution: 0.01, MaxTimeS: 15,
		Arm:     results.Arm{Protocol: "udp", Topology: "loopback", Message: 1472, Flows: 1},
		Samples: &results.WholeTrials{Slowdown: 0.05, Truth: -0.05, SampleS: 2, WallS: 2.1, Off: []float64{1, 1.01, 0.99}, Slower: []float64{0.95, 0.96, 0.94}}}
	for i := range 40 {
		share, noise := []float64{0, 0.05}[i%2], float64(i%7-3)/1000
		r := results.CalibrationRun{Boot: "b", Slowdown: share, Truth: -share, Change: noise - share, Lo: noise - share - 0.005, Hi: noise - share + 0.005,
			Verdict: []string{"equivalent", "regression"}[i%2], Trials: 10, DurationS: 7, Effect: noise, EffectSD: 0.01, WithinSD: 0.008, Level: 20 + noise, LevelSD: 0.02}
		if i == 20 {
			r.Change, r.Verdict = 3, "improvement"
		}
		c.Runs = append(c.Runs, r)
	}
	file := filepath.Join(t.TempDir(), "calibration.html")
	var page bytes.Buffer
	if err := Calibration(&page, calibration.NewPage(&c)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page.String(), "1 of 40 points lie far outside") {
		t.Error("the run that is not in the picture is not spoken of")
	}
	if err := os.WriteFile(file, page.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func inputOf(worlds ...sample.World) Input {
	var in Input
	for _, w := range worlds {
		run := w.Run()
		in.Runs = append(in.Runs, run)
		in.Summaries = append(in.Summaries, analysis.Summarize(run))
	}
	return in
}

// painted counts the pixels of each chart that something was drawn on, and
// how light they are on average (0 to 255). It looks at a copy, because the
// browser complains on the console about reading a canvas often.
const painted = `Array.from(document.querySelectorAll('.chart')).map(function (box) {
  var c = box.querySelector('canvas'); if (!c) return {pixels: 0, light: 0};
  var copy = document.createElement('canvas'); copy.width = c.width; copy.height = c.height;
  var g = copy.getContext('2d', {willReadFrequently: true}); g.drawImage(c, 0, 0);
  var d = g.getImageData(0, 0, c.width, c.height).data, n = 0, sum = 0;
  for (var i = 0; i < d.length; i += 4) if (d[i + 3] > 40) { n++; sum += (d[i] + d[i + 1] + d[i + 2]) / 3; }
  return {pixels: n, light: n ? sum / n : 0}; })`

// paint is what painted finds of one chart.
type paint struct{ Pixels, Light float64 }

// overflow is what sticks out to the right of the page.
const overflow = `Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - window.innerWidth`

// outOfSight are the cells that a telephone would show only to who scrolls
// sideways in a table, or without the heading of their column.
const outOfSight = `window.innerWidth > 520 ? [] : Array.from(document.querySelectorAll('tbody td, tbody th')).filter(function (c) {
  if (!c.getClientRects().length) return false;
  var box = c.getBoundingClientRect(), text = document.createRange(); text.selectNodeContents(c);
  var right = Math.max(box.right, text.getBoundingClientRect().right);
  var headed = c.tagName === 'TH' || c.dataset.label || !c.closest('table').tHead || !c.closest('table').tHead.rows[0].cells[c.cellIndex] || !c.closest('table').tHead.rows[0].cells[c.cellIndex].textContent.trim();
  return right > window.innerWidth || !headed; }).map(function (c) { return c.textContent; })`

func TestPageInBrowser(t *testing.T) {
	b := newBrowser(t)
	files := map[string]string{"tcp": reportFile(t, inputOf(sample.TCPWorld())), "udp": reportFile(t, judgedInput(moves(sample.UDPWorld().Run()))),
		"matrix": reportFile(t, inputOf(sample.MatrixWorld())), "several": reportFile(t, severalRuns()), "kernels": reportFile(t, twoKernels(t, 2)), "campaign": reportFile(t, campaignInput(4)), "proof": proofFile(t), "calibration": calibrationFile(t),
		"rr": reportFile(t, judgedInput(sample.Requests())), "ladder": reportFile(t, judgedInput(sample.Ladder())), "search": reportFile(t, judgedInput(sample.Search()))}
	// The charts that these add are drawn alike at any width; one will do.
	only := map[string]int64{"kernels": 390, "rr": 390, "ladder": 1440, "search": 390, "calibration": 390}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for _, width := range []int64{390, 1440} {
			if w, ok := only[name]; ok && w != width {
				continue
			}
			t.Run(fmt.Sprintf("%s/%d", name, width), func(t *testing.T) {
				b.open(t, files[name], width, "light")
				onWhite := b.inspect(t)
				b.shoot(t, "light")
				b.scheme(t, "dark") // the open page must follow
				b.settle(t)
				onBlack := b.inspect(t)
				b.shoot(t, "dark")
				for i := range onWhite {
					if onBlack[i].Light == onWhite[i].Light {
						t.Errorf("chart %d: drawn in the same colours in the dark", i)
					}
				}
			})
		}
	}
}

// inspect looks at everything a page must keep: charts painted, nothing wider
// than the page, folding parts that open, legends that answer.
func (b *browser) inspect(t *testing.T) []paint {
	t.Helper()
	charts := eval[[]paint](t, b, painted)
	if len(charts) == 0 {
		t.Fatal("no chart on the page")
	}
	for i, c := range charts {
		if c.Pixels < 500 {
			t.Errorf("chart %d: only %.0f pixels painted", i, c.Pixels)
		}
	}
	eval[chromedp.Void](t, b, `document.querySelectorAll('details:not([open]) > summary').forEach(function (s) { s.click(); })`)
	if closed := eval[int](t, b, `document.querySelectorAll('details:not([open])').length`); closed > 0 {
		t.Errorf("%d folding parts did not open", closed)
	}
	if wide := eval[int](t, b, overflow); wide > 0 {
		t.Errorf("the page is %d px wider than the window", wide)
	}
	if out := eval[[]string](t, b, outOfSight); len(out) > 0 {
		t.Errorf("%d cells of tables are out of sight on a narrow screen: %.300q", len(out), out)
	}
	b.check(t)
	return charts
}

// onPaper shows the page as it would be printed: unfolded, light, charts no
// wider than paper.
func (b *browser) onPaper(t *testing.T) {
	t.Helper()
	media := func(name string) {
		if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: name}); err != nil {
			t.Fatal(err)
		}
		b.settle(t)
	}
	media("print")
	if closed := eval[int](t, b, `document.querySelectorAll('details:not([open])').length`); closed > 0 {
		t.Errorf("%d folding parts stay closed on paper", closed)
	}
	if ground := eval[string](t, b, `getComputedStyle(document.body).backgroundColor`); ground != "rgb(255, 255, 255)" {
		t.Errorf("paper is %s", ground)
	}
	if width := eval[float64](t, b, `Math.max.apply(null, Array.from(document.querySelectorAll('.chart canvas')).map(function (c) { return c.clientWidth; }))`); width > 690 {
		t.Errorf("a chart is %.0f px wide on paper", width)
	}
	b.shoot(t, "paper")
	media("")
}

// shoot keeps a picture for people to look at, where NETAB_SHOTS says so.
func (b *browser) shoot(t *testing.T, suffix string) {
	t.Helper()
	dir := os.Getenv("NETAB_SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	name := strings.ReplaceAll(strings.TrimPrefix(t.Name(), "TestPage"), "/", "-") + "-" + suffix + ".png"
	if err := os.WriteFile(filepath.Join(dir, name), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestPagePrints(t *testing.T) {
	b := newBrowser(t)
	b.open(t, reportFile(t, inputOf(sample.UDPWorld())), 1440, "dark")
	b.onPaper(t)
	pdf, err := chromedp.Run(b.ctx, chromedp.PrintToPDF(chromedp.PDFPrintBackground(), chromedp.PDFPreferCSSPageSize()))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(pdf), "%PDF-") || len(pdf) < 20000 {
		t.Errorf("printing gave %d bytes that do not look like a document with charts", len(pdf))
	}
	if open := eval[int](t, b, `document.querySelectorAll('details[open]').length`); open != 0 {
		t.Errorf("%d folding parts stay open after printing", open)
	}
	if dir := os.Getenv("NETAB_SHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, "print.pdf"), pdf, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b.check(t)
}

// severalRuns is a page of two runs on two kernels and their comparison.
func severalRuns() Input {
	a, b := sample.TCPWorld(), sample.TCPWorld()
	b.Seed, b.Rate = 8, 40e9
	in := inputOf(a, b)
	h := &in.Runs[1].Header
	h.ID, h.Machine.Kernel, h.Machine.BootID = "20260315T101112-loopback-rps", "6.19.0", "another-boot"
	in.Summaries[1] = analysis.Summarize(in.Runs[1])
	cmp := analysis.Compare(in.Runs[0], in.Runs[1], "kernel")
	in.Compare = &cmp
	return in
}

// TestHostileRecordInBrowser shows a record whose texts try to become code,
// and every tooltip with it.
func TestHostileRecordInBrowser(t *testing.T) {
	b := newBrowser(t)
	b.open(t, reportFile(t, hostile()), 1440, "light")
	b.inspect(t)
	shown := eval[int](t, b, `(function () {
	  var n = 0;
	  document.querySelectorAll('.chart').forEach(function (box) {
	    var chart = echarts.getInstanceByDom(box);
	    chart.getOption().series.forEach(function (s, i) {
	      chart.dispatchAction({type: 'showTip', seriesIndex: i, dataIndex: 0});
	      if (box.querySelectorAll('div').length > 1) n++;
	    });
	  });
	  return n; })()`)
	if shown == 0 {
		t.Error("no tooltip was shown")
	}
	b.settle(t)
	if eval[bool](t, b, `'pwned' in window || document.images.length > 0 || document.querySelectorAll('main script:not([type="application/json"])').length > 0`) {
		t.Error("text from the record became markup or code")
	}
	if title := eval[string](t, b, `document.title`); !strings.HasPrefix(title, "netab: </script>") || strings.ContainsRune(title, '\u202e') {
		t.Errorf("the title is %q", title)
	}
	if text := eval[string](t, b, `document.body.innerText`); !strings.Contains(text, "<img src=x onerror=") || !strings.Contains(text, "[U+202E]gnp[U+001B]") || strings.ContainsAny(text, "\u202e\x1b") {
		t.Error("the text of the record is not seen as it is")
	}
	b.check(t)
}

// TestLegendAndKeyboard: a series can be switched off, and what can be
// operated can be reached by the keyboard and is seen to have the focus.
func TestLegendAndKeyboard(t *testing.T) {
	b := newBrowser(t)
	b.open(t, reportFile(t, inputOf(sample.TCPWorld())), 1440, "light")
	on := eval[[]paint](t, b, painted)
	eval[chromedp.Void](t, b, `echarts.getInstanceByDom(document.getElementById('r1-slices')).dispatchAction({type: 'legendToggleSelect', name: 'sink'})`)
	b.settle(t)
	off := eval[[]paint](t, b, painted)
	if on[1].Pixels <= off[1].Pixels {
		t.Errorf("without an arm %v pixels, with it %v", off[1].Pixels, on[1].Pixels)
	}
	if err := chromedp.Do(b.ctx, chromedp.KeyEvent("\t"), chromedp.KeyEvent("\t")); err != nil {
		t.Fatal(err)
	}
	outline := eval[string](t, b, `document.activeElement.tagName + ' ' + getComputedStyle(document.activeElement).outlineStyle`)
	if outline != "A solid" {
		t.Errorf("the second tab stop is %q, want a link with an outline", outline)
	}
	unnamed := eval[int](t, b, `Array.from(document.querySelectorAll('.chart, .scroll')).filter(function (e) { return !e.getAttribute('aria-label'); }).length`)
	if unnamed > 0 {
		t.Errorf("%d charts or tables have no name for those who cannot see them", unnamed)
	}
	b.check(t)
}

// manyArms is a run of a matrix of 64 arms, as long as one of 20 minutes.
func manyArms() *results.Run {
	w := world.Quiet()
	w.Effects, w.Blocks, w.White = make([]float64, 63), 2, 0.02
	for i := range w.Effects {
		w.Effects[i] = 0.2 * float64(i%5-2)
	}
	d := w.Design(0.03, 20*time.Minute)
	for i := range d.Arms {
		a := &d.Arms[i]
		a.Levels = []results.FactorLevel{{Factor: "message", Value: fmt.Sprint(64 << (i / 8))}, {Factor: "flows", Value: fmt.Sprint(1 + i%8)}}
		a.Name = fmt.Sprintf("message=%d,flows=%d", 64<<(i/8), 1+i%8)
	}
	for i := range 8 {
		if i == 0 {
			d.Factors = []results.Factor{{Name: "message"}, {Name: "flows"}}
		}
		d.Factors[0].Levels, d.Factors[1].Levels = append(d.Factors[0].Levels, fmt.Sprint(64<<i)), append(d.Factors[1].Levels, fmt.Sprint(1+i))
	}
	d.Baseline = d.Arms[0].Name
	run := w.Run(d, 1, 100)
	run.Header.Command = []string{"/usr/bin/netab", "run", "my matrix.yaml", "--budget", "20m", "--only=flows=1", "--html", "x.html"}
	return run
}

// A page of 64 arms is small, opens at once, and its table is sorted and filtered.
func TestPageOfManyArmsInBrowser(t *testing.T) {
	if os.Getenv("NETAB_TEST_LONG") == "" {
		t.Skip("judging 64 arms takes seconds, and is for make soak: NETAB_TEST_LONG=1")
	}
	b := newBrowser(t)
	file := reportFile(t, judgedInput(manyArms()))
	info, err := os.Stat(file)
	if err != nil || info.Size() >= 2_000_000 {
		t.Errorf("the page has %d bytes, fewer than 2,000,000 are meant (%v)", info.Size(), err)
	}
	b.open(t, file, 1440, "light")
	loaded := eval[float64](t, b, `performance.getEntriesByType('navigation')[0].loadEventEnd`)
	t.Logf("%d bytes, loaded after %.0f ms", info.Size(), loaded)
	if loaded > 5000 { // a second is meant, on a machine that does nothing else
		t.Errorf("the page took %.0f ms to load", loaded)
	}
	const rows = `Array.from(document.querySelectorAll('.verdicts tbody tr:not([hidden])'))`
	if n := eval[int](t, b, rows+`.length`); n != 64 {
		t.Fatalf("%d rows", n)
	}
	set := func(name, value string) string {
		return fmt.Sprintf(`(function () { var f = document.querySelector('form.sift'); f.elements.%s.value = '%s'; f.dispatchEvent(new Event('input')); return f.querySelector('output').textContent; })()`, name, value)
	}
	eval[string](t, b, set("sort", "change"))
	if !eval[bool](t, b, `(function () { var c = `+rows+`.slice(1).map(function (tr) { return Number(tr.dataset.change); }); return c.every(function (x, i) { return i === 0 || c[i - 1] >= x; }) && `+rows+`[0].className === 'baseline'; })()`) {
		t.Error("not sorted by the change, below the baseline")
	}
	if said := eval[string](t, b, set("text", "flows=8")); said != "8 shown" {
		t.Errorf("of one level: %s", said)
	}
	if n := eval[int](t, b, rows+`.length`); n != 9 {
		t.Errorf("%d rows of one level, the baseline included", n)
	}
	eval[string](t, b, set("text", ""))
	if n := eval[int](t, b, set("verdict", "regression")+`; `+rows+`.filter(function (tr) { return tr.dataset.verdict !== 'regression' && tr.className !== 'baseline'; }).length`); n != 0 {
		t.Errorf("%d rows that are no regressions", n)
	}
	want := `netab run 'my matrix.yaml' --budget 20m --only message=64,flows=2`
	if got := eval[string](t, b, `document.querySelector('button.copy').dataset.command`); !strings.HasPrefix(got, "netab run 'my matrix.yaml' --budget 20m --only message=") {
		t.Errorf("the command of an arm is %s, want one such as %s", got, want)
	}
	if text := eval[string](t, b, `document.querySelector('.alarms').textContent`); !strings.Contains(text, "in 63 comparisons: that any of these verdicts is false has a chance of 5 % at most") {
		t.Errorf("beside the alarms: %s", text)
	}
	b.shoot(t, "wide")
	b.check(t)
}
