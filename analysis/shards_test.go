package analysis

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"netab/analysis/world"
	"netab/results"
	"netab/results/vocab"
)

// shardRuns are those of a question of five arms, measured by two machines.
func shardRuns() []*results.Run {
	var runs []*results.Run
	for part, effects := range [][]float64{{0.1, 0}, {-0.1, 0.2}} {
		w := world.Quiet()
		w.Effects = effects
		d := w.Design(0.02, time.Minute)
		for i := 1; i < len(d.Arms); i++ {
			d.Arms[i].Name = fmt.Sprintf("arm%d", 2*part+i)
		}
		d.Shard = &results.Shard{Part: part + 1, Of: 2, Arms: 4, Whole: "abc"}
		run := w.Run(d, uint64(part+1), 20)
		run.Header.ID, run.Header.Machine.Hostname = fmt.Sprint("run", part+1), fmt.Sprint("host", part+1)
		runs = append(runs, run)
	}
	return runs
}

func TestJoinShards(t *testing.T) {
	runs := shardRuns()
	if ok, err := ShardsOf(runs); !ok || err != nil {
		t.Fatalf("%v, %v", ok, err)
	}
	s := JoinShards([]*results.Run{runs[1], runs[0]})
	want := []struct {
		arm, baseline string
		verdict       Verdict
	}{{"arm1", "off", Improvement}, {"arm2", "off", Equivalent}, {"arm3", "off (shard 2/2)", Regression}, {"arm4", "off (shard 2/2)", Improvement}}
	judged := 0
	for _, c := range s.Comparisons {
		if !c.Judged {
			continue
		}
		if w := want[judged]; c.Arm != w.arm || c.Baseline != w.baseline || c.Verdict != w.verdict {
			t.Errorf("%s against %s: %s; want %+v", c.Arm, c.Baseline, c.Verdict, w)
		}
		judged++
		if c.Alpha > 0.025+1e-9 {
			t.Errorf("%s is judged at alpha %v, more than the shard's part", c.Arm, c.Alpha)
		}
	}
	if judged != 4 || len(s.Arms) != 6 || s.Trials != 40 || !s.Converged || !strings.Contains(s.Answer, "arm4") {
		t.Errorf("%d comparisons, %d arms, %d trials, %v: %s", judged, len(s.Arms), s.Trials, s.Converged, s.Answer)
	}
	if len(s.Blocking()) > 0 || len(s.Confounders) == 0 {
		t.Errorf("confounders %+v", s.Confounders)
	}
	// One that is missing is said, and nothing is settled without it.
	three := shardRuns()
	for _, r := range three {
		r.Header.Design.Shard.Of = 3
	}
	part := JoinShards(three)
	wantCodes(t, part, ShardMissing)
	if part.Converged {
		t.Error("settled without a shard")
	}
}

func TestShardsOf(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(runs []*results.Run)
		joins  bool
		want   string
	}{
		{"both", func([]*results.Run) {}, true, ""},
		{"one is a whole run", func(r []*results.Run) { r[1].Header.Design.Shard = nil }, false, ""},
		{"two nights of one", func(r []*results.Run) { r[1].Header.Design.Shard.Part = 1 }, false, ""},
		{"of two questions", func(r []*results.Run) { r[1].Header.Design.Shard.Whole = "def" }, false, "shards of two questions"},
		{"divided otherwise", func(r []*results.Run) { r[1].Header.Design.Shard.Of = 5 }, false, "divided otherwise"},
		{"one twice", func(r []*results.Run) { *r[2].Header.Design.Shard = *r[0].Header.Design.Shard }, false, "are both shard 1 of 2"},
	} {
		runs := append(shardRuns(), shardRuns()[1])
		if tt.name != "one twice" {
			runs = runs[:2]
		}
		tt.change(runs)
		joins, err := ShardsOf(runs)
		if joins != tt.joins || (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, %v", tt.name, joins, err)
		}
	}
}

// Shards together spend what one run of all arms does.
func TestShardsSpendAlphaOnce(t *testing.T) {
	sum := 0.0
	for _, r := range shardRuns() {
		sum += alphaOf(r.Header.Design)
		if fewest := fewestOf(r.Header.Design); fewest != 8 { // as of four arms
			t.Errorf("a verdict needs %d trials", fewest)
		}
	}
	if math.Abs(sum-0.05) > 1e-12 {
		t.Errorf("they spend %v", sum)
	}
	r := shardRuns()[0]
	r.End = &results.End{Reason: vocab.MaxTime}
	if alpha, _ := stoppingAlpha(r); math.Abs(alpha-0.025) > 1e-12 {
		t.Errorf("one spends %v", alpha)
	}
}
