package export

import (
	"bytes"
	"io"

	"netab/analysis/escape"
	"netab/results"
)

// RunFile writes a run as the run file that it came from.
func RunFile(w io.Writer, run *results.Run) error {
	var b bytes.Buffer
	if _, err := run.WriteTo(&b); err != nil {
		return err
	}
	_, err := w.Write(escape.JSON(b.Bytes()))
	return err
}
