package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"netab/analysis"
	"netab/analysis/escape"
)

// JUnit's own document is not specified anywhere; these are the elements that
// GitLab, Jenkins and the common GitHub actions read alike.
type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     junitText       `xml:"name,attr"`
	Tests    int             `xml:"tests,attr"`
	Failures int             `xml:"failures,attr"`
	Errors   int             `xml:"errors,attr"`
	Skipped  int             `xml:"skipped,attr"`
	Time     junitText       `xml:"time,attr"`
	Props    []junitProperty `xml:"properties>property"`
	Cases    []junitCase     `xml:"testcase"`
	Out      junitText       `xml:"system-out,omitempty"`
}

type junitProperty struct {
	Name  junitText `xml:"name,attr"`
	Value junitText `xml:"value,attr"`
}

type junitCase struct {
	Class   junitText   `xml:"classname,attr"`
	Name    junitText   `xml:"name,attr"`
	Time    junitText   `xml:"time,attr"`
	Failure *junitFault `xml:"failure"`
	Error   *junitFault `xml:"error"`
	Skipped *junitFault `xml:"skipped"`
	Out     junitText   `xml:"system-out,omitempty"`
}

type junitFault struct {
	Type    junitText `xml:"type,attr,omitempty"`
	Message junitText `xml:"message,attr"`
	Text    junitText `xml:",chardata"`
}

// A junitText is shown as it is by who reads the XML: encoding/xml escapes markup
// and replaces what XML has no place for, and what nobody would see is made
// visible before.
type junitText string

func (t junitText) MarshalText() ([]byte, error) { return []byte(escape.Lines(string(t))), nil }

// GateJUnit writes a gate as JUnit XML, a test case a check: a regression is a
// failure, what could not be decided an error, an acknowledged regression is
// skipped with its reason. A gate without a single check, and one whose runs
// are not comparable, has one more case that says so, for an empty suite reads
// as a pass.
func GateJUnit(w io.Writer, g analysis.Gate) error {
	s := junitSuite{Name: junitText("netab." + g.Summary.Scenario), Time: junitText(fmt.Sprintf("%.3f", g.Summary.DurationS)), Out: junitText(g.Sentence)}
	for _, p := range [][2]string{{"run", g.Summary.Run}, {"kernel", g.Summary.Kernel}, {"outcome", string(g.Outcome)},
		{"forced", strings.Join(g.Forced, "; ")}} {
		if p[1] != "" {
			s.Props = append(s.Props, junitProperty{junitText(p[0]), junitText(p[1])})
		}
	}
	whole := g.Outcome == analysis.NotComparable || g.Outcome == analysis.NotMeasured || len(g.Checks) == 0
	if whole {
		s.Cases = append(s.Cases, junitCase{Class: s.Name, Name: "gate", Time: "0",
			Error: &junitFault{Type: junitText(g.Outcome), Message: junitText(g.Sentence)}})
	}
	seen := map[junitText]int{}
	for _, k := range g.Checks {
		c := junitCheck(s.Name, k)
		// Ids of runs change from night to night, so names hold none unless several
		// are compared with one.
		if seen[c.Name]++; seen[c.Name] > 1 {
			c.Name += junitText(fmt.Sprintf(" (%d)", seen[c.Name]))
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

func junitCheck(class junitText, k analysis.Check) junitCase {
	c := junitCase{Class: class, Name: junitText(checkName(k)), Time: "0"}
	var lines []string
	for _, text := range []string{k.Plain, k.Sure, k.Method} {
		if text != "" {
			lines = append(lines, text)
		}
	}
	return c.with(k.Outcome, k.Plain, strings.Join(lines, "\n"), k.Issue)
}

// with gives a case its outcome: plain words, and all that there is to say.
func (c junitCase) with(o analysis.Outcome, plain, text string, issue *analysis.KnownIssue) junitCase {
	fault := &junitFault{Type: junitText(o), Message: junitText(plain), Text: junitText(text)}
	switch o {
	case analysis.Worse:
		c.Failure = fault
	case analysis.Undecided:
		c.Error = fault
	case analysis.Acknowledged:
		fault.Message = junitText(fmt.Sprintf("acknowledged until %s: %s", issue.Expires, issue.Reason))
		c.Skipped = fault
	default:
		c.Out = junitText(text)
	}
	return c
}

// checkName is the same from night to night, so that CI systems can follow a
// check.
func checkName(k analysis.Check) string {
	switch {
	case k.Arm == "" && k.Metric == "":
		return k.Plain
	case k.Arm == "":
		return k.Metric
	}
	return k.Metric + " of " + k.Arm
}
