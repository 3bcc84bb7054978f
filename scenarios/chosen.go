package scenarios

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Shard is one of several parts of a scenario's arms, that several machines or nights
// measure. The baseline is in each of them.
type Shard struct {
	Part, Of int // from 1
}

// ParseShard reads 2/3.
func ParseShard(text string) (Shard, error) {
	part, of, ok := strings.Cut(text, "/")
	i, err := strconv.Atoi(part)
	n, err2 := strconv.Atoi(of)
	switch {
	case !ok || err != nil || err2 != nil:
		return Shard{}, fmt.Errorf("%q is no part of several", text)
	case n < 2:
		return Shard{}, fmt.Errorf("%q is all of it", text)
	case i < 1 || i > n:
		return Shard{}, fmt.Errorf("%q: there is no part %d of %d", text, i, n)
	}
	return Shard{i, n}, nil
}

func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Part, s.Of) }

// shardSyntax is a part of several.
func shardSyntax() *syntax {
	return &syntax{want: "want PART/PARTS, such as 2/3: parts are counted from 1, and two are the fewest", pattern: "^[0-9]+/[0-9]+$",
		canon: func(text string) (string, error) {
			shard, err := ParseShard(text)
			return shard.String(), err
		}}
}

// chosen are the arms that are measured: those that Only names and the baseline, and of
// them those of the part that Shard is.
func (s *Scenario) chosen(d *decoder, drafts []draft) []draft {
	if len(s.Only) == 0 && s.Shard == "" || len(drafts) == 0 {
		return drafts
	}
	if slices.ContainsFunc(drafts, func(dr draft) bool { return dr.cfg.Kernel != "" }) {
		d.fail(s.where.at("only"), "the arms name kernels, each of which has a baseline of its own, so there is no choosing among them", "name fewer kernels")
		return drafts
	}
	base := s.Baseline
	if base == "" {
		base = drafts[0].name
	}
	wanted := map[string]bool{}
	for i, entry := range s.Only {
		found := 0
		for _, dr := range drafts {
			if dr.meant(entry) {
				found++
				wanted[dr.name] = true
			}
		}
		if found == 0 {
			d.fail(s.where.at(fmt.Sprintf("only.%d", i)), fmt.Sprintf("only: %q is no arm, nor what some have in common", entry), Suggest(entry, namesOf(drafts)))
		}
	}
	var out []draft
	for _, dr := range drafts {
		if dr.name == base || len(s.Only) == 0 || wanted[dr.name] {
			out = append(out, dr)
		}
	}
	shard, err := ParseShard(s.Shard)
	if s.Shard == "" || err != nil { // which decoding has said
		return out
	}
	return s.part(d, shard, out, base)
}

// part is one of the parts, which are as even as can be, of neighbours: the last factor
// of a matrix varies fastest, so what differs in it alone stays together.
func (s *Scenario) part(d *decoder, shard Shard, drafts []draft, base string) []draft {
	compared := len(drafts) - 1
	if shard.Of > compared {
		d.fail(s.where.at("shard"), fmt.Sprintf("shard: %d arms are compared with %s, too few for %d parts", compared, base, shard.Of), fmt.Sprintf("want %d parts at most", max(compared, 2)))
		return drafts
	}
	var out []draft
	at := 0
	for _, dr := range drafts {
		if dr.name == base {
			out = append(out, dr)
			continue
		}
		if at*shard.Of/compared == shard.Part-1 {
			out = append(out, dr)
		}
		at++
	}
	return out
}

// meant says whether an entry of Only is the arm's name, or levels that it has.
func (dr draft) meant(entry string) bool {
	if entry == dr.name {
		return true
	}
	for _, level := range strings.Split(entry, ",") {
		if !slices.ContainsFunc(dr.levels, func(l ArmLevel) bool { return l.Factor+"="+l.Level == strings.TrimSpace(level) }) {
			return false
		}
	}
	return true
}

func namesOf(drafts []draft) (out []string) {
	for _, dr := range drafts {
		out = append(out, dr.name)
	}
	return out
}

// Whole is the scenario of which this is a part, s itself where it is none.
func (s *Scenario) Whole() *Scenario {
	if s.Shard == "" {
		return s
	}
	whole := *s
	whole.Shard = ""
	return &whole
}
