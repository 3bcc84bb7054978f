package report

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"time"

	"netab/analysis/counts"
	"netab/analysis/culprit"
	"netab/analysis/escape"
	"netab/analysis/page"
	"netab/analysis/prose"
	"netab/results"
)

// A Bisection is a search as far as it came, ready to be shown.
type Bisection struct {
	Record *results.Bisection
	Answer *culprit.Answer // nil = there is none yet
	Levels []culprit.Level
	// Skipped says of changes that could not be tested why.
	Skipped map[int]string
	// Functions is the count of both sides of the first step, where there is one.
	Functions counts.Summary
}

// BisectionOf reads a record to its end.
func BisectionOf(b *results.Bisection) *Bisection {
	s := culprit.Of(b)
	out := &Bisection{Record: b, Answer: s.Answer(), Levels: s.Levels(), Skipped: map[int]string{}}
	for _, e := range b.Events {
		if e.Type == results.EventSkipped {
			out.Skipped[e.Change] = e.Text
		}
	}
	return out
}

// BisectionData is netab bisect --json.
type BisectionData struct {
	Schema   string            `json:"schema"` // "netab/bisect/1"
	ID       string            `json:"id"`
	Scenario string            `json:"scenario"`
	Arm      string            `json:"arm"`
	Unit     string            `json:"unit"` // of a cost
	Mode     string            `json:"mode"`
	Changes  []results.Change  `json:"changes"`
	Answer   *culprit.Answer   `json:"answer"` // null = there is none yet; changes are of ln(cost)
	Levels   []culprit.Level   `json:"levels"`
	Skipped  map[string]string `json:"skipped"` // why, by id
	// Functions are what the first step moved; null = it was not counted.
	Functions []counts.Function `json:"functions"`
}

// View makes the page.
func (b *Bisection) View() *page.Page {
	h := &b.Record.Header
	p := &page.Page{Title: b.title(), Answer: b.sentence(), Data: b.data()}
	if a := b.Answer; a != nil {
		for _, s := range a.Steps {
			p.Add(b.stepSection(s))
		}
	}
	p.Add(b.functionSection())
	p.Add(b.testSection())
	if len(b.Skipped) > 0 {
		t := page.Plain(b.what(), "why it could not be tested")
		for i := range h.Changes {
			if why := b.Skipped[i]; why != "" {
				t.Add(b.name(i), why)
			}
		}
		p.Add(page.Section{Title: "Not tested", Table: t})
	}
	if b.Answer != nil && len(b.Answer.Steps) > 0 {
		var text []page.Para
		for _, line := range b.mail() {
			text = append(text, page.Para{Text: line})
		}
		p.Add(page.Section{Title: "For a mail", Text: text})
	}
	p.Add(b.methodSection())
	return p
}

func (b *Bisection) data() BisectionData {
	h := &b.Record.Header
	d := BisectionData{Schema: "netab/bisect/1", ID: h.ID, Scenario: h.Name, Arm: h.Arm, Unit: h.Unit, Mode: h.Mode, Changes: h.Changes, Answer: b.Answer, Levels: b.Levels, Skipped: map[string]string{}}
	if cs := b.Functions.Comparisons; len(cs) > 0 {
		d.Functions = cs[0].Functions
	}
	for i, why := range b.Skipped {
		d.Skipped[h.Changes[i].ID] = why
	}
	return d
}

func (b *Bisection) what() string {
	if b.Record.Header.Repo != "" {
		return "commit"
	}
	return "kernel"
}

func (b *Bisection) title() string {
	h := &b.Record.Header
	if a := b.Answer; a != nil && a.Outcome == culprit.Found {
		return prose.Capital(b.what()) + " " + b.name(a.Steps[0].At)
	}
	return fmt.Sprintf("Which %s changed %s?", b.what(), h.Name)
}

func (b *Bisection) name(change int) string {
	c := b.Record.Header.Changes[change]
	if c.Subject == "" {
		return b.id(change)
	}
	return b.id(change) + " (" + c.Subject + ")"
}

func (b *Bisection) id(change int) string {
	id := b.Record.Header.Changes[change].ID
	if b.Record.Header.Repo != "" && len(id) > 12 {
		id = id[:12]
	}
	return id
}

// dearer is a change of ln(cost) in words.
func dearer(x float64) string {
	if x < 0 {
		return prose.Percent(-math.Expm1(x)) + " cheaper"
	}
	return prose.Percent(math.Expm1(x)) + " dearer"
}

func between(lo, hi float64) string {
	return prose.Interval(math.Expm1(lo), math.Expm1(hi), false)
}

// of is what costs.
func (b *Bisection) of() string {
	h := &b.Record.Header
	if h.Arm == "" {
		return h.Name
	}
	return h.Name + ", arm " + h.Arm
}

// sentence is all of it in one.
func (b *Bisection) sentence() string {
	h, a := &b.Record.Header, b.Answer
	n := len(h.Changes) - 1
	if a == nil {
		return fmt.Sprintf("No answer yet: %d of %s were tested; go on with netab bisect --resume %s.", len(b.Levels), prose.Counted(n+1, b.what()), h.ID)
	}
	ends := fmt.Sprintf("%s is %s than %s (%s)", b.id(n), dearer(a.Whole), b.id(0), between(a.Lo, a.Hi))
	switch a.Outcome {
	case culprit.Found:
		s := a.Steps[0]
		text := fmt.Sprintf("%s made %s %s (%s, 95 %% confidence)", b.blame(s), b.of(), dearer(s.Change), between(s.Lo, s.Hi))
		return text + fmt.Sprintf("; from end to end %s, in %s.", ends, prose.Counted(a.Tests, "test"))
	case culprit.Several:
		var parts []string
		for _, s := range a.Steps {
			parts = append(parts, fmt.Sprintf("%s: %s (%s)", b.blame(s), dearer(s.Change), between(s.Lo, s.Hi)))
		}
		for _, u := range a.Unsure {
			parts = append(parts, fmt.Sprintf("more between %s and %s, of which no one %s could be confirmed", b.id(u[0]), b.id(u[1]), b.what()))
		}
		return fmt.Sprintf("The difference came in steps: %s. From end to end %s.", strings.Join(parts, "; "), ends)
	case culprit.NotConfirmed:
		return fmt.Sprintf("Not confirmed: %s, yet no %s held when it was compared with its predecessor afresh; a drift of many small steps looks like this, and so do ends that chance set apart.", ends, b.what())
	case culprit.NoChange:
		if a.Identical {
			return fmt.Sprintf("No change: %s and %s are identical to the digit.", b.id(0), b.id(n))
		}
		return fmt.Sprintf("No change: between %s and %s there is none that could be told (%s).", b.id(0), b.id(n), between(a.Lo, a.Hi))
	}
	return fmt.Sprintf("No answer after %s, which is all that was allowed (--tests); %s.", prose.Counted(a.Tests, "test"), ends)
}

// blame names the change of a step, or those of which it is one.
func (b *Bisection) blame(s culprit.Step) string {
	if s.At-s.After == 1 {
		return b.name(s.At)
	}
	return fmt.Sprintf("one of the %s after %s up to %s, between which none could be tested,", prose.Counted(s.At-s.After, b.what()), b.id(s.After), b.name(s.At))
}

func (b *Bisection) stepSection(s culprit.Step) page.Section {
	t := page.Plain(b.what(), "subject", "author", "date", "files")
	const most = 12 // more are of a merge
	for i := s.After + 1; i <= s.At; i++ {
		if i > s.After+most {
			t.Add(fmt.Sprintf("%d more", s.At-i+1), "", "", "", "")
			break
		}
		c := b.Record.Header.Changes[i]
		files := c.Files
		more := ""
		if len(files) > most {
			more = fmt.Sprintf(" and %d more", len(files)-most)
			files = files[:most]
		}
		date := ""
		if !c.Date.IsZero() {
			date = c.Date.Format(time.DateOnly)
		}
		t.Add(c.ID, c.Subject, c.Author, date, strings.Join(files, ", ")+more)
	}
	return page.Section{Title: fmt.Sprintf("%s: %s (%s)", b.id(s.At), dearer(s.Change), between(s.Lo, s.Hi)), Table: t}
}

// functionSection is where in the kernel the first step lies.
func (b *Bisection) functionSection() page.Section {
	if len(b.Functions.Comparisons) == 0 || b.Answer == nil || len(b.Answer.Steps) == 0 {
		return page.Section{}
	}
	t := page.Table{Columns: []page.Column{{Head: "role", Left: true}, {Head: "context", Left: true}, {Head: "function", Left: true}, {Head: "before"}, {Head: "after"}, {Head: "change"}}}
	// Below a hundredth of what moved most it is into whose turn a tick fell.
	const most, least, share = 20, 0.05, 0.01
	functions := b.Functions.Comparisons[0].Functions
	for _, f := range functions {
		d, largest := f.To-f.From, functions[0].To-functions[0].From
		if len(t.Rows) == most || math.Abs(d) < max(least, share*math.Abs(largest)) {
			break
		}
		number := func(x float64) page.Cell { return page.NumberOf(prose.Number(x), x, "") }
		t.Row(page.Text(f.Role), page.Text(f.Context), page.Text(f.Function), number(f.From), number(f.To), page.NumberOf(prose.Signed(d), d, ""))
	}
	return page.Section{Title: "The functions that moved", Text: []page.Para{{Text: fmt.Sprintf("Instructions a %s by kernel function, of one boot before and one after it with the same seed.", b.Functions.Unit)}}, Table: t}
}

func (b *Bisection) testSection() page.Section {
	if len(b.Levels) == 0 {
		return page.Section{}
	}
	t := page.Table{Columns: []page.Column{{Head: b.what(), Left: true}, {Head: "tests"}, {Head: cmp.Or(b.Record.Header.Unit, "cost")}, {Head: "against the first, %"}}}
	first := b.Levels[0].Mean
	for _, l := range b.Levels {
		against := page.Text("")
		if l.Change > 0 {
			x := math.Expm1(l.Mean - first)
			against = page.NumberOf(prose.Signed(100*x), x, "")
		}
		cost := math.Exp(l.Mean)
		tests := page.NumberOf(fmt.Sprint(l.Tests), float64(l.Tests), "")
		if l.Same != l.Change {
			tests = page.Text("same code as " + b.id(l.Same))
		}
		t.Row(page.Text(b.name(l.Change)), tests, page.NumberOf(significant(cost), cost, b.Record.Header.Unit), against)
	}
	return page.Section{Title: "What was tested", Table: t}
}

// significant has the digits that tell changes of a thousandth apart.
func significant(x float64) string {
	return fmt.Sprintf("%.*f", max(0, 5-int(math.Floor(math.Log10(max(x, 1e-9))))-1), x)
}

// mail is a text to be sent, in which all that it takes to repeat it stands.
func (b *Bisection) mail() []string {
	h, a := &b.Record.Header, b.Answer
	var lines []string
	lines = append(lines, fmt.Sprintf("netab found that %s", b.sentence()))
	if h.Mode == results.ModeCount {
		lines = append(lines, "Costs are instructions, counted under emulation: there is next to no noise in them, and they know nothing of caches, locks or parallelism.")
	} else {
		lines = append(lines, "Costs are times, each of a boot of its own.")
	}
	for _, s := range a.Steps {
		c := h.Changes[s.At]
		if c.Author != "" {
			lines = append(lines, fmt.Sprintf("%s was written by %s, %s.", b.id(s.At), c.Author, c.Date.Format(time.DateOnly)))
		}
	}
	return append(lines, "To repeat it: "+shellLine(h.Command))
}

// shellLine is a command as a shell takes it.
func shellLine(command []string) string {
	var words []string
	for _, w := range command {
		words = append(words, escape.Shell(w))
	}
	return strings.Join(words, " ")
}

func (b *Bisection) methodSection() page.Section {
	h := &b.Record.Header
	text := "All tests go into a posterior over the changes, and the next is where it says most; what is found is compared with its predecessor afresh, by tests that had no part in choosing it. Intervals are of those."
	terms := []page.Term{{Name: "how sure", Text: text}, {Name: "cost", Text: cmp.Or(h.Unit, "cost") + ", " + b.of()}}
	if h.Repo != "" {
		terms = append(terms, page.Term{Name: "build", Text: h.Build})
	}
	return page.Section{Title: "Method", Terms: terms}
}
