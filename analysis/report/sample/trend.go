package sample

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"netab/analysis/gate"
	"netab/analysis/report/figure"
	"netab/analysis/trend"
	"netab/results"
)

// Nights are digests of ninety nights of two arms: both lose 6 % with the 6.19
// kernels, "sink" gains 8 % later, and in the last two nights "off" is 15 %
// down. One night was cut off.
func Nights() []results.Digest {
	rng := rand.New(rand.NewPCG(5, 6))
	keys := []results.SeriesKey{
		{Arm: "off", Metric: figure.Goodput, Traffic: "tcp", Judged: true, Resolution: 0.01},
		{Arm: "sink", Metric: figure.Goodput, Traffic: "tcp", Judged: true, Resolution: 0.01},
		{Arm: "sink", Against: "off", Metric: figure.Goodput, Traffic: "tcp", Judged: true, Resolution: 0.01},
	}
	facts := map[string]string{}
	var runs []results.Digest
	for i := range 90 {
		if i%10 == 0 {
			facts = map[string]string{"hostname": "ci1", "cpu model": "model", "kernel": fmt.Sprintf("6.18.%d", i/10), "netab version": "1.0"}
			if i >= 40 {
				facts["kernel"] = fmt.Sprintf("6.19.0-rc%d-00012-g0a1b2c3d%04x", i/10-3, i)
			}
		}
		off, sink := 0.0, 0.07
		if i >= 40 {
			off -= 0.06
		}
		if i >= 70 {
			sink += 0.08
		}
		if i >= 88 {
			off, sink = off-0.15, sink+0.15
		}
		off += 0.015 * rng.NormFloat64()
		sink += 0.01 * rng.NormFloat64()
		started := worldStart.AddDate(0, 0, i)
		d := results.Digest{ID: results.NewID("loopback-rps", started, uint64(i)), Started: started, Scenario: "loopback-rps", Boot: fmt.Sprint("boot-", i),
			Facts: facts, Series: keys, Values: []float64{42e9 * math.Exp(off), 42e9 * math.Exp(off+sink), math.Expm1(sink)}}
		if i == 50 {
			d.Unused, d.Series, d.Values = "cut off, or not ended yet", nil, nil
		}
		runs = append(runs, d)
	}
	return runs
}

// HostileNights try to become code.
func HostileNights() trend.History {
	const evil = `</script><script>window.pwned = 1</script><img src=x onerror="window.pwned = 1">'"@tip --arm-1`
	runs := Nights()
	for i := range runs {
		r := &runs[i]
		r.ID, r.Scenario = fmt.Sprint(evil, i), evil
		r.Facts = map[string]string{"hostname": evil, "kernel": r.Facts["kernel"] + evil, evil: r.Facts["kernel"]}
		for k := range r.Series {
			r.Series = append([]results.SeriesKey(nil), r.Series...)
			r.Series[k].Arm += evil
			r.Series[k].Traffic = evil
		}
	}
	return trend.Analyze(runs, trend.Options{})
}

// AcknowledgedNights are the same, and what became worse is known.
func AcknowledgedNights() trend.History {
	issues, err := gate.ParseKnownIssues("k", []byte("- {arm: off, reason: bug 7, expires: 2026-12-31}"))
	if err != nil {
		panic(err)
	}
	return trend.Analyze(Nights(), trend.Options{Now: time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC), Known: []trend.Known{{Scenario: "loopback-rps", Issues: issues}}})
}
