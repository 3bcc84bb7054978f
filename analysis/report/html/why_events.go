package html

import (
	"fmt"
	"strings"

	"netab/analysis"
	"netab/analysis/prose"
	"netab/analysis/why"
)

// A watchedView is what trials of events told: drops by place, how roles came to run, and
// which locks they waited for.
type watchedView struct {
	Drops     []dropRow
	Scheduled []scheduledRow
	Sent      []sentRow
	Locks     []lockRow
	Counted   []countedRow
	Left      string // what has no room
	Notes     []string
}

type dropRow struct{ Arm, Reason, Place, Namespace, Ledger, Packets string }

type scheduledRow struct{ Arm, Role, Wakeups, P50, P99, Migrations, Preemptions, By string }

type sentRow struct{ Arm, Role, From, Call, Often string }

type lockRow struct{ Arm, Role, Kind, Lock, Caller, Time, Often, Share string }

type countedRow struct{ Arm, Role, Cycles, Instructions, IPC, References, Misses string }

// Bounds of each table: readers look at what there was most of.
const (
	mostWatched = 40
	mostSent    = 3 // of a role
	mostBy      = 3
)

// newWatchedView shows the trials of events of a run; nil = nothing was told.
func newWatchedView(s analysis.Summary) *watchedView {
	v := &watchedView{}
	var left []string
	room := func(n int, what string) int {
		if n > mostWatched {
			left = append(left, prose.Counted(n-mostWatched, what))
		}
		return min(n, mostWatched)
	}
	for _, d := range s.Drops[:room(len(s.Drops), "place of drops")] {
		ledger := d.Ledger
		if ledger == "" {
			ledger = "at no place of it"
		}
		v.Drops = append(v.Drops, dropRow{d.Arm, d.Reason, d.Place, d.Namespace, ledger, prose.Grouped(d.Packets)})
	}
	for _, x := range s.Scheduling[:room(len(s.Scheduling), "role")] {
		row := scheduledRow{Arm: x.Arm, Role: string(x.Role), Wakeups: perUnit(x.Wakeups, x.Unit), P50: microseconds(x.LatencyP50), P99: microseconds(x.LatencyP99),
			Migrations: prose.Number(x.Migrations), Preemptions: prose.Number(x.Preemptions)}
		var by []string
		for _, p := range x.PreemptedBy[:min(len(x.PreemptedBy), mostBy)] {
			by = append(by, fmt.Sprintf("%s %s", p.By, prose.Number(p.PerS)))
		}
		row.By = strings.Join(by, ", ")
		v.Scheduled = append(v.Scheduled, row)
		for _, i := range x.Interrupts[:min(len(x.Interrupts), mostSent)] {
			call := i.Call
			if call == "" {
				call = "it wakes the CPU"
			}
			v.Sent = append(v.Sent, sentRow{x.Arm, string(x.Role), i.From, call, perUnit(i.PerUnit, x.Unit)})
		}
	}
	v.Sent = v.Sent[:room(len(v.Sent), "sender of interrupts")]
	for _, l := range s.Locks[:room(len(s.Locks), "lock")] {
		row := lockRow{Arm: l.Arm, Role: string(l.Role), Kind: l.Kind, Lock: l.Lock, Caller: l.Caller, Time: prose.Number(l.NS), Share: prose.ShortPercent(l.Share)}
		if row.Lock == "" {
			row.Lock = "in an object"
		}
		if l.PerUnit != nil {
			row.Often = prose.Short(*l.PerUnit)
		} else if l.Sampled {
			row.Often = "by samples"
		}
		v.Locks = append(v.Locks, row)
	}
	for _, c := range s.Counted[:room(len(s.Counted), "role with counters")] {
		v.Counted = append(v.Counted, countedRow{c.Arm, string(c.Role), figureOf(c.Cycles), figureOf(c.Instructions), figureOf(c.IPC), figureOf(c.CacheRefs), figureOf(c.CacheMisses)})
	}
	if w := s.Watching; w != nil {
		v.Notes = watchingNotes(w)
	}
	if len(v.Drops)+len(v.Scheduled)+len(v.Locks)+len(v.Counted)+len(v.Notes) == 0 {
		return nil
	}
	v.Left = strings.Join(left, ", ")
	return v
}

func watchingNotes(w *why.Watching) []string {
	text := fmt.Sprintf("Of %s of their own", prose.Counted(w.Trials, "trial"))
	if w.Change != nil {
		text += fmt.Sprintf("; watching changed the rate by %s (%s)", prose.Change(*w.Change, false), prose.Interval(*w.ChangeLo, *w.ChangeHi, false))
	}
	if w.Overflow > 0 {
		text += fmt.Sprintf("; %s events found no room, and are missing from all figures", prose.Grouped(w.Overflow))
	}
	return append(append([]string{}, w.Texts...), text+".")
}

func perUnit(x float64, unit string) string { return prose.Short(x) + " a " + unit }

func microseconds(ns *float64) string {
	if ns == nil {
		return ""
	}
	return prose.Number(*ns / 1000)
}

func figureOf(x *float64) string {
	if x == nil {
		return ""
	}
	return prose.Number(*x)
}
