package results

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"netab/results/disk"
)

// Bounds of what is kept of a console, which the kernel under test writes.
const (
	maxConsole     = 60  // lines
	maxConsoleLine = 400 // bytes
)

// A CampaignWriter appends to the record of a campaign as a Writer does to a run's,
// and makes the run files of its boots. Only one at a time has a campaign.
type CampaignWriter struct{ lines }

// CreateCampaign makes the directory store/id with the record of a campaign that has
// a header and no boot yet. It never touches an existing run. Type, Schema and ID of
// the header are filled in.
func CreateCampaign(store, id string, h CampaignHeader) (*CampaignWriter, error) {
	if err := validID(id); err != nil {
		return nil, err
	}
	h.Type, h.Schema, h.ID = "campaign", SchemaCampaign, id
	if err := checkPlan(&h); err != nil {
		return nil, fmt.Errorf("campaign %s: %w", id, err)
	}
	w := &CampaignWriter{lines{what: "campaign", path: filepath.Join(store, id, CampaignFile)}}
	if err := w.begin(store, id, h); err != nil {
		return nil, err
	}
	if err := w.alone(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	if err := (&Store{dir: store}).recorded(h.Source, h.Design.Name, h.Started); err != nil {
		return nil, errors.Join(fmt.Errorf("the run store: %w", err), w.Close())
	}
	return w, nil
}

// ResumeCampaign opens a campaign to go on with it: what its record holds, and the
// writer of what follows. A last line that was cut off is taken away.
func ResumeCampaign(path string) (w *CampaignWriter, c *Campaign, err error) {
	w = &CampaignWriter{lines{what: "campaign"}}
	if err := w.reopen(path, CampaignFile, maxCampaign, func(path string) (err error) { c, err = ReadCampaign(path); return err }); err != nil {
		return nil, nil, err
	}
	return w, c, nil
}

// AppendMore adds boots to the plan, which c, read from the same record, has then too.
func (w *CampaignWriter) AppendMore(c *Campaign, m MoreBoots) error {
	m.Type = "more-boots"
	if err := c.more(m); err != nil {
		return fmt.Errorf("campaign %s: %w", filepath.Dir(w.path), err)
	}
	return w.append(m)
}

// AppendBoot appends how an attempt at a boot ended.
func (w *CampaignWriter) AppendBoot(b Boot) error {
	b.Type = "boot"
	if n := len(b.Console); n > maxConsole {
		b.Console = b.Console[n-maxConsole:]
	}
	console := make([]string, 0, len(b.Console))
	for _, line := range b.Console {
		line = strings.ToValidUTF8(line, "\uFFFD")
		if len(line) > maxConsoleLine {
			line = strings.ToValidUTF8(line[:maxConsoleLine], "") + " …"
		}
		console = append(console, line)
	}
	b.Console = console
	return w.append(b)
}

// End appends why no more boots follow, and closes the record.
func (w *CampaignWriter) End(e CampaignEnd) error {
	e.Type = "end"
	return errors.Join(w.append(e), w.Close())
}

// A BootWriter appends the lines of a boot's run to its file as they come.
type BootWriter struct {
	lines
	Attempt int
	File    string // as Boot.File
}

// BeginBoot makes the run file of the next attempt at a boot. What an attempt left
// that was cut off stays where it is.
func (w *CampaignWriter) BeginBoot(number int) (*BootWriter, error) {
	boots, err := disk.MakeDir(filepath.Join(w.Dir(), bootsDir))
	if err != nil {
		return nil, fmt.Errorf("make the directory of the campaign's boots: %w", err)
	}
	defer boots.Close()
	for attempt := 1; attempt <= maxAttempts; attempt++ {
		file := bootFile(number, attempt)
		dir, err := boots.Mkdir(filepath.Base(filepath.Dir(file)))
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("make the boot's directory %s: %w", filepath.Join(w.Dir(), filepath.Dir(file)), err)
		}
		defer dir.Close()
		b := &BootWriter{lines: lines{what: "run file", path: filepath.Join(w.Dir(), file)}, Attempt: attempt, File: file}
		if b.file, err = dir.Create(RunFile); err != nil {
			return nil, fmt.Errorf("make the run file %s: %w", b.path, err)
		}
		return b, errors.Join(dir.Sync(), boots.Sync())
	}
	return nil, fmt.Errorf("boot %d of the campaign %s was tried %d times: that is enough", number, w.Dir(), maxAttempts)
}

// ErrNoLine is the error of a line that is none of a run file.
var ErrNoLine = errors.New("it is no line of a run file")

// Line appends a line of the run, with its newline or without. What is no line of a
// run file is refused: it comes out of a machine that may be in any state.
func (b *BootWriter) Line(line []byte) error {
	line = bytes.TrimRight(line, "\r\n")
	switch {
	case len(line) == 0:
		return nil
	case len(line) > maxLine || b.size+int64(len(line)) > maxFile:
		return fmt.Errorf("line %d of the boot's run: %w: %w", b.count+1, ErrNoLine, disk.ErrTooLarge)
	case bytes.IndexByte(line, '\n') >= 0 || !json.Valid(line):
		return fmt.Errorf("line %d of the boot's run, %.60q: %w", b.count+1, line, ErrNoLine)
	}
	return b.write(append(bytes.Clone(line), '\n'))
}

// Empty says that nothing was written.
func (b *BootWriter) Empty() bool { return b.count == 0 }

// Read reads what was written so far.
func (b *BootWriter) Read() (*Run, error) { return ReadFile(b.path) }
