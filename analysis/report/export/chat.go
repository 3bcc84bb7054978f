package export

import (
	"fmt"
	"io"

	"netab/analysis/escape"
	"netab/analysis/page"
)

// Chat writes one line for a chat message.
func Chat(w io.Writer, p *page.Page, _ Options) error {
	j, err := judged(p)
	if err == nil {
		_, err = fmt.Fprintln(w, page.OutcomeSymbol(j.Outcome), escape.Chat(j.Sentence))
	}
	return err
}
