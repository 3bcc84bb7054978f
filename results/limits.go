package results

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"netab/results/cpulist"
)

// The limits of a run file, far above what netab writes. Files come from others:
// a number that is read is used as an index, a size or a length of time, and is
// added up, so each is held against these before anything else sees it. A number
// that is not named here has the limits of its kind, so that a new field cannot
// be without.
const (
	maxFile   = 4 << 30  // bytes
	maxLine   = 64 << 20 // bytes; a trial of 1,000 flows has 1 MiB
	maxTrials = 1 << 20
	maxArms   = 1000
	maxCPU    = cpulist.Max + 1

	// maxNumber is what else one number may be: exact in every reader of JSON, 104
	// days of ns, nine petabytes.
	maxNumber = 1 << 53
	// maxTotal is what all numbers of one name may come to, with their signs left
	// off: two such sums still do not wrap.
	maxTotal = 1 << 61
)

// A span is what a number may be, ends included.
type span struct{ least, most float64 }

var spans = map[string]span{
	"index":            {0, maxTrials - 1},
	"trials":           {0, maxTrials},
	"session":          {0, maxTrials},
	"sessions":         {0, maxTrials},
	"spread_s":         {0, 1e9},
	"arm":              {0, maxArms - 1},
	"order":            {0, maxArms - 1},
	"rested":           {0, maxArms - 1},
	"block":            {0, math.MaxInt32},
	"blocks_per_trial": {0, math.MaxInt32},
	"flows":            {0, 1 << 20},
	"threads":          {0, 1 << 20},
	"source_port":      {-1, math.MaxUint16},
	"sink_port":        {-1, math.MaxUint16},
	"cpu":              {0, maxCPU},
	"pinned":           {0, maxCPU},
	"sampled_cpus":     {0, maxCPU},
	"source_cpu":       {-1, maxCPU},
	"sink_cpu":         {-1, maxCPU},
	"cpus_online":      {0, maxCPU},
	"cpu_quota":        {0, maxCPU},
	"threads_per_core": {0, maxCPU},
	"sockets":          {0, maxCPU},
	"numa_nodes":       {0, maxCPU},
	"message_bytes":    {0, 1 << 40},
	"mhz":              {0, 1e7},
	"confidence":       {0, 1},
	"loss_free":        {0, 1},
	"resolution":       {0, 1e6},
	"width":            {0, 1e6},
	"fraction":         {0, 1e6},
	"alpha":            {0, 1},
	"max_time_s":       {0, 1e9}, // as a time.Duration too
	"elapsed_s":        {0, 1e9},
	"start_ns":         {0, maxNumber},
	"over_ns":          {0, maxNumber},
	"every_blocks":     {1, math.MaxInt32},
	"counted_ns":       {0, maxNumber},
	"run_ns":           {0, maxNumber},
	"slice_ns":         {0, maxNumber},
	"settle_ns":        {0, maxNumber},
	"warmup_ns":        {0, maxNumber},
	"lead_ns":          {0, maxNumber},
	"number":           {0, maxBoots - 1}, // of a boot, as are the next
	"attempt":          {1, maxAttempts},
	"kernel":           {0, maxKernels - 1},
	"memory_mib":       {0, 1 << 30},
	"guest_cpus":       {0, maxCPU},
	"turn_ms":          {0, 1 << 30},
	"together":         {0, maxTrials},
	"kind":             {0, maxCountKinds - 1}, // of a count, as are the next
	"instructions":     {0, maxNumber},
	"n":                {0, maxNumber},
	"units":            {0, maxNumber},
	"part":             {1, maxArms}, // of a shard, as are the next
	"parts":            {2, maxArms},
	"compared_arms":    {1, maxArms},
}

// keys of maps by CPU; -1 is a CPU that the kernel did not tell.
var keys = span{-1, maxCPU}

// An outOfRange is the fault of one number, or of how many there are of
// something.
type outOfRange struct{ at, text string }

func (o *outOfRange) Error() string { return o.at + ": " + o.text }

// under says in what the fault is.
func (o *outOfRange) under(at string) *outOfRange {
	if at != "" && o.at != "" && o.at[0] != '[' { // "": of an embedded struct, whose fields stand beside it
		at += "."
	}
	o.at = at + o.at
	return o
}

// totals add up the numbers of a whole file, by their name.
type totals map[string]float64

func (t totals) header(h *Header) error {
	if n := len(h.Design.Arms); n > maxArms {
		return &outOfRange{"design.arms", fmt.Sprintf("%d arms, where %d at most are read", n, maxArms)}
	}
	return t.check(h)
}

func (t totals) end(e *End) error { return t.check(e) }

// trial holds a trial of a design of so many arms against the limits.
func (t totals) trial(trial *Trial, arms int) error {
	if err := t.check(trial); err != nil {
		return err
	}
	none := func(at string, i, arm int) error { return noArm(at, i, arm, arms) }
	for i, arm := range trial.Order {
		if arm >= arms {
			return none("order[%d]", i, arm)
		}
	}
	for i := range trial.Slices {
		if arm := trial.Slices[i].Arm; arm >= arms {
			return none("slices[%d].arm", i, arm)
		}
	}
	for i := range trial.Arms {
		if arm := trial.Arms[i].Arm; arm >= arms {
			return none("arms[%d].arm", i, arm)
		}
	}
	return nil
}

func noArm(at string, i, arm, arms int) error {
	return &outOfRange{fmt.Sprintf(at, i), fmt.Sprintf("%d is out of range: the design has %d arms", arm, arms)}
}

// check holds all numbers of a record against the limits.
func (t totals) check(record any) error {
	v := reflect.ValueOf(record).Elem()
	if fault := checkOf(v.Type(), "")(v, t); fault != nil {
		return fault
	}
	return nil
}

// A check looks at a value of one type at one place of a record; nil has nothing
// to look at.
type check func(v reflect.Value, t totals) *outOfRange

type placed struct {
	reflect.Type
	name string
}

var checks sync.Map // placed -> check

// checkOf is the check of a type that stands under a name.
func checkOf(t reflect.Type, name string) check {
	at := placed{t, name}
	if known, ok := checks.Load(at); ok {
		return known.(check)
	}
	made := makeCheck(t, name)
	checks.Store(at, made)
	return made
}

func makeCheck(t reflect.Type, name string) check {
	switch t.Kind() {
	case reflect.Int, reflect.Int64:
		limit := spanOf(name)
		return func(v reflect.Value, t totals) *outOfRange {
			return t.add(name, float64(v.Int()), limit, func() string { return strconv.FormatInt(v.Int(), 10) })
		}
	case reflect.Float64:
		limit := spanOf(name)
		return func(v reflect.Value, t totals) *outOfRange {
			return t.add(name, v.Float(), limit, func() string { return strconv.FormatFloat(v.Float(), 'g', 4, 64) })
		}
	case reflect.Pointer:
		if of := checkOf(t.Elem(), name); of != nil {
			return func(v reflect.Value, t totals) *outOfRange {
				if v.IsNil() {
					return nil
				}
				return of(v.Elem(), t)
			}
		}
	case reflect.Slice:
		if of := checkOf(t.Elem(), name); of != nil {
			return func(v reflect.Value, t totals) *outOfRange { return checkList(v, t, of) }
		}
	case reflect.Map:
		return checkMap(checkOf(t.Elem(), name), t.Key().Kind() == reflect.Int)
	case reflect.Struct:
		return checkStruct(t, name)
	}
	return nil
}

func spanOf(name string) span {
	if limit, ok := spans[name]; ok {
		return limit
	}
	return span{-maxNumber, maxNumber}
}

// add holds a number against its limits and adds it up.
func (t totals) add(name string, x float64, limit span, shown func() string) *outOfRange {
	if !(x >= limit.least && x <= limit.most) {
		return &outOfRange{text: fmt.Sprintf("%s is out of range (%.16g to %.16g)", shown(), limit.least, limit.most)}
	}
	if t[name] += math.Abs(x); t[name] > maxTotal {
		return &outOfRange{text: fmt.Sprintf("all of these together are out of range: more than %.3g", float64(maxTotal))}
	}
	return nil
}

func checkList(v reflect.Value, t totals, of check) *outOfRange {
	for i := range v.Len() {
		if fault := of(v.Index(i), t); fault != nil {
			return fault.under("[" + strconv.Itoa(i) + "]")
		}
	}
	return nil
}

func checkMap(of check, byCPU bool) check {
	if of == nil && !byCPU {
		return nil
	}
	return func(v reflect.Value, t totals) *outOfRange {
		for each := v.MapRange(); each.Next(); {
			key := fmt.Sprintf("[%v]", each.Key())
			if byCPU {
				if cpu := float64(each.Key().Int()); cpu < keys.least || cpu > keys.most {
					return &outOfRange{key, fmt.Sprintf("CPU %v is out of range (0 to %d)", each.Key(), maxCPU)}
				}
			}
			if of == nil {
				continue
			}
			if fault := of(each.Value(), t); fault != nil {
				return fault.under(key)
			}
		}
		return nil
	}
}

func checkStruct(t reflect.Type, name string) check {
	switch t {
	case reflect.TypeFor[time.Time]():
		return nil
	case reflect.TypeFor[Histogram]():
		return checkHistogram(name)
	}
	type field struct {
		index int
		name  string
		check
	}
	var fields []field
	for i := range t.NumField() {
		tag, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if tag == "-" || !t.Field(i).IsExported() {
			continue
		}
		if of := checkOf(t.Field(i).Type, tag); of != nil {
			fields = append(fields, field{i, tag, of})
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return func(v reflect.Value, t totals) *outOfRange {
		for _, f := range fields {
			if fault := f.check(v.Field(f.index), t); fault != nil {
				return fault.under(f.name)
			}
		}
		return nil
	}
}

// checkHistogram adds up how many are in it: each was bounded when it was
// decoded, and they are merged.
func checkHistogram(name string) check {
	return func(v reflect.Value, t totals) *outOfRange {
		h := v.Addr().Interface().(*Histogram)
		count := h.Count()
		return t.add(name, float64(count), span{0, maxNumber}, func() string { return strconv.FormatInt(count, 10) })
	}
}
