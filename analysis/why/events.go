package why

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"netab/analysis/prose"
	"netab/analysis/record"
	"netab/analysis/stat"
	"netab/results"
	"netab/results/vocab"
)

// Events are what trials of events tell of the arms; nil parts were not told.
type Events struct {
	Drops      []Drop
	Scheduling []Scheduling
	Locks      []Lock
	Counted    []Counted
	Watching   *Watching
}

// A Drop is where packets of an arm were thrown away, in all trials of events together.
type Drop struct {
	Arm string `json:"arm"`
	// Reason is the kernel's word (SOCKET_RCVBUFF), "" before Linux 5.17; Place its
	// function.
	Reason string `json:"reason"`
	Place  string `json:"place"`
	// Namespace is the source's, the sink's, or both's; "" = not known.
	Namespace string `json:"namespace,omitempty"`
	Packets   int64  `json:"packets"`
	// Ledger is where the arm's ledger has them; "" = nowhere: there they are
	// unexplained.
	Ledger string `json:"ledger,omitempty"`
}

// A Scheduling is how a role's threads came to run, and to stop. Unit is what the
// figures that say so are per: message, KiB, transaction.
type Scheduling struct {
	Arm         string      `json:"arm"`
	Role        vocab.Owner `json:"role"`
	Unit        string      `json:"unit"`
	Wakeups     float64     `json:"wakeups_per_unit"`
	LatencyP50  *float64    `json:"wake_latency_p50_ns"` // from wake-up to running; nil = it was never woken
	LatencyP99  *float64    `json:"wake_latency_p99_ns"`
	Migrations  float64     `json:"migrations_per_s"`
	Preemptions float64     `json:"preemptions_per_s"`
	PreemptedBy []Preempter `json:"preempted_by,omitempty"`
	Interrupts  []Interrupt `json:"interrupts_sent,omitempty"` // to other CPUs
}

// A Preempter took the CPU of a role: a role, or a process by its name.
type Preempter struct {
	By   string  `json:"by"`
	PerS float64 `json:"per_s"`
}

// An Interrupt is one that is sent to another CPU, by a function, to call another there.
type Interrupt struct {
	From    string  `json:"from"`
	Call    string  `json:"call,omitempty"`
	PerUnit float64 `json:"per_unit"`
}

// A Lock is waiting for one, by who waits.
type Lock struct {
	Arm    string      `json:"arm"`
	Role   vocab.Owner `json:"role"`
	Kind   string      `json:"kind"`
	Lock   string      `json:"lock,omitempty"` // "" = it is in an object of the kernel's
	Caller string      `json:"caller"`
	NS     float64     `json:"ns_per_unit"`
	// PerUnit is how often; nil = not told: by samples.
	PerUnit *float64 `json:"waits_per_unit"`
	Share   float64  `json:"share"` // of the slices' time
	// Sampled: this kernel does not tell of locks, and it is the samples' share of the
	// functions that wait.
	Sampled bool `json:"sampled,omitempty"`
}

// A Counted is what the CPUs' own counters told of a role, where the machine has them;
// a figure that was not counted is nil.
type Counted struct {
	Arm          string      `json:"arm"`
	Role         vocab.Owner `json:"role"`
	Unit         string      `json:"unit"`
	Cycles       *float64    `json:"cycles_per_unit"`
	Instructions *float64    `json:"instructions_per_unit"`
	IPC          *float64    `json:"instructions_per_cycle"`
	CacheRefs    *float64    `json:"cache_references_per_unit"` // of the last level
	CacheMisses  *float64    `json:"cache_misses_per_unit"`
}

// A Watching is how the trials of events were.
type Watching struct {
	Trials int `json:"trials"`
	// Change is what the programs changed the rate by, in the same trials.
	Change   *float64 `json:"change"`
	ChangeLo *float64 `json:"change_lo"`
	ChangeHi *float64 `json:"change_hi"`
	Overflow int64    `json:"overflow,omitempty"` // events that are missing from all figures
	// Withheld says which parts this machine does not tell, and why.
	Withheld map[string]string `json:"withheld,omitempty"`
	// Unexplained says where datagrams are that no counter of the ledgers knows.
	Unexplained []string `json:"unexplained,omitempty"`
	Texts       []string `json:"texts,omitempty"` // what else to know
}

// EventsOf puts the trials of events together.
func EventsOf(run *results.Run) Events {
	w := watched{run: run, d: &run.Header.Design}
	for i := range run.Explains {
		if x := &run.Explains[i]; x.Invalid == "" && x.Instrument == vocab.Events {
			w.trials = append(w.trials, x)
		}
	}
	if len(w.trials) == 0 {
		return Events{Locks: w.sampledLocks()}
	}
	w.sum()
	e := Events{Drops: w.drops(), Scheduling: w.scheduling(), Locks: w.locks(), Counted: w.counted(), Watching: w.watching()}
	if w.withheld["locks"] != "" {
		e.Locks = w.sampledLocks()
	}
	e.Watching.Unexplained = w.unexplained(e.Drops)
	return e
}

// A watched run has trials of events.
type watched struct {
	run      *results.Run
	d        *results.Design
	trials   []*results.Explain
	on       map[int]*sums // by arm, of watched slices
	withheld map[string]string
}

func (w *watched) sum() {
	w.on, w.withheld = map[int]*sums{}, map[string]string{}
	for _, x := range w.trials {
		maps.Copy(w.withheld, x.Withheld)
		for i := range x.Slices {
			s := &x.Slices[i]
			if !s.Watched || s.Invalid != "" || !w.has(s.Arm) {
				continue
			}
			if w.on[s.Arm] == nil {
				w.on[s.Arm] = &sums{}
			}
			w.on[s.Arm].add(s)
		}
	}
}

func (w *watched) has(arm int) bool { return arm >= 0 && arm < len(w.d.Arms) }

func (w *watched) unit(arm int) unit { return unitOf(w.d.Arms[arm], w.d.Arms[arm]) }

// per says how many units, and how many seconds, an arm was watched for; false = none.
func (w *watched) per(arm int) (units, seconds float64, ok bool) {
	s := w.on[arm]
	if s == nil {
		return 0, 0, false
	}
	units, seconds = s.units(w.unit(arm)), s.wall/1e9
	return units, seconds, units > 0 && seconds > 0
}

// otherSpace is the namespace of packets that are none of an arm's.
const otherSpace = "other"

func (w *watched) drops() []Drop {
	total := map[Drop]int64{}
	for _, x := range w.trials {
		for _, d := range x.Drops {
			if w.has(d.Arm) && d.Namespace != otherSpace && d.Packets > 0 {
				total[Drop{Arm: record.ArmName(*w.d, d.Arm), Reason: d.Reason, Place: d.Place, Namespace: d.Namespace, Ledger: ledgerPlace(d.Reason)}] += d.Packets
			}
		}
	}
	var out []Drop
	for d, n := range total {
		d.Packets = n
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Drop) int {
		return cmp.Or(cmp.Compare(a.Arm, b.Arm), cmp.Compare(b.Packets, a.Packets), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Place, b.Place), cmp.Compare(a.Namespace, b.Namespace))
	})
	return out
}

// reasonPlaces are the places of a ledger by the kernel's reasons
// (include/net/dropreason-core.h), by prefix.
var reasonPlaces = []struct{ reason, place string }{
	{"SOCKET_RCVBUFF", vocab.PlaceReceiveBuffer}, {"PROTO_MEM", vocab.PlaceMemory}, {"UDP_CSUM", vocab.PlaceChecksum},
	{"NO_SOCKET", vocab.PlaceNoPort}, {"SOCKET_FILTER", vocab.PlaceSocket}, {"CPU_BACKLOG", vocab.PlaceBacklog},
	{"QDISC_", vocab.PlaceQdisc}, {"FQ_", vocab.PlaceQdisc}, {"CAKE_", vocab.PlaceQdisc}, {"DUALPI2_", vocab.PlaceQdisc}, {"TC_INGRESS", vocab.PlaceFilter},
	{"IP_RPFILTER", vocab.PlaceSinkIP}, {"IP_IN", vocab.PlaceSinkIP}, {"IP_CSUM", vocab.PlaceSinkIP}, {"IP_NOPROTO", vocab.PlaceSinkIP},
	{"FRAG_", vocab.PlaceReassembly}, {"DUP_FRAG", vocab.PlaceReassembly}, {"FULL_RING", vocab.PlaceDevice}, {"DEV_READY", vocab.PlaceDevice},
}

func ledgerPlace(reason string) string {
	for _, r := range reasonPlaces {
		if strings.HasPrefix(reason, r.reason) {
			return r.place
		}
	}
	return ""
}

// unexplained says, of arms whose ledger does not know where datagrams are, which drops
// it does not have.
func (w *watched) unexplained(drops []Drop) (out []string) {
	missing := map[string]int64{}
	for _, x := range w.trials {
		for arm, l := range x.Ledgers {
			if w.has(arm) && l.Valid && l.Unexplained > 0 {
				missing[record.ArmName(*w.d, arm)] += l.Unexplained
			}
		}
	}
	for _, arm := range slices.Sorted(maps.Keys(missing)) {
		var places []string
		named := int64(0)
		for _, d := range drops {
			if d.Arm != arm || d.Ledger != "" {
				continue
			}
			named += d.Packets
			if len(places) < 3 {
				places = append(places, DropName(d)+" "+prose.Grouped(d.Packets))
			}
		}
		text := fmt.Sprintf("Of %s, %s datagrams are at no place of its ledger", arm, prose.Grouped(missing[arm]))
		switch {
		case len(places) == 0 && w.withheld["drops"] != "":
			text += ", and " + w.withheld["drops"]
		case len(places) == 0:
			text += ", and the kernel threw away none that are not there: they were on their way, or it does not tell of them"
		default:
			text += fmt.Sprintf("; the kernel threw away %s packets that are not there either: %s", prose.Grouped(named), strings.Join(places, ", "))
		}
		out = append(out, text+".")
	}
	return out
}

const (
	// notedDrops of an arm stand in a note.
	notedDrops = 2
	// notedLock is the share of the time for which a role waits for a lock that is worth
	// one.
	notedLock = 0.01
)

// notes are what trials of events say of two arms, in short.
func (e *Events) notes(baseline, arm string) (out []string) {
	if e.Watching == nil {
		return nil
	}
	arms := []string{baseline, arm}
	if baseline == "" || baseline == arm {
		arms = arms[1:]
	}
	var thrown []string
	for _, a := range arms {
		var names []string
		for _, d := range e.Drops {
			if d.Arm == a && len(names) < notedDrops {
				names = append(names, DropName(d)+" "+prose.Grouped(d.Packets))
			}
		}
		if len(names) > 0 {
			thrown = append(thrown, a+": "+strings.Join(names, ", "))
		}
	}
	if len(thrown) > 0 {
		out = append(out, "Packets that the kernel threw away, of "+strings.Join(thrown, "; of ")+".")
	}
	var woken []string
	for _, a := range arms {
		for _, s := range e.Scheduling {
			if s.Arm == a && s.Role == vocab.SinkTime && s.LatencyP50 != nil {
				woken = append(woken, fmt.Sprintf("%s %s times a %s, and ran %s later", a, prose.Short(s.Wakeups), s.Unit, prose.Duration(time.Duration(*s.LatencyP50))))
			}
		}
	}
	if len(woken) == len(arms) {
		out = append(out, "The sink was woken, in "+strings.Join(woken, ", in ")+" (in the median).")
	}
	for _, l := range e.Locks {
		if slices.Contains(arms, l.Arm) && l.Share >= notedLock {
			out = append(out, fmt.Sprintf("In %s the %s waits for a %s in %s for %s of the time.", l.Arm, l.Role, l.Kind, strings.TrimSpace(l.Caller+" "+l.Lock), prose.Percent(l.Share)))
		}
	}
	return append(append(out, e.Watching.Unexplained...), e.Watching.Texts...)
}

// DropName is "SOCKET_RCVBUFF in udp_queue_rcv_one_skb".
func DropName(d Drop) string {
	if d.Reason == "" {
		return "in " + d.Place
	}
	return d.Reason + " in " + d.Place
}

func (w *watched) scheduling() []Scheduling {
	type key struct {
		arm  int
		role vocab.Owner
	}
	total := map[key]*results.RoleScheduling{}
	sent := map[key]map[[2]string]int64{}
	for _, x := range w.trials {
		for _, s := range x.Scheduling {
			k := key{s.Arm, s.Role}
			t := total[k]
			if t == nil {
				t = &results.RoleScheduling{PreemptedBy: map[string]int64{}, WakeLatency: &results.Histogram{}}
				total[k] = t
			}
			t.Wakeups, t.Runs, t.Migrations, t.Preemptions = t.Wakeups+s.Wakeups, t.Runs+s.Runs, t.Migrations+s.Migrations, t.Preemptions+s.Preemptions
			for by, n := range s.PreemptedBy {
				t.PreemptedBy[by] += n
			}
			if s.WakeLatency != nil {
				t.WakeLatency.Merge(s.WakeLatency)
			}
		}
		for _, s := range x.Interrupts {
			k := key{s.Arm, s.Role}
			if sent[k] == nil {
				sent[k] = map[[2]string]int64{}
			}
			sent[k][[2]string{s.From, s.Call}] += s.N
		}
	}
	var out []Scheduling
	for _, k := range slices.SortedFunc(maps.Keys(total), func(a, b key) int { return cmp.Or(a.arm-b.arm, cmp.Compare(b.role, a.role)) }) {
		if !w.has(k.arm) {
			continue
		}
		units, seconds, ok := w.per(k.arm)
		if !ok {
			continue
		}
		t := total[k]
		s := Scheduling{Arm: record.ArmName(*w.d, k.arm), Role: k.role, Unit: strings.TrimPrefix(w.unit(k.arm).name, "ns/"),
			Wakeups: float64(t.Wakeups) / units, Migrations: float64(t.Migrations) / seconds, Preemptions: float64(t.Preemptions) / seconds}
		if t.WakeLatency.Count() > 0 {
			p50, p99 := t.WakeLatency.Quantile(0.5), t.WakeLatency.Quantile(0.99)
			s.LatencyP50, s.LatencyP99 = &p50, &p99
		}
		for by, n := range t.PreemptedBy {
			s.PreemptedBy = append(s.PreemptedBy, Preempter{by, float64(n) / seconds})
		}
		slices.SortFunc(s.PreemptedBy, func(a, b Preempter) int { return cmp.Or(cmp.Compare(b.PerS, a.PerS), cmp.Compare(a.By, b.By)) })
		for at, n := range sent[k] {
			s.Interrupts = append(s.Interrupts, Interrupt{at[0], at[1], float64(n) / units})
		}
		slices.SortFunc(s.Interrupts, func(a, b Interrupt) int {
			return cmp.Or(cmp.Compare(b.PerUnit, a.PerUnit), cmp.Compare(a.From, b.From), cmp.Compare(a.Call, b.Call))
		})
		out = append(out, s)
	}
	return out
}

func (w *watched) locks() []Lock {
	type waited struct{ n, ns int64 }
	total := map[results.LockWait]waited{}
	for _, x := range w.trials {
		for _, l := range x.Locks {
			k := l
			k.N, k.NS = 0, 0
			t := total[k]
			total[k] = waited{t.n + l.N, t.ns + l.NS}
		}
	}
	var out []Lock
	for l, t := range total {
		if !w.has(l.Arm) {
			continue
		}
		units, seconds, ok := w.per(l.Arm)
		if !ok {
			continue
		}
		often := float64(t.n) / units
		out = append(out, Lock{Arm: record.ArmName(*w.d, l.Arm), Role: l.Role, Kind: l.Kind, Lock: l.Lock, Caller: l.Caller,
			NS: float64(t.ns) / units, PerUnit: &often, Share: float64(t.ns) / 1e9 / seconds})
	}
	sortLocks(out)
	return out
}

func sortLocks(all []Lock) {
	slices.SortFunc(all, func(a, b Lock) int {
		return cmp.Or(cmp.Compare(a.Arm, b.Arm), cmp.Compare(b.NS, a.NS), cmp.Compare(b.Role, a.Role), cmp.Compare(a.Caller, b.Caller), cmp.Compare(a.Lock, b.Lock), cmp.Compare(a.Kind, b.Kind))
	})
}

// waiters are the functions that wait for a lock, and of what kind, by prefix.
var waiters = []struct{ function, kind string }{
	{"native_queued_spin_lock_slowpath", "spinlock"}, {"queued_spin_lock_slowpath", "spinlock"}, {"__pv_queued_spin_lock_slowpath", "spinlock"},
	{"queued_read_lock_slowpath", "rwlock"}, {"queued_write_lock_slowpath", "rwlock"},
	{"rwsem_down_", "rwsem"}, {"rwsem_optimistic", "rwsem"}, {"__mutex_lock", "mutex"}, {"mutex_spin_on_owner", "mutex"}, {"osq_lock", "mutex"},
}

// sampledLocks are those that samples saw somebody wait for: by the innermost caller
// that is none of locking.
func (w *watched) sampledLocks() []Lock {
	type key struct {
		arm          int
		role         vocab.Owner
		kind, caller string
	}
	total, ns, units := map[key]float64{}, map[int]float64{}, map[int]float64{}
	for i := range w.run.Explains {
		x := &w.run.Explains[i]
		if x.Invalid != "" || x.Samples == nil || x.Samples.EveryNS <= 0 {
			continue
		}
		for j := range x.Slices {
			if s := &x.Slices[j]; s.Source != nil && s.Invalid == "" && w.has(s.Arm) {
				ns[s.Arm] += float64(s.CountedNS)
				units[s.Arm] += w.unit(s.Arm).of(&s.Counts)
			}
		}
		for _, s := range x.Samples.Stacks {
			var stack []string
			for _, f := range s.Frames {
				stack = append(stack, x.Samples.Functions[f])
			}
			if kind, caller := waitOf(stack); kind != "" {
				total[key{s.Arm, x.Samples.Role, kind, caller}] += float64(s.N) * float64(x.Samples.EveryNS)
			}
		}
	}
	var out []Lock
	for k, waited := range total {
		if !w.has(k.arm) || units[k.arm] <= 0 || ns[k.arm] <= 0 {
			continue
		}
		out = append(out, Lock{Arm: record.ArmName(*w.d, k.arm), Role: k.role, Kind: k.kind, Caller: k.caller, NS: waited / units[k.arm], Share: waited / ns[k.arm], Sampled: true})
	}
	sortLocks(out)
	return out
}

// waitOf says for what kind of lock a stack waits, and who; "" = for none.
func waitOf(stack []string) (kind, caller string) {
	at := slices.IndexFunc(stack, func(name string) bool {
		i := slices.IndexFunc(waiters, func(w struct{ function, kind string }) bool { return strings.HasPrefix(name, w.function) })
		if i >= 0 {
			kind = waiters[i].kind
		}
		return i >= 0
	})
	if at < 0 || at > 2 { // further out it is what called the interrupt that was seen
		return "", ""
	}
	for _, name := range stack[at:] {
		if theRules().category(name) != "locks" {
			return kind, name
		}
	}
	return kind, "[unknown]"
}

// counted is of slices in which nothing else was watched.
func (w *watched) counted() (out []Counted) {
	for arm := range w.d.Arms {
		for r, role := range roles {
			var units float64
			var sum [4]*float64
			n := 0
			for _, x := range w.trials {
				for i := range x.Slices {
					s := &x.Slices[i]
					h := s.SourceCounted
					if r == 1 {
						h = s.SinkCounted
					}
					if s.Arm != arm || s.Watched || s.Between || s.Invalid != "" || h == nil {
						continue
					}
					units += w.unit(arm).of(&s.Counts)
					for k, v := range []*int64{h.Cycles, h.Instructions, h.CacheRefs, h.CacheMisses} {
						switch {
						case v == nil: // of one slice without, the sum is not of all
							sum[k] = nil
						case n == 0:
							sum[k] = new(float64(*v))
						case sum[k] != nil:
							*sum[k] += float64(*v)
						}
					}
					n++
				}
			}
			if n == 0 || units <= 0 {
				continue
			}
			c := Counted{Arm: record.ArmName(*w.d, arm), Role: role, Unit: strings.TrimPrefix(w.unit(arm).name, "ns/")}
			if sum[0] != nil && sum[1] != nil && *sum[0] > 0 {
				c.IPC = new(*sum[1] / *sum[0])
			}
			for k, to := range []**float64{&c.Cycles, &c.Instructions, &c.CacheRefs, &c.CacheMisses} {
				if sum[k] != nil {
					*to = new(*sum[k] / units)
				}
			}
			out = append(out, c)
		}
	}
	return out
}

// watching says how it was, and what it cost.
func (w *watched) watching() *Watching {
	out := &Watching{Trials: len(w.trials)}
	if len(w.withheld) > 0 {
		out.Withheld = w.withheld
	}
	var changes []float64
	for _, x := range w.trials {
		out.Overflow += x.Overflow
		var on, off = map[int]*sums{}, map[int]*sums{}
		for i := range x.Slices {
			s := &x.Slices[i]
			if s.Between || s.Invalid != "" || !w.has(s.Arm) {
				continue
			}
			at := off
			if s.Watched {
				at = on
			}
			if at[s.Arm] == nil {
				at[s.Arm] = &sums{}
			}
			at[s.Arm].add(s)
		}
		total, n := 0.0, 0.0
		for arm, a := range on {
			u := w.unit(arm)
			if b := off[arm]; b != nil && a.units(u) > 0 && b.units(u) > 0 {
				total += math.Log(a.units(u)/a.wall) - math.Log(b.units(u)/b.wall)
				n++
			}
		}
		if n > 0 {
			changes = append(changes, total/n)
		}
	}
	if s := stat.NewSample(changes); s.N >= fewestTrials {
		in := s.Interval(1 - confidence(w.d.Confidence))
		mean, lo, hi := math.Expm1(s.Mean), math.Expm1(in.Lo), math.Expm1(in.Hi)
		out.Change, out.ChangeLo, out.ChangeHi = &mean, &lo, &hi
	}
	for _, part := range slices.Sorted(maps.Keys(w.withheld)) {
		out.Texts = append(out.Texts, fmt.Sprintf("Not told: %s: %s.", part, w.withheld[part]))
	}
	return out
}
