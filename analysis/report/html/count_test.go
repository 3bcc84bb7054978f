package html

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"netab/analysis/counts"
)

// TestCountPage: a count has a page, in which its functions are a flame graph and tables.
func TestCountPage(t *testing.T) {
	s := counts.Summary{ID: "c", Scenario: "udp-rr", Unit: "message", Warnings: []string{"off on <b>: 1 of 4 boots failed"},
		Arms: []counts.Arm{{Name: "off", Kernel: "6.1", Mean: 2310, Lo: 2300, Hi: 2320, Boots: make([]counts.Boot, 4)}, {Name: "off", Kernel: "6.12", Mean: 2363, Lo: 2363, Hi: 2363, Boots: make([]counts.Boot, 4)}},
		Comparisons: []counts.Comparison{{Baseline: "off on 6.1", Arm: "off on 6.12", Change: 0.023, Lo: 0.021, Hi: 0.025, SE: 0.001,
			Groups: []counts.Group{{Role: "source", Context: "task", From: 1000, To: 1060}, {Role: "sink", Context: "softirq", From: 500, To: 500}},
			Functions: []counts.Function{{Role: "source", Context: "task", Function: "udp_sendmsg", From: 600, To: 680}, {Role: "source", Context: "task", Function: "gone_alloc", From: 20},
				{Role: "source", Context: "task", Function: "kmem_cache_alloc", From: 380, To: 380}, {Role: "sink", Context: "softirq", Function: "udp_rcv", From: 500, To: 500}}}}}
	var first, second bytes.Buffer
	if err := Count(&first, s, "5000 messages after 1000."); err != nil {
		t.Fatal(err)
	}
	if err := Count(&second, s, "5000 messages after 1000."); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Errorf("the same count is not the same bytes: %v", err)
	}
	page := first.String()
	for _, want := range []string{"How many instructions does a message take?", "off on 6.12 against off on 6.1: &#43;2.3", "to &#43;2.5", "95\u00a0% confidence over seeds", "2310.0",
		"source: its own calls, TCP/IP, udp_sendmsg", "sink: softirqs on its back", `"exact":true`, "off on &lt;b&gt;"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q; its answer is %.300s", want, page[strings.Index(page, `class="answer"`):])
		}
	}
	if len(page) > 100<<10 {
		t.Errorf("%d bytes: are there charts in it?", len(page))
	}
	file := filepath.Join(t.TempDir(), "count.html")
	if err := os.WriteFile(file, first.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t)
	b.open(t, file, 390, "light")
	b.shoot(t, "390-light")
	if n := eval[int](t, b, `document.querySelectorAll('.flame .more').length`); n < 3 {
		t.Errorf("%d boxes with more", n)
	}
	if wide := eval[int](t, b, overflow); wide > 0 {
		t.Errorf("the page is %d px wider than the window", wide)
	}
	if out := eval[[]string](t, b, outOfSight); len(out) > 0 {
		t.Errorf("out of sight: %q", out)
	}
	b.check(t)
}
