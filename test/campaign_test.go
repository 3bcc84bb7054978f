package test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"netab/results"
	"netab/results/vocab"
	"netab/runner"
	"netab/runner/host"
	"netab/test/guests"
)

// TestCampaign boots two kernels, is interrupted in the first boot, goes on, and has both
// compared. They are up at once and execute in turns, where there is memory for both.
func TestCampaign(t *testing.T) {
	cloud, image := guests.Find(t)
	full, other := guests.FindFull(t)
	p := newPlace(t)
	p.write(t, "two.yaml", "traffic: {protocol: tcp, message: 128K}\narms: {plain: {}, steered: {knobs: {device: {sink: {rps_cpus: sink}}}}}\n"+
		"measure: {slice: 100ms, settle: 25ms, trial: 800ms, max_time: 5s}\n")
	r := p.start(t, "run", "two.yaml", "--store", "store", "--kernels", cloud+","+full, "--boots", "1", "--seed", "3")
	var boots []string
	if err := within(4*patience, func() error {
		boots, _ = filepath.Glob(filepath.Join(p.store(), "*", "boots", "*"))
		if len(boots) == 0 {
			return errors.New("nothing boots")
		}
		return nil
	}); err != nil {
		t.Fatal(err, r.wait(t))
	}
	r.signal(t, syscall.SIGINT)
	id := filepath.Base(filepath.Dir(filepath.Dir(boots[0])))
	if o := r.wait(t); o.status != 5 || !strings.Contains(o.stderr, "go on with netab run --resume "+id) {
		t.Errorf("interrupted: %+v", o)
	}
	o := p.start(t, "run", "--resume", id, "--store", "store", "--json", "--quiet").waitFor(t, 4*patience)
	if o.status != 0 {
		t.Fatalf("resumed: %+v", o)
	}
	out := []byte(o.stdout)
	var doc struct {
		Campaign struct {
			Planned int `json:"boots_planned"`
			Missing int `json:"boots_missing"`
			Kernels []struct{ Release string }
			Effects []json.RawMessage
		}
		Warnings []results.Warning
	}
	if err := json.Unmarshal(out, &doc); err != nil || doc.Campaign.Planned != 2 || doc.Campaign.Missing != 0 || len(doc.Campaign.Effects) != 2 {
		t.Errorf("%v, %+v", err, doc)
	}
	if !strings.Contains(string(out), "not-hardware-time") {
		t.Error("emulated times are not said to be")
	}
	c, err := results.ReadCampaign(filepath.Join(p.store(), id))
	if err != nil {
		t.Fatal(err)
	}
	var releases []string
	for _, image := range []string{image, other} {
		releases = append(releases, strings.TrimPrefix(filepath.Base(image), "vmlinuz-"))
	}
	ids := map[string]bool{}
	room, _ := runner.FreeMemory(host.Local{})
	for _, b := range c.Boots {
		if b.End == vocab.Finished && b.Run != nil {
			ids[b.Run.Header.Machine.BootID] = true
			if b.Together != 2 && room > 4<<30 {
				t.Errorf("boot %d: %d took turns", b.Number, b.Together)
			}
		}
		switch {
		case b.End == vocab.BootInterrupted && b.Attempt == 1:
		case b.End != vocab.Finished || b.Run.Header.Machine.Kernel != releases[b.Kernel] || b.Run.Header.Machine.IRQTime == "unknown" || len(b.Run.Trials) == 0:
			t.Errorf("boot %d, attempt %d: %s %s", b.Number, b.Attempt, b.End, b.Text)
		}
	}
	if len(ids) != 2 || ids[""] {
		t.Errorf("two boots have the ids %v", ids)
	}
	if _, err := os.Stat(filepath.Join(p.store(), id, "report.html")); err != nil {
		t.Error(err)
	}
	nothingBeside(t, p, "two.yaml")
}
