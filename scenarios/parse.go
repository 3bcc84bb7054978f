package scenarios

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"strings"
)

// Parse reads a scenario file. file names it in errors and, if the scenario
// has no name of its own, gives it one. The error is Errors with all faults of
// the file.
func Parse(file string, src []byte) (*Scenario, error) {
	return ParseWith(file, src, nil)
}

// ParseWith is Parse with overrides laid over the file, in the order given.
// Each is "path=value": "traffic.message=64",
// "knobs.sysctl.net.core.netdev_budget=600", "matrix.traffic.message=[64,1K]",
// "arms.sink.traffic.flows=4". Positions in them are --set:N:COLUMN.
func ParseWith(file string, src []byte, sets []string) (*Scenario, error) {
	return ParseFile(file, src, Sets(sets))
}

// ParseFile is ParseWith with overrides by any flags.
func ParseFile(file string, src []byte, typed []Typed) (*Scenario, error) {
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	s := &Scenario{sources: sources{file: strings.Split(string(src), "\n")}}
	d := newDecoder(s.sources)
	if len(src) > MaxFile {
		d.src = nil // nothing of it is worth showing
		d.fail(Pos{file, 1, 1}, "this is too large for a scenario", fmt.Sprintf("want a file of at most %d bytes", MaxFile))
		return nil, d.errs.err()
	}
	root := readTree(func(line, column int) Pos { return Pos{file, line, column} }, src, d.fail)
	if root == nil {
		return nil, d.errs.err()
	}
	d.value(root, reflect.ValueOf(s).Elem(), "", rule{})
	s.where, s.tree = d.where, root
	if s.Name == "" {
		s.Name = nameOf(file)
		d.short(Pos{file, 1, 1}, "the file's name makes a name of a scenario", s.Name, maxName)
	}
	return s.finish(d, typed)
}

// Override is a copy of s with overrides laid over it, as ParseWith does.
func Override(s *Scenario, sets ...string) (*Scenario, error) {
	out := *s
	out.Config = s.Config.clone()
	out.Matrix, out.Arms = append(Matrix(nil), s.Matrix...), append(Arms(nil), s.Arms...)
	out.Gate = maps.Clone(s.Gate)
	out.sources = sources{}
	maps.Copy(out.sources, s.sources)
	// Defaults that follow from what may be overridden are found again.
	if s.Defaulted("measure.trial") {
		out.Measure.Trial = 0
	}
	if s.Defaulted("measure.settle") {
		out.Measure.Settle = 0
	}
	if s.Defaulted("measure.metrics") {
		out.Measure.Metrics = nil
	}
	d := newDecoder(out.sources)
	maps.Copy(d.where, s.where)
	return out.finish(d, Sets(sets))
}

// Defaulted says whether Parse filled the value of path.
func (s *Scenario) Defaulted(path string) bool {
	_, written := s.where[path]
	return s.where != nil && !written
}

// finish applies overrides, checks all arms and fills in the defaults.
func (s *Scenario) finish(d *decoder, typed []Typed) (*Scenario, error) {
	if s.asked == "" {
		s.asked = s.Question
	}
	s.override(d, typed)
	if s.Name == "" {
		s.Name = s.typedName()
	}
	s.Question = s.questionNow()
	s.where = d.where
	drafts := s.chosen(d, s.drafts(d))
	if len(s.Measure.Metrics) == 0 {
		s.Measure.Metrics = []string{headline(drafts)}
	}
	s.Measure = s.Measure.withDefaults(topologiesOf(sideBySide(drafts)), longestRoundTrip(drafts))
	s.check(d, drafts)
	if err := d.errs.err(); err != nil {
		return nil, err
	}
	return s, nil
}

func newDecoder(src sources) *decoder {
	return &decoder{rules: rules(), src: src, where: positions{}}
}

// nameOf makes a scenario's name of its file's: "my tests/RPS_2.yaml" is
// rps-2.
func nameOf(file string) string {
	base := filepath.Base(file)
	base = strings.ToLower(strings.TrimSuffix(base, filepath.Ext(base)))
	name := strings.Map(func(r rune) rune {
		if isAlnum(r) {
			return r
		}
		return '-'
	}, base)
	if name = strings.Trim(name, "-"); name == "" {
		return "scenario"
	}
	return name
}
