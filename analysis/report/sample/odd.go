package sample

import "netab/results"

// Damaged refers to arms that the design does not have.
func Damaged() *results.Run {
	run := UDPWorld().Run()
	run.Trials = append(run.Trials, results.Trial{Index: 99, Slices: []results.Slice{{Arm: 7, Block: 1 << 40}, {Arm: -1}}, Arms: []results.ArmTrial{{Arm: 9}, {Arm: -2}}})
	run.End = nil
	return run
}

// FirstTrials is a run that was cut off after so many trials.
func FirstTrials(n int) *results.Run {
	run := TCPWorld().Run()
	run.Trials, run.End = run.Trials[:n], nil
	return run
}

// OneArm is a run that compares nothing.
func OneArm() *results.Run {
	w := TCPWorld()
	w.Design.Arms, w.Design.Baseline = w.Design.Arms[:1], ""
	run := w.Run()
	return run
}
