package html

import (
	"sort"

	"netab/analysis/record"
	"netab/results"
)

// A settingsView is what was changed, and whether it is back.
type settingsView struct {
	Rows     []settingRow
	Restored []results.Setting
	Errors   []string
	Ended    bool
}

type settingRow struct {
	Arm string
	results.Setting
	Trials string // "" = all
}

// Differs says that the kernel did not take the value as asked.
func (r settingRow) Differs() bool { return !r.Took() }

// allArms stands for every arm where a setting is the same in all of them.
const allArms = -1

// newSettings lists each arm's knobs once, or as often as what was read back
// differed between trials; what all arms share stands first.
func newSettings(run *results.Run) settingsView {
	seen := map[settingKey][]int{}
	arms := map[results.Setting]map[int]bool{}
	of := map[int]int{} // trials in which an arm took part
	var order []settingKey
	for _, t := range run.Trials {
		for _, a := range t.Arms {
			of[a.Arm]++
			for _, k := range a.Knobs {
				id := settingKey{a.Arm, k}
				if seen[id] == nil {
					order = append(order, id)
				}
				if arms[k] == nil {
					arms[k] = map[int]bool{}
				}
				arms[k][a.Arm] = true
				seen[id] = append(seen[id], t.Index)
			}
		}
	}
	var v settingsView
	for _, k := range mergeShared(order, arms, len(of)) {
		r := settingRow{Arm: "all arms", Setting: k.Setting}
		if k.arm != allArms {
			r.Arm = record.ArmName(run.Header.Design, k.arm)
			if len(seen[k]) < of[k.arm] {
				r.Trials = numbers(seen[k])
			}
		}
		v.Rows = append(v.Rows, r)
	}
	if run.End != nil {
		v.Ended, v.Restored, v.Errors = true, run.End.Restored, run.End.RestoreErrors
	}
	return v
}

// A settingKey is one setting of one arm.
type settingKey struct {
	arm int
	results.Setting
}

// mergeShared lists settings that all arms have alike once, and the rest by
// arm.
func mergeShared(order []settingKey, arms map[results.Setting]map[int]bool, all int) []settingKey {
	var out []settingKey
	done := map[results.Setting]bool{}
	for _, k := range order {
		if all > 1 && len(arms[k.Setting]) == all {
			if !done[k.Setting] {
				done[k.Setting] = true
				out = append(out, settingKey{allArms, k.Setting})
			}
			continue
		}
		out = append(out, k)
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].arm < out[j].arm })
	return out
}
