package analysis

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"netab/analysis/prose"
	"netab/results"
)

// maxInAnswer is how many arms a sentence can carry.
const maxInAnswer = 4

// answer is the run in one sentence: the headline metric of every arm.
func answer(s *Summary, d results.Design) string {
	if s.Trials == 0 {
		return "Nothing was measured, so there is no answer."
	}
	m, ok := LookupMetric(judgedMetrics(d)[0])
	if !ok || len(s.Arms) == 0 {
		return "The headline metric is not known, so there is no answer."
	}
	if len(d.Arms) == 1 {
		return levelAnswer(s, d, m)
	}
	var headline []Comparison
	for _, c := range s.Comparisons {
		if c.Metric == m.Name {
			headline = append(headline, c)
		}
	}
	if len(headline) == 0 {
		return fmt.Sprintf("No arm could be compared on %s.", m.Title)
	}
	return effectAnswer(s, d, m, headline)
}

func effectAnswer(s *Summary, d results.Design, m Metric, cs []Comparison) string {
	base := baseline(d)
	head, headline := "Against "+d.Arms[base].Name, cs
	if l, ok := s.Arms[base].Metrics[m.Name]; ok {
		head += " (" + m.quantity(l.Mean) + ")"
	}
	rest := 0
	if len(cs) > maxInAnswer {
		// The clearest changes speak first; the table has them all.
		slices.SortStableFunc(cs, func(a, b Comparison) int { return clearer(a, b) })
		rest = len(cs) - maxInAnswer
		cs = cs[:maxInAnswer]
	}
	var parts []string
	for i, c := range cs {
		parts = append(parts, c.sentence(m, i == 0, s))
	}
	text := head + ", " + subject(d, m) + " " + strings.Join(parts, "; ")
	if rest > 0 {
		more := "more arms are"
		if rest == 1 {
			more = "more arm is"
		}
		text += fmt.Sprintf("; %d %s in the table", rest, more)
	}
	return text + "." + unseenBy(headline)
}

// unseenBy says of how many trials nothing is known, where an arm is called the same.
func unseenBy(cs []Comparison) string {
	fewest, share := 0, 0.0
	for _, c := range cs {
		if c.Verdict == Equivalent && c.UnseenShare != nil && *c.UnseenShare > share {
			fewest, share = c.N, *c.UnseenShare
		}
	}
	if fewest == 0 {
		return ""
	}
	return fmt.Sprintf(" What happens in fewer than %s of trials may have gone unseen in %d.", prose.Percent(share), fewest)
}

func clearer(a, b Comparison) int {
	size := func(c Comparison) float64 {
		if c.Verdict == Improvement || c.Verdict == Regression {
			return math.Abs(math.Log1p(max(c.Change, -0.999999)))
		}
		return 0
	}
	switch x, y := size(a), size(b); {
	case x > y:
		return -1
	case x < y:
		return 1
	default:
		return 0
	}
}

// sentence is one arm's part: "is 7.3 % higher with sink (+5.9 to +8.8 %)".
func (c *Comparison) sentence(m Metric, first bool, s *Summary) string {
	span := prose.Interval(c.Lo, c.Hi, c.Difference)
	if first {
		span += fmt.Sprintf(", %s %% confidence", prose.Trimmed(100*s.Confidence))
	}
	amount := prose.Percent(c.Change)
	if c.Difference {
		amount = strings.TrimLeft(prose.Change(c.Change, true), "+-")
	}
	if c.Modes.ByState() {
		if states := statesInShort(c); states != "" {
			span += "; " + states
		}
	}
	direction := "higher"
	if c.Change < 0 {
		direction = "lower"
	}
	switch {
	case c.Failures.Oftener() && c.Verdict == Regression && c.N > 0:
		return fmt.Sprintf("is %s %s with %s, which %s (%s)", amount, direction, c.Arm, c.Failures.InShort(), span)
	case c.Failures.Oftener():
		return fmt.Sprintf("cannot be told with %s, which %s", c.Arm, c.Failures.InShort())
	case c.Untold():
		return fmt.Sprintf("cannot be told with %s: %s", c.Arm, c.Withheld)
	case c.P == nil:
		return fmt.Sprintf("cannot be told with %s (%s %s)", c.Arm, prose.Count(c.N), prose.Plural(max(1, c.N), "trial"))
	case c.Modes.ByState() && c.Mixture:
		return fmt.Sprintf("depends on the state of the machine with %s (%s)", c.Arm, statesInShort(c))
	case c.Modes != nil && !c.Modes.ByState():
		return fmt.Sprintf("depends on the trial with %s (%s)", c.Arm, modesInShort(c))
	case c.Verdict == Equivalent:
		return fmt.Sprintf("is the same to within %s with %s (%s)", prose.Percent(c.Resolution), c.Arm, span)
	case c.Verdict == Inconclusive:
		return fmt.Sprintf("is undecided with %s (%s)", c.Arm, span)
	default:
		return fmt.Sprintf("is %s %s%s with %s (%s)", amount, direction, better(m, c.Verdict), c.Arm, span)
	}
}

// better says so where lower is better: "lower" alone would read as a loss.
func better(m Metric, v Verdict) string {
	switch {
	case m.Better == Higher:
		return ""
	case v == Improvement:
		return " (better)"
	default:
		return " (worse)"
	}
}

func levelAnswer(s *Summary, d results.Design, m Metric) string {
	l, ok := s.Arms[0].Metrics[m.Name]
	if !ok {
		return fmt.Sprintf("%s could not be measured.", prose.Capital(subject(d, m)))
	}
	text := fmt.Sprintf("%s is %s", prose.Capital(subject(d, m)), m.quantity(l.Mean))
	if l.N >= 2 && l.Lo == l.Hi {
		return text + " over " + fmt.Sprint(l.N) + " trials."
	}
	if l.N < 2 {
		return text + " in one trial; its spread is not known."
	}
	text += fmt.Sprintf(" (%s to %s, %s %% confidence)", m.quantity(l.Lo), m.quantity(l.Hi), prose.Trimmed(100*s.Confidence))
	if !l.Converged {
		text += fmt.Sprintf(", which is wider than the ±%s that was asked for", prose.Percent(d.Width))
	}
	return text + "."
}

// subject is what the sentence is about, as far as all arms have it in common:
// "TCP goodput over loopback".
func subject(d results.Design, m Metric) string {
	text := m.Title
	if p := common(d, func(a results.Arm) string { return string(a.Protocol) }); p != "" && m.beside == "" {
		text = protocol(p) + " " + text
	}
	if t := common(d, func(a results.Arm) string { return string(a.Topology) }); t != "" {
		text += " over " + t
	}
	return text
}

// protocol is written as people do.
func protocol(p string) string {
	if kind, ok := strings.CutPrefix(p, "unix-"); ok {
		return "AF_UNIX " + kind
	}
	return strings.ToUpper(p)
}

func common(d results.Design, field func(results.Arm) string) string {
	if len(d.Arms) == 0 {
		return ""
	}
	v := field(d.Arms[0])
	for _, a := range d.Arms[1:] {
		if field(a) != v {
			return ""
		}
	}
	return v
}

// notConverged says what is still open, and what would help.
func notConverged(s *Summary, d results.Design) string {
	if len(d.Arms) == 1 {
		for _, name := range judgedMetrics(d) {
			if l, ok := s.Arms[0].Metrics[name]; ok && !l.Converged {
				return fmt.Sprintf("NOT CONVERGED: the %s level is known to ±%s only, ±%s was asked for: measure for longer (--max-time), or ask for less (--width)",
					name, prose.Percent(l.HalfWidth()), prose.Percent(d.Width))
			}
		}
		return "NOT CONVERGED: no judged metric could be computed"
	}
	var open []string
	coarser := false // some could be decided by asking for less
	for _, c := range s.Comparisons {
		if c.Judged && c.Verdict == Inconclusive && !c.Mixture {
			text := c.Arm + " (" + c.Metric
			switch {
			case c.Withheld != "":
				text += "; " + c.Withheld // what could have been seen, or asked for, changes nothing
			case c.SmallestDetectable != nil && *c.SmallestDetectable > 0 && *c.SmallestDetectable < 1:
				text += fmt.Sprintf("; changes from %s could have been seen", prose.Amount(*c.SmallestDetectable, c.Difference))
				coarser = true
			default:
				coarser = coarser || c.P != nil
			}
			open = append(open, text+")")
		}
	}
	if len(open) == 0 {
		return "NOT CONVERGED: nothing could be compared"
	}
	text := fmt.Sprintf("NOT CONVERGED: no verdict yet for %s: measure for longer (--max-time)", strings.Join(open, ", "))
	if coarser {
		text += fmt.Sprintf(", or ask for a coarser resolution than %s (--resolution)", prose.Percent(s.Resolution))
	}
	return text
}

// modesInShort names two groups; more of them only by how far they lie apart.
// The table has them all.
func modesInShort(c *Comparison) string {
	groups := c.Modes.Groups
	if len(groups) <= 2 {
		return c.Modes.Text
	}
	text := fmt.Sprintf("%s modes from %s to %s", prose.Count(len(groups)),
		prose.Change(groups[0].Change, c.Difference), prose.Change(groups[len(groups)-1].Change, c.Difference))
	if c.Modes.Covariate != "" {
		text += ", told apart by " + c.Modes.Covariate
	}
	return text
}

// statesInShort is "near +4.8 %, far -1.2 %". How often each was, of how many trials it
// is and what modes it has within, stands below the table.
func statesInShort(c *Comparison) string {
	var texts []string
	for _, g := range c.Modes.Groups {
		if g.Verdict == "" {
			texts = append(texts, g.Label+" left out")
			continue
		}
		texts = append(texts, g.Label+" "+prose.Change(g.Change, c.Difference))
	}
	return strings.Join(texts, ", ")
}

// answer of runs is a sentence a side that they are compared with.
func (c comparing) answer(s *Summary) string {
	d := c.groups[len(c.groups)-1].Runs[0].Header.Design
	m, ok := LookupMetric(judgedMetrics(d)[0])
	if !ok {
		return "The headline metric is not known, so there is no answer."
	}
	base := c.groups[0]
	var sentences []string
	for _, g := range c.groups[1:] {
		var parts []string
		for _, x := range s.Comparisons {
			if x.Metric == m.Name && x.ArmRun == g.Label && len(parts) < maxInAnswer {
				parts = append(parts, x.sentence(m, len(parts) == 0, s))
			}
		}
		if len(parts) == 0 {
			continue
		}
		noun := c.noun()
		if noun == "kernel " {
			noun = "" // a release is known for one
		}
		sentences = append(sentences, prose.Capital(fmt.Sprintf("%s%s against %s%s: %s %s.", noun, g.Label, noun, base.Label, subject(d, m), strings.Join(parts, "; "))))
	}
	if len(sentences) == 0 && c.campaign == nil {
		return "The runs have no arm in common that was measured in both."
	}
	return strings.Join(sentences, " ")
}
