package export

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"

	"netab/analysis/escape"
	"netab/analysis/gate"
	"netab/analysis/page"
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

// JUnit writes what is judged as JUnit XML, a test case a check: a regression is a
// failure, what could not be decided an error, an acknowledged regression is
// skipped with its reason.
func JUnit(w io.Writer, p *page.Page, _ Options) error {
	j, err := judged(p)
	if err != nil {
		return err
	}
	s := junitSuite{Name: junitText(j.Suite), Time: junitText(j.Took), Out: junitText(j.Sentence)}
	for _, fact := range j.Facts {
		if fact.Text != "" {
			s.Props = append(s.Props, junitProperty{junitText(fact.Name), junitText(fact.Text)})
		}
	}
	seen := map[[2]string]int{}
	for _, k := range j.Cases {
		c := junitCase{Class: junitText(k.Class), Name: junitText(k.Name), Time: "0"}
		// Names hold no ids of runs, so several may have one.
		id := [2]string{k.Class, k.Name}
		if seen[id]++; seen[id] > 1 {
			c.Name += junitText(fmt.Sprintf(" (%d)", seen[id]))
		}
		s.Cases = append(s.Cases, c.with(k))
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

// with gives a case its outcome: plain words, and all that there is to say.
func (c junitCase) with(k page.Check) junitCase {
	fault := &junitFault{Type: junitText(k.Outcome), Message: junitText(k.Plain)}
	if !k.Whole {
		fault.Text = junitText(strings.Join(present(k.Plain, k.Sure, k.Method), "\n"))
	}
	switch k.Outcome {
	case gate.Worse:
		c.Failure = fault
	case gate.Undecided, gate.NotComparable, gate.NotMeasured:
		c.Error = fault
	case gate.Acknowledged:
		fault.Message = junitText(fmt.Sprintf("acknowledged until %s: %s", k.Known.Until, k.Known.Reason))
		c.Skipped = fault
	default:
		c.Out = fault.Text
	}
	return c
}

func present(texts ...string) []string {
	return slices.DeleteFunc(texts, func(s string) bool { return s == "" })
}
