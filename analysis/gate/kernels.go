package gate

import (
	"fmt"

	"netab/analysis"
)

// kernelChecks are a gate's, of how often kernels failed, and of those that measured
// nothing.
func kernelChecks(s *analysis.Summary) (out []Check) {
	if s.Campaign == nil {
		return nil
	}
	base := &s.Campaign.Kernels[0]
	for _, side := range s.Campaign.Kernels[1:] {
		k := Check{Arm: side.Label, Metric: "boots", Outcome: Undecided}
		against := fmt.Sprintf("%s in %d of %d", base.Label, base.Failed, base.Failed+base.Whole)
		switch {
		case side.Verdict != "":
			k.Plain = fmt.Sprintf("Kernel %s failed in %s (%s), %s.", side.Label, side.FailedOf(), side.Reason, against)
			k.Method = fmt.Sprintf("Fisher's exact test over boots, n = %d + %d, alpha = %.3g, p = %.2g", base.Failed+base.Whole, side.Failed+side.Whole, side.Alpha, *side.P)
			if side.Verdict == analysis.Regression {
				k.Outcome = Worse
			}
		case side.Whole == 0:
			k.Plain = fmt.Sprintf("Kernel %s measured nothing, so nothing is known of it.", side.Label)
		case base.Failed+side.Failed > 0:
			k.Outcome = Passed
			k.Plain = fmt.Sprintf("Kernel %s failed no oftener than %s: in %s, %s.", side.Label, base.Label, side.FailedOf(), against)
		default:
			continue
		}
		out = append(out, k)
	}
	return out
}
