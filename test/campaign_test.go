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
	"netab/test/guests"
)

// TestCampaign boots two kernels in turns, is interrupted in the first boot, goes on, and
// has both compared.
func TestCampaign(t *testing.T) {
	cloud, image := guests.Find(t)
	full, other := guests.FindFull(t)
	p := newPlace(t)
	r := p.start(t, "run", "loopback-rps", "--store", "store", "--kernels", cloud+","+full, "--boots", "1", "--max-time", "10s", "--seed", "3")
	var boots []string
	if err := eventually(func() error {
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
	o := p.netab(t, "run", "--resume", id, "--store", "store", "--json", "--quiet")
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
	if err := json.Unmarshal(out, &doc); err != nil || doc.Campaign.Planned != 2 || doc.Campaign.Missing != 0 || len(doc.Campaign.Effects) != 4 {
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
	for _, b := range c.Boots {
		switch {
		case b.End == vocab.BootInterrupted && b.Attempt == 1:
		case b.End != vocab.Finished || b.Run.Header.Machine.Kernel != releases[b.Kernel] || b.Run.Header.Machine.IRQTime == "unknown" || len(b.Run.Trials) == 0:
			t.Errorf("boot %d, attempt %d: %s %s", b.Number, b.Attempt, b.End, b.Text)
		}
	}
	if _, err := os.Stat(filepath.Join(p.store(), id, "report.html")); err != nil {
		t.Error(err)
	}
	nothingBeside(t, p)
}
