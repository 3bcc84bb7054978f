package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"netab/results"
	"netab/results/disk"
)

// tables writes both tables as Markdown.
func tables(rows []row, m results.Machine, o options) string {
	var slices, trials strings.Builder
	for i, r := range rows {
		if r.byTrial {
			trials.WriteString(trialLine(r))
		} else {
			slices.WriteString(sliceLine(rows, i))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on Linux %s, %d CPUs (%s), with `%s` for %v, %d rounds, seed %d.\n",
		m.Kernel, m.CPUs, m.CPUModel, o.scenario, o.budget, o.rounds, o.seed)
	if slices.Len() > 0 {
		b.WriteString("\n| slice | settle | counted | trials | effect | error per √s | bias against the longest settle |\n" +
			"|---:|---:|---:|---:|---:|---:|---:|\n" + slices.String())
	}
	if trials.Len() > 0 {
		b.WriteString("\n| trial | trials | fixed cost | error within | spread between | error after 60 s |\n" +
			"|---:|---:|---:|---:|---:|---:|\n" + trials.String())
	}
	return b.String()
}

func sliceLine(rows []row, i int) string {
	r := rows[i]
	start := fmt.Sprintf("| %v | %v | %.0f %% | %d | ", r.slice, r.settle, 100*r.counted(), r.trials)
	if !r.enough() {
		return start + "too few trials | | |\n"
	}
	return start + fmt.Sprintf("%+.2f %% | %.2f %% | %s |\n", 100*r.effect, 100*r.perSecond(), bias(rows, i))
}

func trialLine(r row) string {
	start := fmt.Sprintf("| %v | %d | ", r.trial, r.trials)
	if !r.enough() {
		return start + "too few trials | | | |\n"
	}
	return start + fmt.Sprintf("%.0f ms | %.2f %% | %.2f %% | %.2f %% |\n",
		1000*(r.trialS-r.slicesS), 100*r.within, 100*r.spread, 100*r.after(60))
}

// bias is row i against the row of the same slice with the longest settle
// part, which stands last.
func bias(rows []row, i int) string {
	ref := i
	for ref+1 < len(rows) && !rows[ref+1].byTrial && rows[ref+1].slice == rows[i].slice {
		ref++
	}
	if ref == i {
		return "reference"
	}
	if !rows[ref].enough() {
		return "no reference"
	}
	d, se := rows[i].against(rows[ref])
	return fmt.Sprintf("%+.2f ± %.2f %%", 100*d, 100*se)
}

// The block of the document that is this program's to write.
const (
	begin = "<!-- begin: written by bench/slices -->"
	end   = "<!-- end: written by bench/slices -->"
)

// write prints the tables, or puts them into the document.
func write(path string, out io.Writer, text string) error {
	if path == "" {
		_, err := io.WriteString(out, text)
		return err
	}
	old, err := disk.Read(path, 1<<20)
	if err != nil {
		return err
	}
	changed, err := replaceBlock(old, text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return disk.Write(path, func(w io.Writer) error { _, err := w.Write(changed); return err })
}

func replaceBlock(doc []byte, text string) ([]byte, error) {
	before, rest, ok := bytes.Cut(doc, []byte(begin))
	_, after, closed := bytes.Cut(rest, []byte(end))
	if !ok || !closed {
		return nil, fmt.Errorf("no block between %q and %q", begin, end)
	}
	return fmt.Appendf(nil, "%s%s\n%s%s%s", before, begin, text, end, after), nil
}
