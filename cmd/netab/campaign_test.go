package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netab/analysis/world"
	"netab/results"
	"netab/results/vocab"
)

// campaignIn makes a campaign of two kernels in a store: so many boots of each, the
// second slower by a share, some of its boots failing, on emulated CPUs or not.
func campaignIn(t *testing.T, store, id string, boots int, slowdown float64, fails int, accel string, change func(kernel int, r *results.Run)) {
	t.Helper()
	h := results.CampaignHeader{Source: "builtin:kernels-local", Seed: 3, Command: []string{"netab", "run", "kernels-local"}, Started: time.Date(2026, 12, 1, 9, 30, 0, 0, time.UTC),
		Kernels: []results.Kernel{{Ref: "old", Release: "6.1.0"}, {Ref: "new", Release: "6.12.0"}}, Guest: &results.Guest{Accel: accel}}
	for n := range 2 * boots {
		h.Planned = append(h.Planned, results.PlannedBoot{Number: n, Block: n / 2, Kernel: n % 2, Seed: uint64(n)})
	}
	wld := world.World{Effects: []float64{0.05}, Blocks: 6, Slice: 100 * time.Millisecond, White: 0.01, Boot: 0.002}
	h.Design = wld.Design(0.02, time.Minute)
	w, err := results.CreateCampaign(store, id, h)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range h.Planned {
		b, err := w.BeginBoot(p.Number)
		if err != nil {
			t.Fatal(err)
		}
		boot := results.Boot{Number: p.Number, Attempt: b.Attempt, Kernel: p.Kernel, End: vocab.Finished, File: b.File, Started: h.Started.Add(time.Duration(p.Number) * time.Minute)}
		if p.Kernel == 1 && p.Block < fails {
			boot.End, boot.Text, boot.Console, boot.File = vocab.Panic, "it panicked", []string{"Kernel panic - not syncing"}, ""
		} else {
			run := wld.Run(h.Design, 100*h.Seed+uint64(p.Number), 8)
			run.Header.Started, run.Header.Machine.Kernel, run.Header.Machine.BootID = boot.Started, h.Kernels[p.Kernel].Release, fmt.Sprint("boot", p.Number)
			run.Header.Source = h.Source
			for i := range run.Trials {
				for k := range run.Trials[i].Slices {
					s := &run.Trials[i].Slices[k]
					s.RxBytes = int64(float64(s.RxBytes) * math.Pow(1-slowdown, float64(p.Kernel)))
				}
			}
			if change != nil {
				change(p.Kernel, run)
			}
			var lines bytes.Buffer
			if _, err := run.WriteTo(&lines); err != nil {
				t.Fatal(err)
			}
			for line := range bytes.Lines(lines.Bytes()) {
				if err := b.Line(line); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if err := w.AppendBoot(boot); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.End(results.CampaignEnd{Reason: vocab.AllBooted}); err != nil {
		t.Fatal(err)
	}
}

func TestCampaignCommands(t *testing.T) {
	store := t.TempDir()
	campaignIn(t, store, "same", 6, 0, 0, "kvm", nil)
	campaignIn(t, store, "slow", 5, 0.3, 0, "kvm", nil)
	campaignIn(t, store, "few", 3, 0.3, 0, "kvm", nil)
	campaignIn(t, store, "fails", 6, 0, 6, "kvm", nil)
	campaignIn(t, store, "odd", 6, 0, 1, "kvm", nil)
	campaignIn(t, store, "tcg", 6, 0, 0, "tcg", nil)
	campaignIn(t, store, "tcg-slow", 6, 0.3, 0, "tcg", nil)
	campaignIn(t, store, "apart", 5, 0, 0, "kvm", func(kernel int, r *results.Run) { r.Header.Machine.CPUModel = fmt.Sprint("cpu ", kernel) })
	plain := filepath.Base(filepath.Dir(simulate(t, store+"/plain", 0, 9, nil)))
	html := filepath.Join(t.TempDir(), "c.html")
	for _, tt := range []struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		{[]string{"results"}, exitFine, "10 of 10 boots all booted", ""},
		{[]string{"results", "show", "slow"}, exitFine, "6.12.0 against 6.1.0: TCP goodput over loopback is 29.9 % lower with off", ""},
		{[]string{"results", "show", "slow"}, exitFine, "Goodput against off, within each kernel: change arm kernel % interval boots verdict arm1 6.1.0 +5.0", ""},
		{[]string{"results", "show", "few"}, exitFine, "How many boots it takes: 6.12.0 against 6.1.0: a verdict needs 4 boots of each at least; going by how these boots scatter, about 4", ""},
		{[]string{"results", "show", "odd"}, exitFine, "Boots that failed: boot 1, 6.12.0: panic, it panicked | Kernel panic - not syncing", ""},
		{[]string{"results", "show", "slow/0"}, exitFine, "What is the effect?", ""},
		{[]string{"results", "show", "odd/1"}, exitFailed, "", "boot 1 of odd has no run: it failed (it panicked)"},
		{[]string{"results", "show", "tcg/0"}, exitFine, "not hardware time", ""},
		{[]string{"results", "export", "tcg", "--format", "json"}, exitFine, `"code": "not-hardware-time"`, ""},
		{[]string{"results", "export", "tcg", "--format", "markdown"}, exitFine, "not-hardware-time", ""},
		{[]string{"results", "export", "slow", "--format", "jsonl"}, exitFine, `{"type":"campaign","schema":"netab/campaign/1"`, ""},
		{[]string{"results", "export", "slow", "--format", "benchfmt"}, exitFine, "kernel: 6.12.0", ""},
		{[]string{"results", "export", "slow", "--format", "csv"}, exitUsage, "", "export a boot of it, such as slow/0"},
		{[]string{"results", "export", "slow/0", "--format", "csv"}, exitFine, "trial,", ""},
		{[]string{"results", "export", "slow", "--format", "json", "--redact"}, exitFine, `"ref": "new"`, ""},
		{[]string{"compare", "same", "--gate"}, exitFine, "gate: passed", ""},
		{[]string{"compare", "slow"}, exitFine, "regression", ""},
		{[]string{"compare", "slow", "--gate", "--chat"}, exitRegression, "REGRESSION", "gate: goodput of arm off is a regression"},
		{[]string{"compare", "slow", "--gate", "--threshold", "goodput=60%"}, exitFine, "passed", ""},
		{[]string{"compare", "apart"}, exitNotComparable, "not comparable", "cpu model"},
		{[]string{"compare", "apart", "--axis", "cpu model", "--gate"}, exitFine, "", ""},
		{[]string{"compare", "slow", "--html", html}, exitFine, "", ""},
		{[]string{"compare", "plain"}, exitUsage, "", "one run only"},
		{[]string{"compare", "plain", "odd"}, exitUsage, "", "has boots that failed, which a comparison with other runs would leave out"},
		{[]string{"compare", "slow", "slow"}, exitUsage, "", "run slow is given twice"},
		{[]string{"gate", "same"}, exitFine, "passed", ""},
		{[]string{"gate", "slow"}, exitRegression, "is worse than in 6.1.0", "regression"},
		{[]string{"gate", "few"}, exitInconclusive, "no verdict yet", "gate: "},
		{[]string{"gate", "fails"}, exitRegression, "Kernel 6.12.0 failed in 6 of 6 boots (it panicked), 6.1.0 in 0 of 6", "boots of arm 6.12.0 is a regression"},
		{[]string{"gate", "odd"}, exitInconclusive, "Kernel 6.12.0 failed in 1 of 6 boots", "gate: "},
		{[]string{"gate", "tcg"}, exitInconclusive, "Not hardware time", "gate: "},
		{[]string{"gate", "tcg", "--force"}, exitFine, "passed", ""},
		{[]string{"gate", "tcg-slow"}, exitRegression, "", "regression"},
		{[]string{"gate", "tcg/0"}, exitInconclusive, "Not hardware time", "gate: "},
		{[]string{"compare", "tcg", "--gate"}, exitInconclusive, "Not hardware time", "gate: "},
		{[]string{"compare", "tcg", "--gate", "--force"}, exitFine, "", ""},
		{[]string{"gate", "same", "--scenario", "other"}, exitUsage, "", "run same is of scenario synthetic, not of other"},
		{[]string{"report", "slow", "-o", html}, exitFine, html, ""},
		{[]string{"report", "slow", plain, "-o", html}, exitFine, html, ""},
	} {
		if tt.args[0] == "report" || len(tt.args) > 3 && tt.args[2] == "--html" {
			if !chartsBuilt(t) {
				continue
			}
		}
		code, stdout, stderr := netab(append(tt.args, "--store", store)...)
		if code != tt.code || !strings.Contains(flat(stdout), tt.stdout) || !strings.Contains(stderr, tt.stderr) || tt.stderr == "" && stderr != "" {
			t.Errorf("%q: status %d, stdout %q, stderr %q; want %d, %q, %q", tt.args, code, stdout, stderr, tt.code, tt.stdout, tt.stderr)
		}
	}
	var doc struct {
		Campaign struct {
			Kernels []map[string]any `json:"kernels"`
			Effects []map[string]any `json:"effects"`
		} `json:"campaign"`
	}
	_, stdout, _ := netab("results", "show", "slow", "--json", "--store", store)
	if err := json.Unmarshal([]byte(stdout), &doc); err != nil || len(doc.Campaign.Kernels) != 2 || len(doc.Campaign.Effects) != 2 {
		t.Errorf("%v, %+v", err, doc)
	}
}

// chartsBuilt says whether reports can be written: their chart library comes with
// `make build`.
func chartsBuilt(t *testing.T) bool {
	t.Helper()
	_, err := os.Stat("../../analysis/report/html/assets/echarts.min.js")
	return err == nil
}

// TestCampaignTrend: each boot is a run of its kernel, in a series of its own.
func TestCampaignTrend(t *testing.T) {
	store := t.TempDir()
	campaignIn(t, store, "one", 6, 0.3, 1, "kvm", nil)
	campaignIn(t, store, "tcg", 8, 0.3, 0, "tcg", nil)
	code, stdout, stderr := netab("trend", "--json", "--store", store)
	var h struct {
		Runs   int `json:"runs"`
		Unused []struct{ Run, Why string }
		Series []struct {
			Arm, Machine, State, Emulated string
			Points                        []struct{ Run, Kernel string }
		}
	}
	if err := json.Unmarshal([]byte(stdout), &h); err != nil || code != exitFine {
		t.Fatalf("%d, %v, %s", code, err, stderr)
	}
	if h.Runs != 28 || len(h.Unused) != 1 || h.Unused[0].Run != "one/1" || h.Unused[0].Why != "kernel 6.12.0 failed: it panicked" {
		t.Errorf("%d runs, unused %v", h.Runs, h.Unused)
	}
	for _, s := range h.Series {
		for _, p := range s.Points {
			if p.Kernel != s.Points[0].Kernel {
				t.Errorf("a series of %s has boots of %s too", s.Points[0].Kernel, p.Kernel)
			}
		}
		if s.State == "changed" {
			t.Errorf("%s of %s: %s", s.Arm, s.Machine, s.State)
		}
		if emulated := strings.HasPrefix(s.Points[0].Run, "tcg/"); emulated != (s.Emulated == "tcg") {
			t.Errorf("%s: emulated %q", s.Points[0].Run, s.Emulated)
		}
	}
	if len(h.Series) != 8 { // two arms, two kernels, emulated and not
		t.Errorf("%d series", len(h.Series))
	}
	if err := os.RemoveAll(filepath.Join(store, "one")); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]int{"": exitInconclusive, "--force": exitFine} {
		code, stdout, stderr := netab(strings.Fields("trend --gate --store " + store + " " + args)...)
		if code != want || want != exitFine && !strings.Contains(stderr, "not hardware time") {
			t.Errorf("%s: %d, want %d: %s\n%s", args, code, want, stderr, stdout)
		}
	}
}
