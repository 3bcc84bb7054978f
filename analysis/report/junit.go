package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"netab/analysis"
)

// JUnit's own document is not specified anywhere; these are the elements that
// GitLab, Jenkins and the common GitHub actions read alike.
type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string          `xml:"name,attr"`
	Tests    int             `xml:"tests,attr"`
	Failures int             `xml:"failures,attr"`
	Errors   int             `xml:"errors,attr"`
	Skipped  int             `xml:"skipped,attr"`
	Time     string          `xml:"time,attr"`
	Props    []junitProperty `xml:"properties>property"`
	Cases    []junitCase     `xml:"testcase"`
	Out      string          `xml:"system-out,omitempty"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string      `xml:"classname,attr"`
	Name    string      `xml:"name,attr"`
	Time    string      `xml:"time,attr"`
	Failure *junitFault `xml:"failure"`
	Error   *junitFault `xml:"error"`
	Skipped *junitFault `xml:"skipped"`
	Out     string      `xml:"system-out,omitempty"`
}

type junitFault struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// GateJUnit writes a gate as JUnit XML, a test case a check: a regression is a
// failure, what could not be decided an error, an acknowledged regression is
// skipped with its reason. A gate without a single check, and one whose runs
// are not comparable, has one more case that says so, for an empty suite reads
// as a pass.
func GateJUnit(w io.Writer, g analysis.Gate) error {
	s := junitSuite{Name: visible("netab." + g.Summary.Scenario), Time: fmt.Sprintf("%.3f", g.Summary.DurationS), Out: visible(g.Sentence)}
	for _, p := range [][2]string{{"run", g.Summary.Run}, {"kernel", g.Summary.Kernel}, {"outcome", string(g.Outcome)},
		{"forced", strings.Join(g.Forced, "; ")}} {
		if p[1] != "" {
			s.Props = append(s.Props, junitProperty{p[0], visible(p[1])})
		}
	}
	whole := g.Outcome == analysis.NotComparable || g.Outcome == analysis.NotMeasured || len(g.Checks) == 0
	if whole {
		s.Cases = append(s.Cases, junitCase{Class: s.Name, Name: "gate", Time: "0",
			Error: &junitFault{Type: string(g.Outcome), Message: visible(g.Sentence)}})
	}
	seen := map[string]int{}
	for _, k := range g.Checks {
		c := junitCheck(s.Name, k)
		// Ids of runs change from night to night, so names hold none unless several
		// are compared with one.
		if seen[c.Name]++; seen[c.Name] > 1 {
			c.Name += fmt.Sprintf(" (%d)", seen[c.Name])
		}
		s.Cases = append(s.Cases, c)
	}
	return s.write(w)
}

// write counts the cases and writes the suite as a document.
func (s junitSuite) write(w io.Writer) error {
	s.Tests = len(s.Cases)
	for _, c := range s.Cases {
		switch {
		case c.Failure != nil:
			s.Failures++
		case c.Error != nil:
			s.Errors++
		case c.Skipped != nil:
			s.Skipped++
		}
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(junitSuites{Suites: []junitSuite{s}}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func junitCheck(class string, k analysis.Check) junitCase {
	c := junitCase{Class: class, Name: checkName(k), Time: "0"}
	var lines []string
	for _, text := range []string{k.Plain, k.Sure, k.Method} {
		if text != "" {
			lines = append(lines, visible(text))
		}
	}
	return c.with(k.Outcome, k.Plain, strings.Join(lines, "\n"), k.Issue)
}

// with gives a case its outcome: plain words, and all that there is to say.
func (c junitCase) with(o analysis.Outcome, plain, text string, issue *analysis.KnownIssue) junitCase {
	fault := &junitFault{Type: string(o), Message: visible(plain), Text: text}
	switch o {
	case analysis.Worse:
		c.Failure = fault
	case analysis.Undecided:
		c.Error = fault
	case analysis.Acknowledged:
		fault.Message = visible(fmt.Sprintf("acknowledged until %s: %s", issue.Expires, issue.Reason))
		c.Skipped = fault
	default:
		c.Out = text
	}
	return c
}

// checkName is the same from night to night, so that CI systems can follow a
// check.
func checkName(k analysis.Check) string {
	switch {
	case k.Arm == "" && k.Metric == "":
		return visible(k.Plain)
	case k.Arm == "":
		return visible(k.Metric)
	}
	return visible(k.Metric + " of " + k.Arm)
}
