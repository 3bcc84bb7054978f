package report

import (
	"netab/analysis"
	"netab/analysis/prose"
)

// An EventRow is one kind of event of one role of an arm.
type EventRow struct {
	Arm, Role, Name string
	Count           int64
	Meaning         string
}

func (r EventRow) text() string {
	text := r.Arm + ", " + r.Role + ": " + prose.Grouped(r.Count) + " " + r.Name
	if r.Meaning != "" {
		text += ": " + r.Meaning
	}
	return text
}

// EventRows lists what else happened to the roles of the arms.
func EventRows(s analysis.Summary) []EventRow {
	var rows []EventRow
	for _, a := range s.Arms {
		for _, e := range a.Events {
			role := e.Role
			if e.Of != "" {
				role += " of " + e.Of
			}
			rows = append(rows, EventRow{ArmLabel(a), role, e.Name, e.Count, e.Meaning})
		}
	}
	return rows
}
