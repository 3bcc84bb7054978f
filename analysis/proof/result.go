package proof

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// Schema names the format of a Proof as JSON.
const Schema = "netab/proof/1"

// A Proof is a study's result.
type Proof struct {
	Schema      string   `json:"schema"`
	Repetitions int      `json:"repetitions"` // of each world and effect
	Confidence  float64  `json:"confidence"`
	Worlds      []Result `json:"worlds"`
}

// A Result is what the runs of one world came to.
type Result struct {
	Name       string   `json:"name"`
	Title      string   `json:"title"`
	Resolution float64  `json:"resolution"`
	MaxTimeS   float64  `json:"max_time_s"`
	NoPower    string   `json:"no_power,omitempty"`
	NoCoverage string   `json:"no_coverage,omitempty"`
	Beyond     string   `json:"beyond,omitempty"`
	Effects    []Effect `json:"effects"`
	// Broken lists the bounds that this world breaks, in words.
	Broken []string `json:"broken"`
}

// An Effect is what the runs with one true effect came to. Shares are of runs,
// Covered of intervals.
type Effect struct {
	Effect          float64 `json:"effect_resolutions"`
	Different       float64 `json:"false_difference"` // different where there is no difference, or the wrong way
	FalseEquivalent float64 `json:"false_equivalent"` // equivalent where the effect is the resolution or more
	Covered         float64 `json:"covered"`
	Found           float64 `json:"found"`
	Equivalent      float64 `json:"equivalent"`
	Explained       float64 `json:"explained_by_modes"`
	Decided         float64 `json:"decided"` // before the time limit
	Seconds         float64 `json:"median_s"`
	Seconds90       float64 `json:"p90_s"`
	Trials          float64 `json:"mean_trials"`
}

func newResult(c Case, o Options, runs [][]outcome) Result {
	r := Result{
		Name: c.Name, Title: c.Title, Resolution: c.Resolution, MaxTimeS: c.MaxTime.Seconds(),
		NoPower: c.NoPower, NoCoverage: c.NoCoverage, Beyond: c.Beyond, Broken: []string{},
	}
	for k, effect := range o.Effects {
		r.Effects = append(r.Effects, newEffect(effect, len(c.pattern()), runs[k]))
	}
	r.Broken = append(r.Broken, c.broken(r, o.Repetitions)...)
	return r
}

func newEffect(effect float64, arms int, runs []outcome) Effect {
	share := func(is func(o outcome) bool) float64 {
		n := 0
		for _, o := range runs {
			if is(o) {
				n++
			}
		}
		return float64(n) / float64(len(runs))
	}
	e := Effect{
		Effect:          effect,
		Different:       share(func(o outcome) bool { return o.wrong }),
		FalseEquivalent: share(func(o outcome) bool { return o.falseEqual }),
		Found:           share(func(o outcome) bool { return o.found }),
		Equivalent:      share(func(o outcome) bool { return o.equal }),
		Explained:       share(func(o outcome) bool { return o.explained }),
		Decided:         share(func(o outcome) bool { return o.decided }),
	}
	var times []float64
	for _, o := range runs {
		e.Covered += float64(o.covered) / float64(arms*len(runs))
		e.Trials += float64(o.trials) / float64(len(runs))
		times = append(times, o.seconds)
	}
	slices.Sort(times)
	e.Seconds = stat.Quantile(0.5, stat.Empirical, times, nil)
	e.Seconds90 = stat.Quantile(0.9, stat.Empirical, times, nil)
	return e
}

// The bounds of the shares. Wrong verdicts are held to alpha and three
// standard errors of a share of so many runs. The others are bounds without
// such a slack in the full study; where runs are fewer, they have it too.
const (
	leastCovered    = 0.93 // nominal 95 %
	leastFound      = 0.90 // at twice the resolution
	leastEquivalent = 0.80 // without an effect
)

// MostWrong is the largest share of wrong verdicts in so many runs that an
// alpha of 5 % explains.
func MostWrong(runs int) float64 { return alpha + 3*standardError(alpha, runs) }

func least(share float64, runs int) float64 {
	if runs >= FullRepetitions {
		return share
	}
	return share - 3*standardError(share, runs)
}

// standardError is that of a share of n independent runs.
func standardError(share float64, n int) float64 {
	return math.Sqrt(share * (1 - share) / float64(n))
}

// broken holds a world's shares to the bounds.
func (c Case) broken(r Result, runs int) []string {
	if c.Beyond != "" {
		return nil
	}
	var out []string
	say := func(e Effect, what string, share float64, than string, bound float64) {
		out = append(out, fmt.Sprintf("%s %.2f %% at %g times the resolution, %s %.2f %%", what, 100*share, e.Effect, than, 100*bound))
	}
	for _, e := range r.Effects {
		if most := MostWrong(runs); e.Different > most {
			say(e, "false differences", e.Different, "at most", most)
		}
		if most := MostWrong(runs); e.FalseEquivalent > most {
			say(e, "false `equivalent`", e.FalseEquivalent, "at most", most)
		}
		if atLeast := least(leastCovered, runs); c.NoCoverage == "" && e.Covered < atLeast {
			say(e, "coverage", e.Covered, "at least", atLeast)
		}
		if atLeast := least(leastFound, runs); (c.NoPower == "" && e.Effect == 2 || c.Lost) && e.Found < atLeast {
			say(e, "found", e.Found, "at least", atLeast)
		}
		if atLeast := least(leastEquivalent, runs); c.NoPower == "" && !c.Lost && e.Effect == 0 && e.Equivalent < atLeast {
			say(e, "`equivalent`", e.Equivalent, "at least", atLeast)
		}
	}
	return out
}

// at is what came of an effect; ok is false where it was not studied.
func (r Result) at(effect float64) (e Effect, ok bool) {
	for _, e := range r.Effects {
		if e.Effect == effect {
			return e, true
		}
	}
	return Effect{}, false
}

// worst is the largest share over all effects; the least is that of -share.
func (r Result) worst(share func(Effect) float64) float64 {
	w := math.Inf(-1)
	for _, e := range r.Effects {
		w = max(w, share(e))
	}
	return w
}

// Broken lists every broken bound, with its world.
func (p Proof) Broken() []string {
	var out []string
	for _, r := range p.Worlds {
		for _, b := range r.Broken {
			out = append(out, r.Name+": "+b)
		}
	}
	return out
}
