package scenarios

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
	"time"
)

// A draft is an arm before CPU sets are resolved.
type draft struct {
	name   string
	levels []ArmLevel
	cfg    Config
	where  positions
}

// Expand makes the arms of a scenario, in order: explicit ones as written, of
// a matrix the product with the first factor varying slowest, else one arm
// with the scenario's name. Defaults are filled in and CPU sets resolved
// against cpus. The error is Errors.
func Expand(s *Scenario, cpus CPUs) ([]Arm, error) {
	d := newDecoder(s.sources)
	maps.Copy(d.where, s.where)
	drafts := s.chosen(d, s.drafts(d))
	s.check(d, drafts)
	arms := make([]Arm, 0, len(drafts))
	for _, dr := range drafts {
		arms = append(arms, dr.resolve(d, cpus))
	}
	if err := d.errs.err(); err != nil {
		return nil, err
	}
	return arms, nil
}

// Unplaced makes the arms as Expand does, but of no machine: CPUs and Knobs,
// which take CPU sets resolved, are left empty.
func Unplaced(s *Scenario) ([]Arm, error) {
	d := newDecoder(s.sources)
	maps.Copy(d.where, s.where)
	var arms []Arm
	for _, dr := range s.chosen(d, s.drafts(d)) {
		arms = append(arms, Arm{Name: dr.name, Levels: dr.levels, Config: dr.cfg})
	}
	return arms, d.errs.err()
}

// drafts lays the overlays over the common configuration.
func (s *Scenario) drafts(d *decoder) []draft {
	if len(s.Arms) > 0 && len(s.Matrix) > 0 {
		d.fail(s.where.at("arms"), "a scenario has both matrix and arms", "keep one; a factor {path: ., levels: {...}} can hold what arms hold")
		return nil
	}
	if len(s.Matrix) > 0 {
		return s.product(d)
	}
	if len(s.Arms) == 0 {
		return []draft{s.draft(d, s.Name, s.where.at(""), nil)}
	}
	var out []draft
	for _, arm := range s.Arms {
		out = append(out, s.draft(d, arm.Name, arm.pos, nil, arm.overlay()))
	}
	return out
}

// product combines the levels of all factors.
func (s *Scenario) product(d *decoder) []draft {
	count := 1
	if len(s.Matrix) > maxFactors { // --set may have added some
		d.fail(s.where.at("matrix"), fmt.Sprintf("%d factors are too many", len(s.Matrix)), fmt.Sprintf("want at most %d", maxFactors))
		return nil
	}
	for _, f := range s.Matrix {
		count *= len(f.Levels)
		if count > maxArms {
			d.fail(s.where.at("matrix"), fmt.Sprintf("the matrix makes more than %d arms", maxArms), "use fewer levels, or several scenarios")
			return nil
		}
	}
	var out []draft
	for i := range count {
		var names []string
		var levels []ArmLevel
		var overlays []*node
		pos, rest := s.where.at("matrix"), count
		for _, f := range s.Matrix {
			rest /= len(f.Levels)
			level := f.Levels[i/rest%len(f.Levels)]
			names = append(names, f.Name+"="+level.Name)
			levels = append(levels, ArmLevel{f.Name, level.Name})
			overlays = append(overlays, level.overlay(f))
		}
		name := strings.Join(names, ",")
		if !d.short(pos, fmt.Sprintf("matrix: arm %s has a name", name), name, maxLabel) {
			return nil
		}
		out = append(out, s.draft(d, name, pos, levels, overlays...))
	}
	return out
}

// longestRoundTrip is how long netem holds back a packet and its answer in some arm.
func longestRoundTrip(drafts []draft) (d time.Duration) {
	for _, dr := range drafts {
		d = max(d, dr.cfg.Knobs.RoundTrip())
	}
	return d
}

func topologiesOf(drafts []draft) []Topology {
	var out []Topology
	for _, dr := range drafts {
		out = append(out, dr.cfg.Topology)
	}
	return out
}

// draft makes one arm.
func (s *Scenario) draft(d *decoder, name string, pos Pos, levels []ArmLevel, overlays ...*node) draft {
	out := draft{name: name, levels: levels, cfg: s.Config.clone(), where: maps.Clone(s.where)}
	if out.where == nil {
		out.where = positions{}
	}
	common := d.where
	d.where = out.where
	for _, overlay := range overlays {
		d.structure(overlay, reflect.ValueOf(&out.cfg).Elem(), "")
	}
	d.where = common
	out.where[""] = pos
	out.cfg = out.cfg.withDefaults()
	return out
}

// clone is c with maps of its own.
func (c Config) clone() Config {
	c.Traffic = c.Traffic.clone()
	c.Knobs.Sysctl = maps.Clone(c.Knobs.Sysctl)
	c.Knobs.IRQ = maps.Clone(c.Knobs.IRQ)
	c.Knobs.Device = maps.Clone(c.Knobs.Device)
	for name, dev := range c.Knobs.Device {
		c.Knobs.Device[name] = dev.clone()
	}
	return c
}

func (t Traffic) clone() Traffic {
	t.Sizes = maps.Clone(t.Sizes)
	if t.LossFree != nil {
		bounds := *t.LossFree
		t.LossFree = &bounds
	}
	t.Beside = maps.Clone(t.Beside)
	for name, beside := range t.Beside {
		t.Beside[name] = beside.clone()
	}
	return t
}

// resolve finds the CPUs of the roles and flattens the knobs.
func (dr draft) resolve(d *decoder, cpus CPUs) Arm {
	arm := Arm{Name: dr.name, Levels: dr.levels, Config: dr.cfg}
	r := resolver{d: d, draft: dr, cpus: cpus}
	placed, ok := r.place()
	if !ok {
		return arm
	}
	arm.CPUs = placed
	r.source, r.sink = placed.Source, placed.Sink
	arm.Knobs = r.knobs()
	return arm
}
