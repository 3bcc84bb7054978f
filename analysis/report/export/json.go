package export

import (
	"bytes"
	"encoding/json"
	"io"

	"netab/analysis/escape"
	"netab/analysis/page"
)

// JSON writes what a page is of as one document, which says all that there is,
// and is no danger to the terminal or the log that it may be printed on.
func JSON(w io.Writer, p *page.Page, _ Options) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(p.Data); err != nil {
		return err
	}
	_, err := w.Write(escape.JSON(b.Bytes()))
	return err
}
