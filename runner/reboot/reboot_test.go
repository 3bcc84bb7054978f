package reboot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"netab/results"
	"netab/results/vocab"
	"netab/runner/campaign"
)

// errCut is what cuts a process off.
var errCut = errors.New("cut off")

// A world is a machine with its disk. It comes up with kernel -1, its own, unless one
// is armed and nothing happens meanwhile.
type world struct {
	t      *testing.T
	state  string // directory
	record string // the campaign's
	kernel []Kernel
	up     int
	armed  int // -1 = nothing
	booted int
	clock  time.Time

	// Steps are counted over all processes, and the machine (down) or netab alone is cut
	// off at one of them.
	step, cutAt int
	down        bool
	cut         bool

	// How boots of a kernel go: nil = well.
	comesUp func(kernel, boot int) bool
	runs    func(kernel, boot int) string // "", "down", "kill", "panic"
	words   []string
	arms    int
	said    []string
}

const ownKernel = -1

func newWorld(t *testing.T, boots int) *world {
	t.Helper()
	w := &world{t: t, state: t.TempDir(), up: ownKernel, armed: ownKernel, cutAt: -1, clock: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
	h := results.CampaignHeader{Source: "x", Design: results.Design{Name: "x", Arms: []results.Arm{{Name: "a"}}}, Planned: campaign.Order(2, boots, 7), Started: w.clock}
	for _, name := range []string{"a", "b"} {
		h.Kernels = append(h.Kernels, results.Kernel{Ref: name, Release: name})
		w.kernel = append(w.kernel, Kernel{Ref: name, Release: name, Cmdline: "root=" + name})
	}
	store := t.TempDir()
	cw, err := results.CreateCampaign(store, "20261201-000000-x-0001", h)
	if err != nil {
		t.Fatal(err)
	}
	w.record = cw.Dir()
	if err := cw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Save(w.state, &State{ID: "x", Campaign: w.record, By: ByKexec, Kernels: w.kernel}); err != nil {
		t.Fatal(err)
	}
	return w
}

// at is a step at which a process may be cut off.
func (w *world) at() {
	if w.step++; w.step-1 == w.cutAt {
		w.cut = true
		panic(errCut)
	}
}

func (w *world) bootID() string { return fmt.Sprintf("boot-%d", w.booted) }

func (w *world) now() time.Time {
	w.clock = w.clock.Add(time.Second)
	return w.clock
}

// reboot brings up what is armed, or, after a power cut, the machine's own kernel.
func (w *world) reboot(clean bool) {
	w.booted++
	w.up = ownKernel
	if clean && w.armed >= 0 && (w.comesUp == nil || w.comesUp(w.armed, w.booted)) {
		w.up = w.armed
	}
	w.armed = ownKernel
}

// next is one process. again says that the machine is up and the process gone.
func (w *world) next() (over bool, err error) {
	defer func() {
		r := recover()
		if cut, ok := r.(error); ok && errors.Is(cut, errCut) {
			over, err = false, errCut
		} else if r != nil {
			panic(r)
		}
	}()
	s, err := Load(w.state)
	if err != nil {
		return false, err
	}
	cw, c, err := results.ResumeCampaign(s.Campaign)
	if err != nil {
		return false, err
	}
	defer cw.Close()
	m := &Machine{Up: Up{BootID: w.bootID(), Release: "own"},
		Arm: func(k Kernel) error {
			w.at()
			w.arms++
			w.armed = slices.IndexFunc(w.kernel, func(o Kernel) bool { return o.Ref == k.Ref })
			w.at()
			return nil
		},
		Disarm: func() error { w.armed = ownKernel; return nil },
		Panic:  func(time.Time) []string { return w.words },
		Save: func(s *State) error {
			w.at()
			err := Save(w.state, s)
			w.at()
			return err
		},
		Said: func(format string, args ...any) { w.said = append(w.said, fmt.Sprintf(format, args...)) },
		Loop: campaign.Loop{Booter: booterFunc(w.boot), Now: w.now, Ends: func(results.Boot) { w.at() }},
	}
	if w.up >= 0 {
		m.Up.Release, m.Up.Cmdline = w.kernel[w.up].Release, w.kernel[w.up].Cmdline
	}
	armed, err := m.Next(context.Background(), s, cw, c)
	return armed == nil && err == nil, err
}

// boot measures on the kernel that is up.
func (w *world) boot(_ context.Context, kernel int, seed uint64, line func([]byte) error) (results.Boot, error) {
	if kernel != w.up {
		w.t.Errorf("a boot of kernel %d is measured on %d", kernel, w.up)
	}
	w.at()
	if w.runs != nil {
		switch how := w.runs(kernel, w.booted); how {
		case "":
		default:
			w.down, w.cut = how == "down", true
			panic(errCut)
		}
	}
	run := &results.Run{Header: results.Header{Type: "header", Schema: results.SchemaRun, ID: "here", Seed: seed, Machine: results.Machine{BootID: w.bootID()},
		Design: results.Design{Name: "x", Arms: []results.Arm{{Name: "a"}}}}, End: &results.End{Reason: vocab.Decided}}
	var b bytes.Buffer
	if _, err := run.WriteTo(&b); err != nil {
		return results.Boot{}, err
	}
	for l := range bytes.Lines(b.Bytes()) {
		if err := line(l); err != nil {
			return results.Boot{}, err
		}
		w.at()
	}
	return results.Boot{End: vocab.Finished}, nil
}

// goOn boots until the campaign is over, and returns it.
func (w *world) goOn() *results.Campaign {
	w.t.Helper()
	for range 100 {
		over, err := w.next()
		switch {
		case over, errors.Is(err, ErrStopped), errors.Is(err, ErrNone):
			c, err := results.ReadCampaign(w.record)
			if err != nil || len(c.ReadWarnings) > 0 {
				w.t.Fatalf("the record: %v, %+v", err, c.ReadWarnings)
			}
			return c
		case errors.Is(err, errCut):
			w.cut = false
			if w.down {
				w.reboot(false)
			}
		case err != nil:
			w.t.Fatal(err)
		default:
			w.reboot(true)
		}
	}
	w.t.Fatalf("it does not come to an end: %q", w.said)
	return nil
}

// TestNext: boots take turns, each on a kernel that was just booted.
func TestNext(t *testing.T) {
	w := newWorld(t, 2)
	c := w.goOn()
	ids := map[string]bool{}
	for _, run := range c.Runs() {
		ids[run.Header.Machine.BootID] = true
	}
	if len(ids) != 4 || len(c.Boots) != 4 || w.booted != 4 || c.Reason() != vocab.AllBooted {
		t.Errorf("%d boots of the machine, %d measured, in %d; ended %q", w.booted, len(c.Boots), len(ids), c.Reason())
	}
	if _, err := Load(w.state); !errors.Is(err, ErrNone) {
		t.Errorf("the state is still there: %v", err)
	}
}

// TestCutOff: wherever the machine or netab is cut off, no boot is lost, none is
// measured twice, and none is said to have failed.
func TestCutOff(t *testing.T) {
	for _, down := range []bool{true, false} {
		for at := 0; ; at++ {
			w := newWorld(t, 1)
			w.cutAt, w.down = at, down
			c := w.goOn()
			if w.step <= at {
				if at < 20 {
					t.Errorf("only %d steps were cut off", at)
				}
				break
			}
			whole := map[int]int{}
			for _, b := range c.Boots {
				if b.Run != nil {
					whole[b.Number]++
				}
			}
			for _, o := range c.Outcomes() {
				if o.State != results.Whole || whole[o.Number] != 1 {
					t.Errorf("cut off at step %d (machine %v): boot %d is %v, measured %d times: %+v", at, down, o.Number, o.State, whole[o.Number], c.Boots)
				}
			}
			if w.booted > 4 {
				t.Errorf("cut off at step %d: %d boots for 2", at, w.booted)
			}
		}
	}
}

// TestBadKernel: one that fails each time is given up after a number of boots that is
// known, and the other goes on.
func TestBadKernel(t *testing.T) {
	for _, tt := range []struct {
		name    string
		comesUp func(kernel, boot int) bool
		runs    func(kernel, boot int) string
		words   []string
		end     vocab.BootEnd
		text    string
		most    int // boots of the machine
	}{
		{"does not come up", func(k, _ int) bool { return k != 1 }, nil, nil, vocab.Reset, "armed 3 times", 5 + 9},
		{"does not come up, and says why", func(k, _ int) bool { return k != 1 }, nil,
			[]string{"<0>[    1.2] Kernel panic - not syncing: VFS: Unable to mount root fs", "<0>[    1.3] ---[ end"}, vocab.Panic, "VFS: Unable to mount", 5 + 3},
		{"goes down in its run", nil, func(k, _ int) string { return map[int]string{1: "down"}[k] }, nil, vocab.Reset, "went down in its run 2 times", 5 + 12},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, 5)
			w.comesUp, w.runs, w.words = tt.comesUp, tt.runs, tt.words
			if tt.comesUp != nil { // the first boot is to show that arming works
				c, _ := results.ReadCampaign(w.record)
				if c.Header.Planned[0].Kernel != 0 {
					up := w.comesUp
					w.comesUp = func(k, boot int) bool { return up(1-k, boot) }
				}
			}
			c := w.goOn()
			failed, whole := 0, 0
			for _, o := range c.Outcomes() {
				switch o.State {
				case results.Whole:
					whole++
				case results.Failed:
					failed++
					if o.Boot.End != tt.end || !strings.Contains(o.Boot.Text, tt.text) {
						t.Errorf("boot %d: %s, %q", o.Number, o.Boot.End, o.Boot.Text)
					}
				}
			}
			if failed != 3 || whole != 5 || w.booted > tt.most || c.Reason() != vocab.AllBooted {
				t.Errorf("%d failed, %d whole, %d boots (want at most %d); ended %q\n%q", failed, whole, w.booted, tt.most, c.Reason(), w.said)
			}
			if len(c.End.Warnings) != 1 {
				t.Errorf("%+v", c.End.Warnings)
			}
		})
	}
}

// TestNothingComesUp: where arming does nothing, no kernel is blamed.
func TestNothingComesUp(t *testing.T) {
	w := newWorld(t, 5)
	w.comesUp = func(int, int) bool { return false }
	c := w.goOn()
	if len(c.Boots) != 0 || !c.Reason().Failed() || w.booted != 3 || w.armed != ownKernel {
		t.Errorf("%d recorded after %d boots, ended %q, armed %d", len(c.Boots), w.booted, c.Reason(), w.armed)
	}
	if len(w.said) != 2 || !strings.Contains(w.said[0], "up is own") {
		t.Errorf("%q", w.said)
	}
}

// TestKilled: netab that is killed in each run ends the campaign, and no kernel is
// blamed for it.
func TestKilled(t *testing.T) {
	w := newWorld(t, 1)
	w.runs = func(int, int) string { return "kill" }
	c := w.goOn()
	if len(c.Boots) != 3 || !c.Reason().Failed() {
		t.Errorf("%+v, ended %q", c.Boots, c.Reason())
	}
	for _, b := range c.Boots {
		if b.End != vocab.Killed {
			t.Errorf("%+v", b)
		}
	}
}

// TestNotRebooted: who calls it again without a reboot gets the same boot armed.
func TestNotRebooted(t *testing.T) {
	w := newWorld(t, 1)
	for range 5 {
		if over, err := w.next(); over || err != nil {
			t.Fatal(over, err)
		}
	}
	if s, err := Load(w.state); err != nil || s.Step.Number != 0 || s.Step.Missed != 0 || s.Step.Phase != Armed || w.arms != 5 {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestArmFails: what cannot be armed is said, and nothing is thought to be armed.
func TestArmFails(t *testing.T) {
	w := newWorld(t, 1)
	s, err := Load(w.state)
	if err != nil {
		t.Fatal(err)
	}
	cw, c, err := results.ResumeCampaign(s.Campaign)
	if err != nil {
		t.Fatal(err)
	}
	defer cw.Close()
	m := &Machine{Arm: func(Kernel) error { return errors.New("no kexec here") }, Save: func(s *State) error { return Save(w.state, s) }}
	if _, err := m.Next(t.Context(), s, cw, c); err == nil || !strings.Contains(err.Error(), "boot 1 cannot be armed: no kexec here") {
		t.Errorf("%v", err)
	}
	if s, err = Load(w.state); err != nil || s.Step.Phase != Idle {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestInterrupted: who ends a run gets nothing armed, and the boot is made again.
func TestInterrupted(t *testing.T) {
	w := newWorld(t, 1)
	if over, err := w.next(); over || err != nil {
		t.Fatal(over, err)
	}
	w.reboot(true)
	s, err := Load(w.state)
	if err != nil {
		t.Fatal(err)
	}
	cw, c, err := results.ResumeCampaign(s.Campaign)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	interrupted := errors.New("interrupted")
	k := w.kernel[w.up]
	m := &Machine{Up: Up{BootID: w.bootID(), Release: k.Release, Cmdline: k.Cmdline}, Save: func(s *State) error { return Save(w.state, s) },
		Arm: func(Kernel) error { t.Error("something is armed"); return nil },
		Loop: campaign.Loop{Booter: booterFunc(func(ctx context.Context, _ int, _ uint64, _ func([]byte) error) (results.Boot, error) {
			cancel(interrupted)
			return results.Boot{}, context.Cause(ctx)
		})}}
	if _, err := m.Next(ctx, s, cw, c); !errors.Is(err, interrupted) {
		t.Error(err)
	}
	if err := cw.Close(); err != nil {
		t.Fatal(err)
	}
	c = w.goOn()
	if len(c.Boots) != 3 || c.Boots[0].End != vocab.BootInterrupted || len(c.Runs()) != 2 || w.booted != 3 {
		t.Errorf("%d boots: %+v", w.booted, c.Boots)
	}
}

// TestCutOffBesideBadKernel: what a kernel has come to is recorded once, wherever
// the machine is cut off, and the other kernel has nothing to do with it.
func TestCutOffBesideBadKernel(t *testing.T) {
	for at := 0; ; at++ {
		w := newWorld(t, 1)
		w.cutAt, w.down = at, true
		c, err := results.ReadCampaign(w.record)
		if err != nil {
			t.Fatal(err)
		}
		bad := c.Header.Planned[1].Kernel
		w.comesUp = func(kernel, _ int) bool { return kernel != bad }
		c = w.goOn()
		if w.step <= at {
			if at < 20 {
				t.Errorf("only %d steps were cut off", at)
			}
			return
		}
		failed := 0
		for _, b := range c.Boots {
			if b.End.OfKernel() {
				failed++
			}
		}
		all := c.Outcomes()
		if all[0].State != results.Whole || all[1].State != results.Failed || failed != 1 || c.Reason() != vocab.AllBooted {
			t.Errorf("cut off at step %d: %v and %v, %d failures recorded, ended %q: %+v", at, all[0].State, all[1].State, failed, c.Reason(), c.Boots)
		}
	}
}
