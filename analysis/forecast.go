package analysis

import (
	"math"
	"time"

	"netab/analysis/stat"
	"netab/results"
)

// A Forecast says how long a question will probably take.
type Forecast struct {
	Trials int           `json:"trials"`
	Time   time.Duration `json:"time_ns"`
	Within bool          `json:"within_max_time"`
}

// FewestTrials is how many trials a run needs for any verdict at all, and of a
// single arm for an interval of its level.
func FewestTrials(d results.Design) int {
	if len(d.Arms) < 2 {
		return 2
	}
	return fewestOf(d)
}

// sure is the share of runs that are to have their verdict by the forecast.
const sure = 0.90

// Predict says when a comparison whose trial effects have this standard
// deviation is decided with 90 % chance, where nothing differs: the look whose
// interval is short enough to lie within the resolution although its middle
// scatters too, h + z·SE <= r. A difference of twice the resolution or more is
// found no later.
func Predict(d results.Design, sd float64, trial time.Duration) Forecast {
	if !(sd >= 0) || trial <= 0 {
		return Forecast{}
	}
	f := predict(d, sd, trial)
	f.Within = f.Trials > 0
	for f.Trials == 0 && d.MaxTimeS < maxForecast*trial.Seconds() {
		d.MaxTimeS = 1.25*d.MaxTimeS + trial.Seconds()
		within := f.Within
		f = predict(d, sd, trial)
		f.Within = within
	}
	return f
}

// predict is Predict within the design's time limit; no trials if it does not
// suffice.
func predict(d results.Design, sd float64, trial time.Duration) Forecast {
	margin := math.Log1p(finite(d.Resolution))
	for _, l := range Looks(d, trial) {
		if decides(l.Trials, sd, l.Alpha, margin) {
			return Forecast{Trials: l.Trials, Time: time.Duration(l.Trials) * trial}
		}
	}
	return Forecast{}
}

// maxForecast trials are more than anybody waits for.
const maxForecast = 100_000

func decides(n int, sd, alpha, margin float64) bool {
	// 90 % of the middles lie within 1.645 standard errors of the truth.
	return (stat.Critical(alpha, float64(n-1))+stat.NormalQuantile((1+sure)/2))*sd/math.Sqrt(float64(n)) <= margin
}

// Looks lists when a run is looked at whose trials take so long, and what each
// look may spend, up to the design's time limit.
func Looks(d results.Design, trial time.Duration) []results.Look {
	s, out := newSchedule(d), []results.Look{}
	limit := stat.OpenTrials
	if s.MaxTime > 0 && trial > 0 {
		limit = int(s.MaxTime / trial)
	}
	for n := 1; n <= limit; n++ {
		if l, ok := lookAt(&s, n, time.Duration(n)*trial, outlookOf(n == limit)); ok && n >= fewestOf(d) {
			out = append(out, l)
		}
	}
	return out
}
