package results

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"netab/results/crew"
	"netab/results/disk"
	"netab/results/vocab"
)

// SchemaIndex names the format of the index file.
const SchemaIndex = "netab/index/1"

// IndexFile is the name of the index in the store's directory.
const IndexFile = ".index.jsonl"

// maxIndex bounds what is read of one, bytes: that of a million runs.
const maxIndex = 1 << 30

// A Digest is what the index keeps of one run, so that a history of thousands
// of runs is drawn without reading them. What it concludes is up to whoever
// makes it (package analysis/trend); here it is only kept.
type Digest struct {
	ID       string // the name of its directory
	Run      string // the id that its header has, by which copies are known; "" = unreadable
	Started  time.Time
	Scenario string
	Boot     string
	Source   string // of the scenario: file path, or builtin:NAME
	Unused   string // why the run is no point of any series; "" = it is
	// Facts are what else could explain a change, by name ("kernel",
	// "sysctl net.core.rmem_max"). Runs share one map: do not change it.
	Facts  map[string]string
	Series []SeriesKey // shared too
	Values []float64   // by series, all finite
	// Asked is short for the question: all that the arms were asked to be, knobs
	// included, and what each is called; "" where that is not recorded. Semantics are
	// the build's. State is the machine's during the run, as its canaries told it, by
	// name; nil = none was told, or several shared it.
	Asked     string
	Semantics int
	State     map[string]float64
	Effects   []DigestEffect // judged
}

// A DigestEffect is a judged change of a run on the scale that it is compared on
// (logarithms, or differences), with its standard error and the degrees of freedom
// of that.
type DigestEffect struct {
	Arm      string  `json:"arm"`
	Baseline string  `json:"baseline"`
	Metric   string  `json:"metric"`
	X        float64 `json:"x"`
	SE       float64 `json:"se"`
	DF       float64 `json:"df"`
	// Lo, Hi and Verdict are as the run was judged, for people to read: the interval is
	// of the change itself.
	Lo      float64 `json:"lo"`
	Hi      float64 `json:"hi"`
	Verdict string  `json:"verdict"`
}

// A SeriesKey says of what a value of a run is.
type SeriesKey struct {
	Arm     string `json:"arm"`
	Against string `json:"against,omitempty"` // baseline arm, where the value is a change against it
	Metric  string `json:"metric"`
	// Traffic and Question tell arms of one name apart that are not the same:
	// Traffic in the few words that every record has, Question as the hash of the
	// arm's description (Description.Question), "" where there is none.
	Traffic    string  `json:"traffic,omitempty"`
	Question   string  `json:"question,omitempty"`
	Judged     bool    `json:"judged,omitempty"`
	Resolution float64 `json:"resolution,omitempty"`
	// Missing: the run was to judge it and has no figure of it; its value is 0 and
	// means nothing.
	Missing bool `json:"missing,omitempty"`
}

// An Index is the digests of all runs of a store, by their start.
type Index struct {
	Runs []Digest
	// Read counts the run files that had to be read, because the index did
	// not have them as they are now.
	Read int
	// Stale says why the index file was not used at all; "" = it was.
	Stale string
	// NotKept says why the index file could not be written; the next time
	// takes as long as this one.
	NotKept error
}

// Index digests all runs of the store. What was digested before is taken from
// the index file: an entry counts while size and time of its run file are what
// they were, and a file that is missing, damaged, of another format or of
// another version of digest is made anew. It holds nothing that the runs do
// not, so it may be deleted at any time.
//
// It is one plain file because it is always read whole and written rarely:
// ten thousand runs are some megabytes, read in a fraction of a second; a
// database would add a dependency, a lock and a format that nothing else here
// reads, and would not be faster at reading everything.
//
// progress, if not nil, is told how many of the runs to read have been read.
func (s *Store) Index(version string, digest func(*Run) Digest, progress func(done, of int)) (*Index, error) {
	all, err := s.indexed()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(s.dir, IndexFile)
	known, err := loadIndex(file, version)
	x := &Index{}
	if err != nil {
		x.Stale = err.Error()
	}
	entries := make([]indexEntry, len(all))
	var missing []int
	for i, r := range all {
		entries[i] = indexEntry{Digest: Digest{ID: r.id}}
		if info, err := os.Stat(r.file); err == nil {
			entries[i].size, entries[i].modified = info.Size(), info.ModTime().UnixNano()
		}
		if k, ok := known[r.id]; ok && k.size == entries[i].size && k.modified == entries[i].modified {
			entries[i] = k
			continue
		}
		missing = append(missing, i)
	}
	digestAll(all, entries, missing, digest, progress)
	x.Read = len(missing)
	if len(missing) > 0 || len(known) != len(all) {
		x.NotKept = saveIndex(file, version, entries)
	}
	for _, e := range entries {
		x.Runs = append(x.Runs, e.Digest)
	}
	// Of copies one counts. That is of the store and not of the runs, so the
	// index file does not hold it.
	for i, of := range copies(len(x.Runs), func(i int) (id, run string) { return x.Runs[i].ID, x.Runs[i].Run }) {
		if d := &x.Runs[i]; of != "" {
			*d = Digest{ID: d.ID, Run: d.Run, Started: d.Started, Unused: "a copy of run " + of}
		}
	}
	slices.SortStableFunc(x.Runs, func(a, b Digest) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.ID, b.ID))
	})
	return x, nil
}

func (s *Store) runFile(id string) string { return filepath.Join(s.dir, id, RunFile) }

// An indexedRun is a run of the store, or a boot of a campaign, of which each is one.
type indexedRun struct {
	id   string
	file string // whose size and time say whether it is as it was
	read func() (*Run, error)
	// failed is the digest of a boot that has no run; nil = it has.
	failed *Digest
}

// indexed lists all runs of the store, the boots of its campaigns among them.
func (s *Store) indexed() ([]indexedRun, error) {
	ids, err := s.ids()
	if err != nil {
		return nil, err
	}
	var out []indexedRun
	for _, id := range ids {
		file := s.file(id)
		if !IsCampaign(file) {
			out = append(out, indexedRun{id: id, file: file, read: func() (*Run, error) { return ReadFile(file) }})
			continue
		}
		c, err := readCampaign(file)
		if err != nil {
			out = append(out, indexedRun{id: id, file: file, read: func() (*Run, error) { return nil, err }})
			continue
		}
		out = append(out, c.indexed(id, file)...)
	}
	return out, nil
}

// indexed are the boots that have an outcome, by the name of the campaign's directory.
func (c *Campaign) indexed(id, file string) (out []indexedRun) {
	seen := map[int]bool{}
	for i := range c.Boots {
		b := &c.Boots[i]
		r := indexedRun{id: BootID(id, b.Number), file: file}
		switch {
		case seen[b.Number]:
			continue
		case b.End == vocab.Finished:
			r.file, r.read = filepath.Join(c.Dir, bootFile(b.Number, b.Attempt)), func() (*Run, error) { return c.readRun(b) }
		case b.End.OfKernel():
			r.failed = &Digest{ID: r.id, Run: BootID(c.Header.ID, b.Number), Started: b.Started, Scenario: c.Header.Design.Name, Source: c.Header.Source,
				Unused: fmt.Sprintf("kernel %s failed: %s", cmp.Or(c.Header.Kernels[b.Kernel].Release, c.Header.Kernels[b.Kernel].Ref), cmp.Or(b.Text, string(b.End)))}
		default:
			continue
		}
		seen[b.Number] = true
		out = append(out, r)
	}
	return out
}

// digestAll reads the missing runs on all CPUs.
func digestAll(all []indexedRun, entries []indexEntry, missing []int, digest func(*Run) Digest, progress func(done, of int)) {
	var told sync.Mutex
	done := 0
	crew.Share(0, len(missing), func(next func() (int, bool)) { // digestOne's errors are in the digests
		for i, ok := next(); ok; i, ok = next() {
			entries[missing[i]].Digest = all[missing[i]].digest(digest)
			told.Lock()
			done++
			if progress != nil {
				progress(done, len(missing))
			}
			told.Unlock()
		}
	})
}

func (r indexedRun) digest(digest func(*Run) Digest) Digest {
	if r.failed != nil {
		return *r.failed
	}
	run, err := r.read()
	if err != nil {
		started, _ := idStart(r.id)
		return Digest{ID: r.id, Started: started, Unused: "unreadable: " + err.Error()}
	}
	d := digest(run)
	// The directory's name is what finds it again.
	d.ID, d.Run, d.Started = r.id, run.Header.ID, run.Header.Started
	return d
}

// An indexEntry is a digest and what its run file looked like.
type indexEntry struct {
	Digest
	size, modified int64
}

// An indexLine is one line of the file after its first: one member is set.
// Facts and lists of series repeat from run to run, so they are written once
// and numbered in the order in which they come.
type indexLine struct {
	Facts  map[string]string `json:"facts,omitempty"`
	Series []SeriesKey       `json:"series,omitempty"`
	Run    *indexRun         `json:"run,omitempty"`
}

type indexRun struct {
	ID       string    `json:"id"`
	Run      string    `json:"run,omitempty"`
	Size     int64     `json:"size"`
	Modified int64     `json:"modified_ns"`
	Started  time.Time `json:"started"`
	Scenario string    `json:"scenario,omitempty"`
	Boot     string    `json:"boot,omitempty"`
	Source   string    `json:"source,omitempty"`
	Unused   string    `json:"unused,omitempty"`
	Facts    int       `json:"facts"`  // number of the line of facts, from 1; 0 = none
	Series   int       `json:"series"` // likewise
	Values   []float64 `json:"values,omitempty"`

	Asked     string             `json:"asked,omitempty"`
	Semantics int                `json:"semantics,omitempty"`
	State     map[string]float64 `json:"state,omitempty"`
	Effects   []DigestEffect     `json:"effects,omitempty"`
}

// An indexHead is the first line. The sum is of all that follows: an index is
// right as a whole, or not used.
type indexHead struct {
	Schema string `json:"schema"`
	Digest string `json:"digest"` // version of the digest
	Sum    string `json:"crc32c"`
}

func checksum(b []byte) string {
	return fmt.Sprintf("%08x", crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

// loadIndex reads the index file. The error says why it is not used; then the
// map is empty.
func loadIndex(file, version string) (map[string]indexEntry, error) {
	data, err := disk.Read(file, maxIndex)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("there was none")
	}
	if err != nil {
		return nil, err
	}
	return parseIndex(data, version)
}

func parseIndex(data []byte, version string) (map[string]indexEntry, error) {
	first, rest, _ := bytes.Cut(data, []byte("\n"))
	var head indexHead
	switch err := json.Unmarshal(first, &head); {
	case err != nil:
		return nil, fmt.Errorf("line 1: %w", err)
	case head.Schema != SchemaIndex:
		return nil, fmt.Errorf("schema %q, want %s", head.Schema, SchemaIndex)
	case head.Digest != version:
		return nil, fmt.Errorf("made for version %q of its content, want %q", head.Digest, version)
	case head.Sum != checksum(rest):
		return nil, errors.New("damaged: its checksum is wrong")
	}
	return parseIndexLines(rest)
}

func parseIndexLines(data []byte) (map[string]indexEntry, error) {
	found := map[string]indexEntry{}
	facts, series := []map[string]string{nil}, [][]SeriesKey{nil}
	for n := 2; len(data) > 0; n++ {
		var text []byte
		text, data, _ = bytes.Cut(data, []byte("\n"))
		var l indexLine
		if err := json.Unmarshal(text, &l); err != nil {
			return nil, lineError(n, err)
		}
		switch {
		case l.Run != nil:
			e, err := l.Run.entry(facts, series)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
			found[e.ID] = e
		case len(l.Facts) > 0:
			facts = append(facts, l.Facts)
		case len(l.Series) > 0:
			series = append(series, l.Series)
		default:
			return nil, fmt.Errorf("line %d: holds neither facts nor series nor a run", n)
		}
	}
	return found, nil
}

func (r *indexRun) entry(facts []map[string]string, series [][]SeriesKey) (indexEntry, error) {
	switch {
	case validIndexed(r.ID) != nil:
		return indexEntry{}, validIndexed(r.ID)
	case r.Facts < 0 || r.Facts >= len(facts):
		return indexEntry{}, fmt.Errorf("run %s: no facts %d", r.ID, r.Facts)
	case r.Series < 0 || r.Series >= len(series):
		return indexEntry{}, fmt.Errorf("run %s: no series %d", r.ID, r.Series)
	case len(r.Values) != len(series[r.Series]):
		return indexEntry{}, fmt.Errorf("run %s: %d values of %d series", r.ID, len(r.Values), len(series[r.Series]))
	}
	return indexEntry{size: r.Size, modified: r.Modified, Digest: Digest{
		ID: r.ID, Run: r.Run, Started: r.Started, Scenario: r.Scenario, Boot: r.Boot, Source: r.Source, Unused: r.Unused,
		Facts: facts[r.Facts], Series: series[r.Series], Values: r.Values,
		Asked: r.Asked, Semantics: r.Semantics, State: r.State, Effects: r.Effects,
	}}, nil
}

// saveIndex writes the index: a reader sees the old one or the new one. Two
// writers at once do no harm, for each writes what the runs say.
func saveIndex(file, version string, entries []indexEntry) error {
	body, err := encodeIndex(entries)
	if err != nil {
		return err
	}
	head, err := encodeLine(indexHead{Schema: SchemaIndex, Digest: version, Sum: checksum(body)})
	if err != nil {
		return err
	}
	dir, err := disk.OpenDir(filepath.Dir(file))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Write(filepath.Base(file), func(w io.Writer) error {
		_, err := io.Copy(w, io.MultiReader(bytes.NewReader(head), bytes.NewReader(body)))
		return err
	})
}

func encodeIndex(entries []indexEntry) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	facts, series := numbering{}, numbering{}
	for _, e := range entries {
		r := indexRun{ID: e.ID, Size: e.size, Modified: e.modified, Started: e.Started, Scenario: e.Scenario,
			Boot: e.Boot, Source: e.Source, Unused: e.Unused, Values: e.Values, Run: e.Run,
			Asked: e.Asked, Semantics: e.Semantics, State: e.State, Effects: e.Effects}
		if slices.ContainsFunc(e.Values, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }) {
			return nil, fmt.Errorf("run %s: a value is not finite", e.ID)
		}
		var err error
		if len(e.Facts) > 0 {
			r.Facts, err = facts.number(enc, indexLine{Facts: e.Facts})
		}
		if err == nil && len(e.Series) > 0 {
			r.Series, err = series.number(enc, indexLine{Series: e.Series})
		}
		if err == nil {
			err = enc.Encode(indexLine{Run: &r})
		}
		if err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// A numbering numbers lines by their text, from 1.
type numbering map[string]int

// number writes the line where it is new.
func (n numbering) number(enc *json.Encoder, l indexLine) (int, error) {
	text, err := json.Marshal(l) // sorts maps
	if err != nil {
		return 0, err
	}
	if at, ok := n[string(text)]; ok {
		return at, nil
	}
	n[string(text)] = len(n) + 1
	return len(n), enc.Encode(l)
}
