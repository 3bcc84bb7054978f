package results

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"netab/results/disk"
	"netab/results/vocab"
)

// The limits of a campaign's record; the boots' runs have their own.
const (
	maxCampaign = 256 << 20 // bytes
	maxKernels  = 1000
	maxBoots    = 1 << 16
	maxAttempts = 1000
)

var (
	codeBootUnread    = vocab.Warns("boot-unread")
	codeBootDiffers   = vocab.Warns("boot-differs")
	codeBootUnplanned = vocab.Warns("boot-unplanned")
)

// ReadCampaign reads the record of a campaign, by its path or that of its directory,
// and the runs of its boots. As in a run file, members and lines that this version
// does not know are kept, a last line that was cut off is skipped, and any other fault
// is an error that names the line. A run that cannot be used makes its boot one that
// is missing; ReadWarnings say so.
func ReadCampaign(path string) (*Campaign, error) {
	c, err := readCampaign(path)
	if err != nil {
		return nil, err
	}
	for i := range c.Boots {
		b := &c.Boots[i]
		if b.End != vocab.Finished {
			continue
		}
		if b.Run, err = c.readRun(b); err != nil {
			b.Run, b.Fault = nil, err.Error()
			c.warn(codeBootUnread, "boot %d, attempt %d, counts as not booted: %v", b.Number, b.Attempt, err)
		}
	}
	return c, nil
}

// readCampaign leaves the runs alone.
func readCampaign(path string) (*Campaign, error) {
	c := &Campaign{}
	var err error
	if c.Dir, err = readRecord("campaign", path, CampaignFile, c.read); err != nil {
		return nil, err
	}
	return c, nil
}

// readRecord reads a record by its path or that of its directory, and says where it lies.
func readRecord(what, path, file string, read func(io.Reader) error) (dir string, err error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, file)
	}
	f, err := disk.Open(path)
	if err != nil {
		return "", fmt.Errorf("open the %s: %w", what, err)
	}
	defer f.Close()
	if err := read(f); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return filepath.Dir(path), nil
}

// readRun reads the run of a boot, which must have come to its end.
func (c *Campaign) readRun(b *Boot) (*Run, error) {
	if b.File != bootFile(b.Number, b.Attempt) {
		return nil, fmt.Errorf("its run is said to be %q, want %s", b.File, bootFile(b.Number, b.Attempt))
	}
	run, err := readRunFile(filepath.Join(c.Dir, b.File))
	switch {
	case err != nil:
		return nil, err
	case run.End == nil:
		return nil, errors.New("its run has no end")
	case run.End.Reason.Failed():
		return nil, fmt.Errorf("its run %s", run.End.Reason)
	}
	run.of(&c.Header, b.Number)
	return run, nil
}

// ofCampaign is of for the run of a boot, by where its file is. Other runs stay as they
// are.
func (r *Run) ofCampaign(path string) {
	dir := filepath.Dir(path)
	number, _, ok := strings.Cut(filepath.Base(dir), "-a")
	n, err := strconv.Atoi(number)
	if boots := filepath.Dir(dir); !ok || err != nil || filepath.Base(boots) != bootsDir || filepath.Base(path) != RunFile {
		return
	} else if c, err := readCampaign(filepath.Dir(boots)); err == nil {
		r.of(&c.Header, n)
	}
}

// of gives the run of a boot what its campaign knows and it cannot: which boot it is of,
// and what computed its CPUs.
func (r *Run) of(h *CampaignHeader, boot int) {
	r.Header.ID = BootID(h.ID, boot)
	if h.IsEmulated() {
		r.Header.Machine.Emulated = h.Guest.Accel
	}
}

func (c *Campaign) warn(code vocab.Code, format string, args ...any) {
	c.ReadWarnings = append(c.ReadWarnings, Warning{Code: code, Text: fmt.Sprintf(format, args...)})
}

func (c *Campaign) read(r io.Reader) error {
	in := campaignReader{c: c, seen: map[[2]int]sum{}, planned: map[int]int{}, totals: make(totals)}
	if err := eachLine(r, maxCampaign, in.add, func(n, size int) {
		c.warn(codeTruncated, "line %d, the last, was cut off after %d bytes and is not used; the campaign was ended hard, the %d lines before are whole", n, size, n-1)
	}); err != nil {
		return err
	}
	if c.Header.Type == "" {
		return errors.New("empty: a campaign starts with its header")
	}
	return nil
}

type campaignReader struct {
	c       *Campaign
	seen    map[[2]int]sum // lines of boots, by number and attempt
	planned map[int]int    // kernels, by the number of the boot
	totals  totals
}

// add decodes line n into the campaign.
func (in *campaignReader) add(n int, line []byte) error {
	c := in.c
	kind, err := kindOf(n, line, "campaign", "the header of the campaign")
	if err != nil {
		return err
	}
	switch kind.Type {
	case "campaign":
		if err := checkSchema(kind.Schema, SchemaCampaign, "campaign"); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		h := &c.Header
		if err := json.Unmarshal(line, h); err != nil {
			return lineError(n, err)
		}
		err := in.totals.check(h)
		if err == nil {
			err = checkPlan(h)
		}
		for _, p := range h.Planned {
			in.planned[p.Number] = p.Kernel
		}
		return lineError(n, err)
	case "boot":
		var b Boot
		if err := json.Unmarshal(line, &b); err != nil {
			return lineError(n, err)
		}
		if err := in.totals.check(&b); err != nil {
			return lineError(n, err)
		}
		in.boot(b, line)
	case "more-boots":
		var m MoreBoots
		if err := json.Unmarshal(line, &m); err != nil {
			return lineError(n, err)
		}
		err := in.totals.check(&m)
		if err == nil {
			err = c.more(m)
		}
		for _, p := range m.Planned {
			in.planned[p.Number] = p.Kernel
		}
		return lineError(n, err)
	case "end":
		var e CampaignEnd
		if err := json.Unmarshal(line, &e); err != nil {
			return lineError(n, err)
		}
		c.End = &e
	case "":
		return fmt.Errorf(`line %d: a record without "type"`, n)
	default:
		c.Foreign = append(c.Foreign, ForeignLine{Trials: len(c.Boots), Raw: bytes.Clone(line)})
	}
	return nil
}

// more adds boots to the plan, which goes on.
func (c *Campaign) more(m MoreBoots) error {
	longer := c.Header
	longer.Planned = slices.Concat(c.Header.Planned, m.Planned)
	if err := checkPlan(&longer); err != nil {
		return err
	}
	m.after = len(c.Boots)
	c.Header.Planned, c.More, c.End = longer.Planned, append(c.More, m), nil
	return nil
}

// boot keeps the first line of each attempt. A campaign that goes on after its end
// was resumed, and has none until it ends again.
func (in *campaignReader) boot(b Boot, line []byte) {
	own := sha256.Sum256(line)
	key := [2]int{b.Number, b.Attempt}
	first, again := in.seen[key]
	kernel, planned := in.planned[b.Number]
	switch {
	case again && first == own: // a copy
	case again:
		in.c.warn(codeBootDiffers, "attempt %d at boot %d is in the file twice with different content, and nobody can know which is right; the first is used", b.Attempt, b.Number)
	case !planned || kernel != b.Kernel:
		in.c.warn(codeBootUnplanned, "boot %d of kernel %d is not in the campaign's plan, and is not used", b.Number, b.Kernel)
	default:
		in.seen[key] = own
		in.c.Boots, in.c.End = append(in.c.Boots, b), nil
	}
}

// checkPlan holds a header to what everybody relies on.
func checkPlan(h *CampaignHeader) error {
	none := func(at string, format string, args ...any) error {
		return &outOfRange{at, fmt.Sprintf(format, args...)}
	}
	if n := len(h.Kernels); n < 1 || n > maxKernels {
		return none("kernels", "%d kernels, want 1 to %d", n, maxKernels)
	}
	if n := len(h.Planned); n > maxBoots {
		return none("boots", "%d boots, where %d at most are read", n, maxBoots)
	}
	if n := len(h.Design.Arms); n > maxArms {
		return none("design.arms", "%d arms, where %d at most are read", n, maxArms)
	}
	seen := map[int]bool{}
	for i, p := range h.Planned {
		switch at := fmt.Sprintf("boots[%d]", i); {
		case p.Kernel < 0 || p.Kernel >= len(h.Kernels):
			return none(at+".kernel", "%d is out of range: there are %d kernels", p.Kernel, len(h.Kernels))
		case seen[p.Number]:
			return none(at+".number", "%d is there twice", p.Number)
		}
		seen[p.Number] = true
	}
	return nil
}

// WriteTo writes the record anew, lines of unknown types where they stood. The boots'
// runs are files of their own.
func (c *Campaign) WriteTo(w io.Writer) (int64, error) {
	var b bytes.Buffer
	put := func(record any) error {
		line, err := encodeLine(record)
		b.Write(line)
		return err
	}
	h, foreign, more := c.Header, c.Foreign, c.More
	h.Type, h.Schema = "campaign", SchemaCampaign
	for _, m := range more {
		h.Planned = h.Planned[:max(0, len(h.Planned)-len(m.Planned))]
	}
	err := put(h)
	for i := 0; err == nil && i <= len(c.Boots); i++ {
		for err == nil && len(more) > 0 && more[0].after <= i {
			more[0].Type = "more-boots"
			err = put(more[0])
			more = more[1:]
		}
		for len(foreign) > 0 && foreign[0].Trials <= i {
			b.Write(append(bytes.Clone(foreign[0].Raw), '\n'))
			foreign = foreign[1:]
		}
		if i < len(c.Boots) {
			boot := c.Boots[i]
			boot.Type = "boot"
			err = put(boot)
		}
	}
	if err == nil && c.End != nil {
		e := *c.End
		e.Type = "end"
		err = put(e)
	}
	if err != nil {
		return 0, err
	}
	return b.WriteTo(w)
}

// IsCampaign says whether a path that Resolve returned is that of a campaign.
func IsCampaign(path string) bool { return filepath.Base(path) == CampaignFile }

// counted is how many boots of the plan have an outcome, as far as the record tells
// without the runs.
func (c *Campaign) counted() int {
	seen := map[int]bool{}
	for _, b := range c.Boots {
		if b.End == vocab.Finished || b.End.OfKernel() {
			seen[b.Number] = true
		}
	}
	return len(seen)
}
