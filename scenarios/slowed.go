package scenarios

// Names of the arms of Slowed.
const (
	ArmOff    = "off"
	ArmSlower = "slower"
)

// Slowed is a scenario of two arms: one of s's arms as it is, and with its
// sources slowed down by a share (none: an A/A test), judged by s's headline
// metric. Faults are those of the arm's traffic that cannot be slowed down.
func Slowed(s *Scenario, arm Arm, share Fraction) (*Scenario, error) {
	slower := map[string]any{}
	if share > 0 {
		slower = map[string]any{"traffic": map[string]any{"source": map[string]any{"slowdown": float64(share)}}}
	}
	out := &Scenario{
		Name: s.Name, Question: "What does slowing down the source do to " + s.Name + "?",
		Config:  arm.Config.clone(),
		Arms:    Arms{{Name: ArmOff}, {Name: ArmSlower, Overlay: slower}},
		Measure: s.Measure,
		where:   positions{}, sources: s.sources,
	}
	out.Measure.Metrics = s.Measure.Metrics[:1]
	if s.Defaulted("measure.trial") {
		out.Measure.Trial = 0
	}
	return out.finish(newDecoder(out.sources), nil)
}
