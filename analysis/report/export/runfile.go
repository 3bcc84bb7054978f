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

// CampaignFile writes a campaign as its record, without the runs of its boots.
func CampaignFile(w io.Writer, c *results.Campaign) error {
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return err
	}
	_, err := w.Write(escape.JSON(b.Bytes()))
	return err
}
