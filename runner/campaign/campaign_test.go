package campaign

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"netab/results"
	"netab/results/vocab"
)

// TestOrder: every kernel once in each block, in an order that the seed draws.
func TestOrder(t *testing.T) {
	for _, tt := range []struct{ kernels, boots int }{{1, 1}, {1, 5}, {2, 1}, {2, 5}, {3, 4}, {7, 20}, {2, 0}} {
		firsts := map[int]int{}
		for seed := range uint64(50) {
			plan := Order(tt.kernels, tt.boots, seed)
			if len(plan) != tt.kernels*tt.boots {
				t.Fatalf("%d kernels, %d boots: %d", tt.kernels, tt.boots, len(plan))
			}
			seeds := map[uint64]bool{}
			for i, p := range plan {
				seeds[p.Seed] = true
				if p.Number != i || p.Block != i/tt.kernels {
					t.Fatalf("boot %d is %+v", i, p)
				}
				if i%tt.kernels == 0 {
					var block []int
					for _, q := range plan[i : i+tt.kernels] {
						block = append(block, q.Kernel)
					}
					firsts[block[0]]++
					if slices.Sort(block); len(slices.Compact(block)) != tt.kernels {
						t.Fatalf("block %d has kernels %v", p.Block, block)
					}
				}
			}
			if len(seeds) != len(plan) {
				t.Error("two boots have one seed")
			}
			if more := Order(tt.kernels, tt.boots+3, seed); !slices.Equal(more[:len(plan)], plan) {
				t.Error("more boots do not begin with the same")
			}
		}
		if tt.boots > 0 && len(firsts) != tt.kernels {
			t.Errorf("%d kernels: the first of a block is always one of %v", tt.kernels, firsts)
		}
	}
}

// A script is how the boots of a kernel go, one after the other; the last is repeated.
// "whole", "torn", "garbage", "no end", "failed run", "error", "killed 0" (before the
// first line), "killed 1" (behind it), or how a boot ends.
type script map[int][]string

type fake struct {
	t      *testing.T
	script script
	booted map[int]int // how often, by kernel
	log    []string
	cancel context.CancelFunc // of "interrupted"
}

var errKilled = errors.New("killed")

func (f *fake) Boot(_ context.Context, kernel int, seed uint64, line func([]byte) error) (results.Boot, error) {
	how := "whole"
	if all := f.script[kernel]; len(all) > 0 {
		how = all[min(f.booted[kernel], len(all)-1)]
	}
	f.booted[kernel]++
	f.log = append(f.log, fmt.Sprintf("%d:%s", kernel, how))
	lines := runLines(f.t, seed, how)
	for i, l := range lines {
		if how == fmt.Sprint("killed ", i) {
			panic(errKilled)
		}
		if err := line(l); err != nil {
			return results.Boot{}, err
		}
	}
	switch how {
	case "whole", "garbage", "no end", "failed run":
		return results.Boot{End: vocab.Finished}, nil
	case "error":
		return results.Boot{}, errors.New("qemu-system-x86_64 is not installed")
	case "interrupted":
		f.cancel()
		return results.Boot{End: vocab.Killed}, nil
	}
	return results.Boot{End: vocab.BootEnd(how), Text: "it said so", Console: []string{"the end"}}, nil
}

func runLines(t *testing.T, seed uint64, how string) [][]byte {
	run := &results.Run{Header: results.Header{Type: "header", Schema: results.SchemaRun, ID: "guest", Seed: seed,
		Design: results.Design{Name: "x", Arms: []results.Arm{{Name: "a"}}}}, End: &results.End{Reason: vocab.Decided}}
	switch how {
	case "no end", string(vocab.Panic):
		run.End = nil
	case "failed run":
		run.End.Reason = vocab.FailedBy(errors.New("no sink"))
	}
	var b bytes.Buffer
	if _, err := run.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(b.Bytes()), []byte("\n"))
	if how == "garbage" {
		lines = slices.Insert(lines, 1, []byte("[  1.2] BUG: unable to handle"))
	}
	return lines
}

const id = "20261121-203045-x-0001"

func newCampaign(t *testing.T, store string, kernels, boots int) (*results.CampaignWriter, *results.Campaign) {
	t.Helper()
	h := results.CampaignHeader{Source: "x.yaml", Seed: 5, Started: time.Date(2026, 11, 21, 20, 30, 45, 0, time.UTC), Planned: Order(kernels, boots, 5)}
	for i := range kernels {
		h.Kernels = append(h.Kernels, results.Kernel{Ref: fmt.Sprint("k", i)})
	}
	w, err := results.CreateCampaign(store, id, h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	c, err := results.ReadCampaign(w.Dir())
	if err != nil {
		t.Fatal(err)
	}
	return w, c
}

// told is what became of the boots of a campaign, as its files tell.
func told(t *testing.T, store string) (string, *results.Campaign) {
	t.Helper()
	c, err := results.ReadCampaign(filepath.Join(store, id))
	if err != nil {
		t.Fatal(err)
	}
	states := map[results.BootState]string{results.Missing: "-", results.Whole: "w", results.Failed: "f"}
	var out []string
	for _, o := range c.Outcomes() {
		out = append(out, fmt.Sprintf("%d%s", o.Kernel, states[o.State]))
	}
	return strings.Join(out, " "), c
}

// The order of the plan of newCampaign, for the table below.
func TestLoop(t *testing.T) {
	plan := ""
	for _, p := range Order(2, 4, 5) {
		plan += fmt.Sprint(p.Kernel)
	}
	if plan[:4] != "0110" && plan[:4] != "1001" && plan[:4] != "0101" && plan[:4] != "1010" {
		t.Fatal(plan)
	}
	all := func(zero, one string) string { // four outcomes of each kernel, in the order of the plan
		at := [2]int{}
		var out []string
		for _, r := range plan {
			k := int(r - '0')
			out = append(out, fmt.Sprintf("%d%c", k, [2]string{zero, one}[k][at[k]]))
			at[k]++
		}
		return strings.Join(out, " ")
	}
	for _, tt := range []struct {
		name   string
		script script
		want   string
		reason vocab.End
		fails  string // the error
		warns  string
	}{
		{"all is well", nil, all("wwww", "wwww"), vocab.AllBooted, "", ""},
		{"a panic counts, and the rest goes on", script{1: {"panic", "whole"}}, all("wwww", "fwww"), vocab.AllBooted, "", ""},
		{"two kernels fail at times", script{0: {"whole", "hang", "whole"}, 1: {"oops", "whole", "panic"}}, all("wfww", "fwff"), vocab.AllBooted, "", ""},
		{"three in a row", script{1: {"panic"}}, all("wwww", "fff-"), vocab.AllBooted, "", "kernel k1 was given up after 3 failed boots in a row, the last: it said so; 1 of its boots were not tried"},
		{"three in a row at the end", script{1: {"whole", "panic"}}, all("wwww", "wfff"), vocab.AllBooted, "", ""},
		{"both", script{0: {"lacks"}, 1: {"panic"}}, all("fff-", "fff-"), vocab.AllBooted, "", "kernel k0"},
		{"no run", script{1: {"no end", "garbage", "whole"}}, all("wwww", "ffww"), vocab.AllBooted, "", ""},
		{"a run that failed", script{0: {"failed run", "whole"}}, all("fwww", "wwww"), vocab.AllBooted, "", ""},
		{"tried again", script{0: {"qemu-failed", "killed", "whole"}}, all("wwww", "wwww"), vocab.AllBooted, "", ""},
		{"tried in vain", script{0: {"qemu-failed"}}, "", vocab.FailedBy(errors.New("boot 0")), "was tried 3 times, and nothing is known of its kernel: it said so", ""},
		{"cannot boot", script{0: {"error"}, 1: {"error"}}, all("----", "----"), vocab.FailedBy(errors.New("q")), "qemu-system-x86_64 is not installed", ""},
	} {
		store := t.TempDir()
		w, c := newCampaign(t, store, 2, 4)
		f := &fake{t: t, script: tt.script, booted: map[int]int{}}
		err := Loop{Booter: f}.Run(context.Background(), w, c)
		if (err == nil) != (tt.fails == "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.fails)
		}
		got, read := told(t, store)
		if tt.want != "" && got != tt.want {
			t.Errorf("%s: %s, want %s (%v)", tt.name, got, tt.want, f.log)
		}
		if r := read.Reason(); r != tt.reason && !(r.Failed() && tt.reason.Failed()) {
			t.Errorf("%s: ended %s, want %s", tt.name, r, tt.reason)
		}
		if warns := fmt.Sprint(read.End.Warnings); (tt.warns == "") != (len(read.End.Warnings) == 0) || !strings.Contains(warns, tt.warns) {
			t.Errorf("%s: %s, want %q", tt.name, warns, tt.warns)
		}
		if len(read.ReadWarnings) > 0 {
			t.Errorf("%s: %v", tt.name, read.ReadWarnings)
		}
		for _, run := range read.Runs() {
			seed := uint64(0)
			for _, p := range read.Header.Planned {
				if run.Header.ID == results.BootID(id, p.Number) {
					seed = p.Seed
				}
			}
			if run.Header.Seed != seed {
				t.Errorf("%s: run %s has seed %d, want %d", tt.name, run.Header.ID, run.Header.Seed, seed)
			}
		}
	}
}

func TestLoopIsInterrupted(t *testing.T) {
	store := t.TempDir()
	w, c := newCampaign(t, store, 2, 4)
	ctx, cancel := context.WithCancel(context.Background())
	f := &fake{t: t, script: script{1: {"whole", "interrupted"}}, booted: map[int]int{}, cancel: cancel}
	if err := (Loop{Booter: f}).Run(ctx, w, c); err != nil {
		t.Fatal(err)
	}
	before, read := told(t, store)
	if read.Reason() != vocab.Interrupted || read.Boots[len(read.Boots)-1].End != vocab.BootInterrupted {
		t.Errorf("%s: %s, %+v", before, read.Reason(), read.Boots)
	}
	w, c, err := results.ResumeCampaign(filepath.Join(store, id))
	if err != nil {
		t.Fatal(err)
	}
	if err := (Loop{Booter: &fake{t: t, booted: map[int]int{}}}).Run(context.Background(), w, c); err != nil {
		t.Fatal(err)
	}
	if got, read := told(t, store); strings.Contains(got, "-") || strings.Contains(got, "f") || read.Reason() != vocab.AllBooted {
		t.Errorf("resumed: %s, %s", got, read.Reason())
	}
}

// A gathering has so many boots up at once. Each comes up but for those of whom that is
// said, waits until all are told to go, and then goes as the script has it.
type gathering struct {
	fake
	most  int
	fails map[int]bool // kernels whose boots do not come up

	mu     sync.Mutex
	up     chan struct{}
	going  chan struct{}
	rounds []int // how many came up in each
}

func (g *gathering) Gather(due []results.PlannedBoot) (Together, int) {
	g.up, g.going = make(chan struct{}), make(chan struct{})
	g.rounds = append(g.rounds, 0)
	return g, min(len(due), g.most)
}

func (g *gathering) Up() <-chan struct{} { return g.up }
func (g *gathering) Go()                 { close(g.going) }

func (g *gathering) Boot(ctx context.Context, kernel int, seed uint64, line func([]byte) error) (results.Boot, error) {
	if !g.fails[kernel] {
		g.rounds[len(g.rounds)-1]++
		g.up <- struct{}{}
		select {
		case <-g.going:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return results.Boot{End: vocab.BootInterrupted}, nil
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.fake.Boot(ctx, kernel, seed, line)
}

// TestLoopTogether: boots that are up at once come to what they come to one after the
// other, and the record says how many took turns.
func TestLoopTogether(t *testing.T) {
	for _, tt := range []struct {
		name     string
		most     int
		script   script
		fails    map[int]bool
		want     string // outcomes, by kernel
		together string // boots by how many they took turns with
		rounds   []int
		reason   vocab.End
		err      string
	}{
		{"all at once", 8, nil, nil, "0w 0w 0w 0w 1w 1w 1w 1w", "8 8 8 8 8 8 8 8", []int{8}, vocab.AllBooted, ""},
		{"in three rounds, the last of it one boot", 3, nil, nil, "0w 0w 0w 0w 1w 1w 1w 1w", "2 2 3 3 3 3 3 3", []int{3, 3, 2}, vocab.AllBooted, ""},
		{"a panic counts, and the rest goes on", 8, script{1: {"panic", "whole"}}, nil, "0w 0w 0w 0w 1f 1w 1w 1w", "8 8 8 8 8 8 8 8", []int{8}, vocab.AllBooted, ""},
		{"one never comes up", 8, script{1: {"hang"}}, map[int]bool{1: true}, "0w 0w 0w 0w 1- 1f 1f 1f", "0 0 0 4 4 4 4", []int{4}, vocab.AllBooted, ""},
		{"QEMU fails once: no more are begun, and it is tried again", 8, script{1: {"qemu-failed", "whole"}}, map[int]bool{1: true}, "0w 0w 0w 0w 1w 1w 1w 1w", "", nil, vocab.AllBooted, ""},
		{"QEMU fails each time", 8, script{1: {"qemu-failed"}}, map[int]bool{1: true}, "", "", nil, vocab.FailedBy(errors.New("boot")), "was tried 3 times"},
		{"cannot boot", 8, script{0: {"error"}, 1: {"error"}}, nil, "0- 0- 0- 0- 1- 1- 1- 1-", "", []int{8}, vocab.FailedBy(errors.New("q")), "qemu-system-x86_64 is not installed"},
	} {
		store := t.TempDir()
		w, c := newCampaign(t, store, 2, 4)
		g := &gathering{fake: fake{t: t, script: tt.script, booted: map[int]int{}}, most: tt.most, fails: tt.fails}
		err := Loop{Booter: g}.Run(context.Background(), w, c)
		if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.err)
		}
		outcomes, read := told(t, store)
		by := strings.Fields(outcomes)
		slices.Sort(by)
		if got := strings.Join(by, " "); tt.want != "" && got != tt.want {
			t.Errorf("%s: %s, want %s (%v)", tt.name, got, tt.want, g.log)
		}
		var together []string
		for _, b := range read.Boots {
			together = append(together, fmt.Sprint(b.Together))
		}
		slices.Sort(together)
		if got := strings.Join(together, " "); tt.together != "" && got != tt.together {
			t.Errorf("%s: together %s, want %s", tt.name, got, tt.together)
		}
		if tt.rounds != nil && !slices.Equal(g.rounds, tt.rounds) {
			t.Errorf("%s: rounds of %v, want %v", tt.name, g.rounds, tt.rounds)
		}
		if r := read.Reason(); r != tt.reason && !(r.Failed() && tt.reason.Failed()) {
			t.Errorf("%s: ended %s, want %s", tt.name, r, tt.reason)
		}
	}
}

// TestLoopTogetherIsInterrupted: what is up is interrupted, and made again later.
func TestLoopTogetherIsInterrupted(t *testing.T) {
	store := t.TempDir()
	w, c := newCampaign(t, store, 2, 4)
	ctx, cancel := context.WithCancel(context.Background())
	g := &gathering{fake: fake{t: t, booted: map[int]int{}}, most: 8}
	l := Loop{Booter: g, Begins: func(p results.PlannedBoot, _ int) {
		if p.Number == 5 {
			cancel()
		}
	}}
	if err := l.Run(ctx, w, c); err != nil {
		t.Fatal(err)
	}
	if got, read := told(t, store); read.Reason() != vocab.Interrupted || len(read.Boots) != 6 || strings.ContainsAny(got, "wf") {
		t.Errorf("%s: %s, %d boots", got, read.Reason(), len(read.Boots))
	}
	w, c, err := results.ResumeCampaign(filepath.Join(store, id))
	if err != nil {
		t.Fatal(err)
	}
	if err := (Loop{Booter: &gathering{fake: fake{t: t, booted: map[int]int{}}, most: 8}}).Run(context.Background(), w, c); err != nil {
		t.Fatal(err)
	}
	if got, read := told(t, store); strings.ContainsAny(got, "-f") || read.Reason() != vocab.AllBooted {
		t.Errorf("resumed: %s, %s", got, read.Reason())
	}
}

// TestLoopIsKilled: wherever it is killed, and however often, the boots that it comes
// to are those of a campaign that was not.
func TestLoopIsKilled(t *testing.T) {
	const kernels, boots = 3, 3
	want := map[int]uint64{}
	for _, p := range Order(kernels, boots, 5) {
		want[p.Number] = p.Seed
	}
	for every := 1; every <= kernels*boots; every++ { // killed in each so many-th boot
		for _, at := range []string{"killed 0", "killed 1"} {
			store := t.TempDir()
			w, _ := newCampaign(t, store, kernels, boots)
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			kills := 0
			for goes := 0; ; goes++ {
				if goes > 3*kernels*boots {
					t.Fatalf("every %d, %s: it comes to no end", every, at)
				}
				w, c, err := results.ResumeCampaign(filepath.Join(store, id))
				if err != nil {
					t.Fatal(err)
				}
				f := &killing{fake{t: t, booted: map[int]int{}}, every, at}
				killed := survives(func() error { return Loop{Booter: f}.Run(context.Background(), w, c) })
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				if !killed {
					break
				}
				kills++
			}
			got, read := told(t, store)
			seeds := map[int]uint64{}
			for i, run := range read.Runs() {
				seeds[i] = run.Header.Seed
			}
			if strings.ContainsAny(got, "-f") || len(seeds) != len(want) || kills == 0 && every == 1 {
				t.Errorf("every %d, %s: %s after %d kills", every, at, got, kills)
			}
			for n, seed := range want {
				if seeds[n] != seed {
					t.Errorf("every %d, %s: boot %d has seed %d, want %d", every, at, n, seeds[n], seed)
				}
			}
		}
	}
}

// killing is killed in every so many-th boot, but for the first when that is each one:
// then it would never end.
type killing struct {
	fake
	every int
	at    string
}

func (k *killing) Boot(ctx context.Context, kernel int, seed uint64, line func([]byte) error) (results.Boot, error) {
	k.script = nil
	if n := len(k.log); n > 0 && n%k.every == 0 {
		k.script = script{kernel: {k.at}}
	}
	return k.fake.Boot(ctx, kernel, seed, line)
}

// survives says whether what it calls was killed.
func survives(f func() error) (killed bool) {
	defer func() {
		switch r := recover(); r {
		case nil:
		case errKilled:
			killed = true
		default:
			panic(r)
		}
	}()
	_ = f()
	return false
}
