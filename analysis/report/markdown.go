package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"netab/analysis"
)

// Markdown writes a summary for a CI job's page or a pull request: GitHub's
// dialect, nothing that needs scripts or images.
func Markdown(w io.Writer, s analysis.Summary) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "### %s\n\n", mdText(s.Question))
	if s.Answer != "" {
		fmt.Fprintf(b, "%s\n\n", mdText(s.Answer))
	}
	markdownTable(b, newVerdictTable(s))
	for i, c := range otherJudged(s) {
		if i == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(b, "- %s, %s: %s: %s **%s**\n", mdText(c.Arm), mdText(lowerFirst(infoOf(c.Metric).title)),
			mdText(otherText(s, &c)), verdictSymbol(c.Verdict), verdictWords(&c))
	}
	if rows := besideRows(s); len(rows) > 0 {
		b.WriteString("\nTraffic beside:\n\n")
		markdownLines(b, besideColumns(rows), len(rows))
	}
	fmt.Fprintf(b, "\n%s Run `%s`, seed %d.\n", mdText(basis(s)), mdCode(s.Run), s.Seed)
	for _, text := range interactionTexts(s) {
		fmt.Fprintf(b, "\n%s\n", mdText(text))
	}
	for _, m := range modeTexts(s) {
		fmt.Fprintf(b, "\n**%s:** %s\n", mdText(m.arm), mdText(m.text))
	}
	for i, r := range eventRows(s) {
		if i == 0 {
			b.WriteString("\nWhat else happened:\n\n")
		}
		fmt.Fprintf(b, "- %s\n", mdText(r.text()))
	}
	markdownConfounders(b, s.Confounders)
	if ws := shownWarnings(s); len(ws) > 0 {
		b.WriteString("\n")
		for _, w := range ws {
			mark := "⚠"
			if serious(w.Code) {
				mark = "⚠ **Attention:**"
			}
			fmt.Fprintf(b, "- %s %s (`%s`)\n", mark, mdText(w.Text), mdCode(w.Code))
		}
	}
	return b.Flush()
}

func markdownTable(b *bufio.Writer, v verdictTable) {
	if len(v.rows) == 0 {
		b.WriteString("No trial was completed: there is nothing to judge.\n")
		return
	}
	markdownLines(b, v.columns(), len(v.rows))
}

func markdownLines(b *bufio.Writer, cols []column, rows int) {
	head, rule := make([]string, len(cols)), make([]string, len(cols))
	for i, c := range cols {
		head[i] = mdText(strings.TrimSpace(c.group + " " + c.head))
		rule[i] = "---:"
		if c.left {
			rule[i] = "---"
		}
	}
	fmt.Fprintf(b, "| %s |\n| %s |\n", strings.Join(head, " | "), strings.Join(rule, " | "))
	for r := range rows {
		cells := make([]string, len(cols))
		for i, c := range cols {
			cells[i] = mdText(strings.TrimSpace(c.cells[r]))
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
	}
}

func markdownConfounders(b *bufio.Writer, cs []analysis.Confounder) {
	if len(cs) == 0 {
		return
	}
	b.WriteString("\nWhat else differs:\n\n| | A | B | |\n| --- | --- | --- | --- |\n")
	for _, c := range cs {
		mark := ""
		if c.Blocking {
			mark = "**not comparable**"
		} else if c.Declared {
			mark = "meant to differ"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", mdText(c.Name), mdText(c.A), mdText(c.B), mark)
	}
}

// mdText escapes what Markdown or a table would take as markup.
func mdText(s string) string { return mdEscaper.Replace(visible(s)) }

// mdCode keeps a word inside its backquotes.
func mdCode(s string) string {
	return strings.NewReplacer("`", "'", "|", "/").Replace(visible(s))
}

var mdEscaper = strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", "&lt;", ">", "&gt;", "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`)
