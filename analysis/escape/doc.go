// Package escape writes text that comes from somebody else (names in a
// scenario, notes and errors in a run file, what a kernel calls itself) so that
// the medium it goes to shows it and does not obey it.
//
// There is one function a medium, and the writer of the medium applies it, not
// who has the text: what is printed next is escaped without being thought of.
// All rest on Visible, so that a name looks the same everywhere. Nothing here
// takes characters away: what cannot be shown is named, "[U+202E]", so that two
// names that differ still do.
//
//	terminal, log    Visible for a text, Writer for all that a process prints
//	Markdown         Markdown, Code
//	chat             Chat
//	CSV              CSV
//	benchfmt         Bench, Line
//	JSON             JSON
//	HTML             HTML, over what html/template has escaped
//	XML              Lines, below what encoding/xml escapes
package escape
