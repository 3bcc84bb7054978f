// Package page is the model of whatever is shown. Every view (a run, a
// comparison, a gate, a trend, a calibration, a proof) is made into a Page, and
// every format (package analysis/report/export, and the one page of HTML) is
// written from it: so a view is described once, and a format is written once.
//
// Texts are as the record has them: who writes a format escapes them for its
// medium. A format leaves out what its medium has no room for; what each part is
// for stands at the fields.
package page

import (
	"netab/analysis"
	"netab/analysis/gate"
)

// A Page is one view of something.
type Page struct {
	// Title is what stands on top: the question that a run answers, what a gate came
	// to, what a document is about.
	Title string
	// Outcome is that of a title which says one ("" = it says none): it has a colour.
	Outcome gate.Outcome
	Answer  string // all of it in one sentence
	// Made is the command that writes the page as a document of docs/. "" = it is no
	// document but a message, which says its answer before everything else.
	Made     string
	Judged   *Judged // for those who act on the outcome; nil = there is nothing to act on
	Sections []Section
	Below    *Page // what this one rests on, for readers who have room
	Data     any   // the same for programs
}

// Add adds a section, unless it has nothing to say.
func (p *Page) Add(s Section) {
	if !s.empty() {
		p.Sections = append(p.Sections, s)
	}
}

// A Section is a part of a page. Its fields are in the order in which they are
// read; most have only a few.
type Section struct {
	Title    string   // a heading
	Explains []string // paragraphs for those who read a document, not in a terminal; words in backquotes are code
	Terms    []Term
	Text     []Para
	Lead     string // what the list or table is of, where no heading says so
	Table    Table
	Checks   []Check // nil = the section is not about checks; empty = there are none
	Issues   []Issue
	Findings []Finding
	Differs  []Difference
	Notes    []string
	Asides   []string // notes that a terminal has no room for
	Remarks  []string // on the table; words in backquotes are code
	Advice   []string // what to do
	Warnings []Warning
}

// empty says whether there is nothing but a heading.
func (s *Section) empty() bool {
	return len(s.Explains)+len(s.Terms)+len(s.Text)+len(s.Table.Rows)+len(s.Issues)+len(s.Findings)+len(s.Differs)+
		len(s.Notes)+len(s.Asides)+len(s.Remarks)+len(s.Advice)+len(s.Warnings) == 0 && s.Checks == nil
}

// A Term is a word and what is meant by it.
type Term struct{ Name, Text string }

// A Para is a paragraph.
type Para struct {
	Of    string // what it speaks of
	Text  string
	Hint  string  // what to do about it
	Aside bool    // what figures rest on, not what they say
	From  *Record // of an Aside: the record to ask
}

// A Record is what a page was made from.
type Record struct {
	Run    string
	Seed   uint64
	Trials int // 0 = it has none, so nothing rests on it
}

// A Finding is a figure in words and its verdict.
type Finding struct {
	Text  string
	Says  analysis.Verdict
	Words string // the verdict as a table has it
}

// A Difference is something that differs between what is compared.
type Difference struct {
	Name, A, B string
	Blocking   bool // so the figures are not comparable
	Declared   bool // as it was meant to
}

// A Warning is about the data.
type Warning struct {
	Code, Text string
	Of         string // what it is about, where the page is about several
	Serious    bool   // puts the verdict in doubt
}
