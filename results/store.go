package results

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"netab/results/disk"
)

// A Store is a directory of runs, one directory each; a campaign, which has many, is
// one of them. It holds nothing else
// that matters: the index beside them (see Index) only saves time and is made
// anew where it does not fit, so runs may be copied in and deleted by hand.
type Store struct{ dir string }

// An Entry is one run of a store's list.
type Entry struct {
	ID       string
	Path     string // the run's directory
	Scenario string
	Kernel   string
	Started  time.Time
	Trials   int
	Reason   string // as in End, "cut off" without one
	// Of a campaign: its boots that have an outcome, and those of its plan (0 = it is
	// none). Kernel lists its kernels; Trials is 0.
	Boots, Planned int
	CopyOf         string // the run that this is another copy of; "" = none
	Err            error  // why this run cannot be read; the rest is then what the id tells

	run string // the id that its header has
}

// Open opens a store. A directory that does not exist is an empty store: the
// first run makes it.
func Open(dir string) (*Store, error) {
	info, err := os.Stat(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open the run store: %w", err)
	}
	if err == nil && !info.IsDir() {
		return nil, fmt.Errorf("run store %s is not a directory", dir)
	}
	return &Store{dir: dir}, nil
}

// List lists all runs by their start, the oldest first. A run that cannot be
// read is listed with its error. Only the ends of each file are read.
func (s *Store) List() ([]Entry, error) {
	ids, err := s.ids()
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, len(ids))
	for i, id := range ids {
		entries[i] = s.entry(id)
	}
	slices.SortStableFunc(entries, func(a, b Entry) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.ID, b.ID))
	})
	of := copies(len(entries), func(i int) (id, run string) { return entries[i].ID, entries[i].run })
	for i := range entries {
		entries[i].CopyOf = of[i]
	}
	return entries, nil
}

// copies says of each of n directories which one holds the same run and counts
// in its place, "" where it counts itself. That is the one that has the run's
// name, else the first. A run whose id is not known is nobody's copy.
func copies(n int, of func(i int) (id, run string)) []string {
	counts := map[string]string{}
	for i := range n {
		id, run := of(i)
		if first, ok := counts[run]; !ok || id == run && first != run {
			counts[run] = id
		}
	}
	out := make([]string, n)
	for i := range n {
		if id, run := of(i); run != "" && counts[run] != id {
			out[i] = counts[run]
		}
	}
	return out
}

// ids lists the directories that are runs, whole or broken.
func (s *Store) ids() ([]string, error) {
	dirs, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the run store: %w", err)
	}
	var ids []string
	for _, d := range dirs {
		if d.IsDir() && validID(d.Name()) == nil {
			ids = append(ids, d.Name())
		}
	}
	return ids, nil
}

func (s *Store) entry(id string) Entry {
	e := Entry{ID: id, Path: filepath.Join(s.dir, id)}
	if file := s.file(id); IsCampaign(file) {
		return e.ofCampaign(file)
	}
	o, err := readOutline(filepath.Join(e.Path, RunFile))
	if err != nil {
		e.Started, _ = idStart(id)
		e.Err = err
		return e
	}
	e.Scenario, e.Kernel, e.Started = o.header.Design.Name, o.header.Machine.Kernel, o.header.Started
	e.Trials, e.Reason, e.run = o.trials, o.reason, o.header.ID
	return e
}

// ofCampaign fills in what the record of a campaign says.
func (e Entry) ofCampaign(file string) Entry {
	c, err := readCampaign(file)
	if err != nil {
		e.Started, _ = idStart(e.ID)
		e.Err = err
		return e
	}
	h := &c.Header
	e.Scenario, e.Kernel, e.Started = h.Design.Name, h.kernels(), h.Started
	e.Boots, e.Planned, e.Reason, e.run = c.counted(), len(h.Planned), string(c.Reason()), h.ID
	return e
}

// kernels are their releases, each once.
func (h *CampaignHeader) kernels() string {
	var out []string
	for _, k := range h.Kernels {
		if name := cmp.Or(k.Release, k.Ref); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return strings.Join(out, ", ")
}

// file is what is to be read of an id: a run file, or the record of a campaign.
func (s *Store) file(id string) string { return fileIn(filepath.Join(s.dir, id)) }

// fileIn is that of a directory.
func fileIn(dir string) string {
	run, campaign := filepath.Join(dir, RunFile), filepath.Join(dir, CampaignFile)
	if !isFile(run) && isFile(campaign) {
		return campaign
	}
	return run
}

// Resolve finds the run that a person means by ref: an id, a prefix that only
// one id has, the path of a run's directory or file, or "latest". It returns
// the path of the run file, or of the record of a campaign (IsCampaign). One boot of
// a campaign is named by its number behind the id: "20261121-203045-loopback-rps-1a2b/3".
func (s *Store) Resolve(ref string) (string, error) {
	if ref == "" {
		return "", errors.New("no run named: give an id, a prefix of one, a path, or latest")
	}
	if ref == "latest" {
		l, err := s.Latest("")
		return l.Path, err
	}
	if file := s.file(ref); validID(ref) == nil && isFile(file) {
		return file, nil
	}
	if file := fileIn(ref); isFile(file) {
		return file, nil
	}
	if isFile(ref) {
		return ref, nil
	}
	if campaign, number, ok := strings.Cut(ref, "/"); ok && validID(campaign) == nil {
		if n, err := strconv.Atoi(number); err == nil {
			return s.bootOf(campaign, n)
		}
	}
	if strings.ContainsRune(ref, filepath.Separator) {
		return "", fmt.Errorf("no run at %s: want a run's directory or its %s", ref, RunFile)
	}
	return s.byPrefix(ref)
}

// bootOf is the run file of a boot of a campaign.
func (s *Store) bootOf(ref string, number int) (string, error) {
	path, err := s.Resolve(ref)
	if err != nil {
		return "", err
	}
	if !IsCampaign(path) {
		return "", fmt.Errorf("run %s is no campaign, so it has no boot %d", ref, number)
	}
	c, err := ReadCampaign(path)
	if err != nil {
		return "", err
	}
	for _, o := range c.Outcomes() {
		switch {
		case o.Number != number:
		case o.State == Whole:
			return filepath.Join(c.Dir, o.Boot.File), nil
		case o.State == Failed:
			return "", fmt.Errorf("boot %d of %s has no run: it failed (%s)", number, c.Header.ID, cmp.Or(o.Boot.Text, string(o.Boot.End)))
		default:
			return "", fmt.Errorf("boot %d of %s has no run yet", number, c.Header.ID)
		}
	}
	return "", fmt.Errorf("campaign %s has no boot %d: its %d boots are numbered from 0", c.Header.ID, number, len(c.Header.Planned))
}

func (s *Store) byPrefix(prefix string) (string, error) {
	ids, err := s.ids()
	if err != nil {
		return "", err
	}
	var found []string
	for _, id := range ids {
		if strings.HasPrefix(id, prefix) {
			found = append(found, id)
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("no run %q in %s; `netab results` lists them", prefix, s.dir)
	case 1:
		return s.file(found[0]), nil
	}
	const shown = 5
	more := ""
	if n := len(found) - shown; n > 0 {
		found, more = found[:shown], fmt.Sprintf(" and %d more", n)
	}
	return "", fmt.Errorf("run %q is ambiguous: %s%s", prefix, strings.Join(found, ", "), more)
}

// A Latest is the newest run of a store, and what speaks against taking it for
// the newest that was begun.
type Latest struct {
	Path     string // of its run file
	ID       string
	Scenario string
	Started  time.Time
	// Newer says what was begun after it and cannot be read, or left nothing to
	// be read; nil = nothing. Whoever judges must not judge this run instead.
	Newer error
}

// Latest is the newest run that can be read, of one scenario or ("") of any.
// The time comes from the id where it has one, so that few headers are read and
// not ten thousand; runs of the same second are told apart by their headers.
func (s *Store) Latest(scenario string) (Latest, error) {
	ids, err := s.ids()
	if err != nil {
		return Latest{}, err
	}
	type run struct {
		id    string
		start time.Time
	}
	var runs []run
	for _, id := range ids {
		start, ok := idStart(id)
		if !ok {
			h, err := readHeader(s.file(id))
			if err != nil {
				continue
			}
			start = h.Started.Truncate(time.Second)
		}
		runs = append(runs, run{id, start})
	}
	slices.SortFunc(runs, func(a, b run) int { return cmp.Or(b.start.Compare(a.start), cmp.Compare(b.id, a.id)) })
	var best Latest
	var unread error
	found := time.Time{} // the second of the best
	for _, r := range runs {
		if best.Path != "" && r.start.Before(found) {
			break
		}
		h, err := readHeader(s.file(r.id))
		switch {
		case err != nil && best.Path == "" && unread == nil:
			unread = fmt.Errorf("run %s, the newest, cannot be read: %w", r.id, err)
		case err != nil || scenario != "" && h.Design.Name != scenario:
		case best.Path == "" || h.Started.After(best.Started):
			best = Latest{Path: s.file(r.id), ID: r.id, Scenario: h.Design.Name, Started: h.Started}
			found = r.start
		}
	}
	if a, ok := s.lastAttempt(scenario, best.Started); ok {
		unread = a.err()
	}
	if best.Path == "" {
		of := ""
		if scenario != "" {
			of = " of " + scenario
		}
		if unread != nil {
			return Latest{}, fmt.Errorf("no readable run%s in %s: %w", of, s.dir, unread)
		}
		return Latest{}, fmt.Errorf("no readable run%s in %s yet; `netab run` makes one", of, s.dir)
	}
	best.Newer = unread
	return best, nil
}

// FileOf is the run file of a run of the store or of a campaign's boot, or the record
// of a campaign.
func (s *Store) FileOf(id string) string {
	if IsBoot(id) {
		file, _ := s.Resolve(id) // "" where it has none
		return file
	}
	return s.file(id)
}

// Own says why the run of a file is none of the store's own: it lies elsewhere,
// or others than this user and root wrote it, or can. nil = it is its own.
func (s *Store) Own(file string) error {
	dir := filepath.Dir(file)
	all := []string{dir, file}
	if boots := filepath.Dir(dir); filepath.Base(boots) == bootsDir { // of a campaign
		dir = filepath.Dir(boots)
		all = append(all, boots, dir)
	}
	here, err := filepath.EvalSymlinks(s.dir)
	if err != nil {
		return err
	}
	there, err := filepath.EvalSymlinks(filepath.Dir(dir))
	if err != nil {
		return err
	}
	if here, err = filepath.Abs(here); err != nil {
		return err
	}
	if there, err = filepath.Abs(there); err != nil {
		return err
	}
	if here != there {
		return fmt.Errorf("the run does not lie in the store %s", s.dir)
	}
	if IsCampaign(file) { // with all that it is judged by
		for _, below := range []string{"", "*", "*/*"} {
			more, _ := filepath.Glob(filepath.Join(dir, bootsDir, below))
			all = append(all, more...)
		}
	}
	for _, path := range all {
		if err := disk.Own(path); err != nil {
			return fmt.Errorf("of the run, %w", err)
		}
	}
	return nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
