package html

import (
	"bytes"
	"strings"
	"testing"

	"netab/analysis/proof"
)

func TestProofPage(t *testing.T) {
	world := func(name string) proof.Result {
		return proof.Result{Name: name, Title: "noise & <more>", Resolution: 0.01, MaxTimeS: 60, Broken: []string{}, Effects: []proof.Effect{
			{Effect: 0, Different: 0.03, Covered: 0.96, Equivalent: 0.9, Seconds: 59, Seconds90: 60},
			{Effect: 2, Covered: 0.97, Found: 0.98, Seconds: 13, Seconds90: 19},
		}}
	}
	beyond := world("beyond")
	beyond.Beyond = "it is `taken` for granted"
	p := proof.Proof{Repetitions: 2000, Worlds: []proof.Result{world("first"), beyond}}
	text := func() string {
		var b bytes.Buffer
		if err := writeProof(&b, p, fakeECharts); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	got := text()
	if got != text() {
		t.Error("the page differs from one time to the next")
	}
	for _, want := range []string{"Every world is within its bounds, in 2\u202f000 simulated runs", "noise &amp; &lt;more&gt;", "3.0 ± 0.4\u00a0%",
		"beyond: it is taken for granted.", `id="power"`, "13 s (19 s)", "<h2>Where the method ends</h2>"} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	body, _, _ := strings.Cut(got, "<footer>") // the licences below it are as they came
	for _, not := range []string{"`", "<h2>Modes</h2>", "NaN", "%!"} {
		if strings.Contains(body, not) {
			t.Errorf("the page has %q", not)
		}
	}
	p.Worlds[0].Broken = []string{"coverage 10 %"}
	if got := text(); !strings.Contains(got, "Not what was promised: 1 bound broken") || !strings.Contains(got, "first: coverage 10\u00a0%") {
		t.Error("the page does not say that a bound is broken")
	}
	p.Worlds = p.Worlds[1:]
	text() // a world beyond the assumptions alone has a page too
}
