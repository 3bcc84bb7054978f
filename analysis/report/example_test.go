package report_test

import (
	"fmt"
	"os"

	"netab/analysis"
	"netab/analysis/report"
	"netab/analysis/report/export"
	"netab/results"
)

func level(unit string, mean, half float64) analysis.Level {
	return analysis.Level{Unit: unit, Mean: mean, Lo: mean - half, Hi: mean + half, N: 9}
}

func summary() analysis.Summary {
	return analysis.Summary{
		Scenario: "loopback-rps", Question: "Does receive packet steering on loopback make one TCP flow faster?",
		Answer: "Against off (42.3 Gbit/s), goodput is 7.3 % higher with sink (+5.9 to +8.8 %, 95 % confidence).",
		Run:    "20260314T092653-loopback-rps", Seed: 7, Kernel: "6.18.2", Trials: 9, DurationS: 31, MeasuredS: 24.5, Confidence: 0.95, Resolution: 0.01,
		Arms: []analysis.ArmSummary{
			{Name: "off", Metrics: map[string]analysis.Level{"goodput": level("bit/s", 42.31e9, 0.61e9), "cpu_source": level("CPU", 0.98, 0.012), "cpu_sink": level("CPU", 0.71, 0.015)}},
			{Name: "sink", Metrics: map[string]analysis.Level{"goodput": level("bit/s", 45.4e9, 0.7e9), "cpu_source": level("CPU", 0.99, 0.011), "cpu_sink": level("CPU", 0.88, 0.013)}},
		},
		Comparisons: []analysis.Comparison{{Baseline: "off", Arm: "sink", Metric: "goodput", Judged: true, Change: 0.073, Lo: 0.059, Hi: 0.088, Verdict: analysis.Improvement, N: 9}},
		Warnings:    []results.Warning{{Code: "cpu-steal", Text: "steal took 1.4 % of CPU 0: neighbours are busy; run again later or on another machine"}},
	}
}

func ExampleSummary() {
	if err := export.Text(os.Stdout, report.Summary(summary()), export.Options{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// Does receive packet steering on loopback make one TCP flow faster?
	//
	// Against off (42.3 Gbit/s), goodput is 7.3 % higher with sink (+5.9 to +8.8 %, 95 % confidence).
	//
	//          goodput          change                             CPU
	// Arm   Gbit/s     ±     %      interval  verdict        source    sink
	// off    42.31  0.61                        baseline     98.0 %  71.0 %
	// sink   45.40  0.70  +7.3  +5.9 to +8.8  ▲ improvement  99.0 %  88.0 %
	//
	// 95 % confidence, resolution 1 %; 9 trials, 24 s counted in 31 s; kernel 6.18.2.
	//
	// warning: steal took 1.4 % of CPU 0: neighbours are busy; run again later or on another machine
	//     [cpu-steal]
}

func ExampleSummary_markdown() {
	if err := export.Markdown(os.Stdout, report.Summary(summary()), export.Options{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// ### Does receive packet steering on loopback make one TCP flow faster?
	//
	// Against off (42.3 Gbit/s), goodput is 7.3 % higher with sink (+5.9 to +8.8 %, 95 % confidence).
	//
	// | Arm | goodput Gbit/s | goodput ± | change % | change interval | verdict | CPU source | CPU sink |
	// | --- | ---: | ---: | ---: | ---: | --- | ---: | ---: |
	// | off | 42.31 | 0.61 |  |  | baseline | 98.0 % | 71.0 % |
	// | sink | 45.40 | 0.70 | +7.3 | +5.9 to +8.8 | ▲ improvement | 99.0 % | 88.0 % |
	//
	// 95 % confidence, resolution 1 %; 9 trials, 24 s counted in 31 s; kernel 6.18.2. Run `20260314T092653-loopback-rps`, seed 7.
	//
	// - ⚠ steal took 1.4 % of CPU 0: neighbours are busy; run again later or on another machine (`cpu-steal`)
}
