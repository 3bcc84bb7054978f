package plan

import (
	"fmt"
	"strings"
	"time"

	"netab/analysis"
	"netab/analysis/calibration"
	"netab/analysis/prose"
	"netab/results"
)

// Foretell says how long the question will take, by what is known of this machine.
func (p *Plan) Foretell(known []*results.Calibration) {
	if len(known) == 0 {
		return
	}
	sd, trial, of := calibration.Scatter(known, p.design)
	p.calibrated = of
	if f := analysis.Predict(p.design, sd, trial); f.Trials > 0 {
		p.Forecast = &f
	}
}

// forecast says it in words.
func (p *Plan) forecast() string {
	f, of := p.Forecast, strings.Join(p.calibrated, ", ")
	switch {
	case len(p.calibrated) == 0:
		return "how long that takes is not known: this machine is not calibrated (netab calibrate)"
	case f == nil: // no two runs undisturbed, or a scatter that no time averages out
		return fmt.Sprintf("how long that takes is not known: the calibration of %s cannot tell; calibrate again on a quiet machine (netab calibrate)", of)
	}
	text := fmt.Sprintf("about %v for %.3g %% (%s), by the calibration of %s", f.Time.Round(time.Second), 100*p.design.Resolution, prose.Counted(f.Trials, "trial"), of)
	if !f.Within {
		text += ": more than --max-time allows"
	}
	return text
}
