package results

import (
	"bufio"
	"bytes"
	"cmp"
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
	"netab/results/nesting"
	"netab/results/vocab"
)

var (
	codeTruncated        = vocab.Warns("truncated")
	codeDuplicateTrials  = vocab.Warns("duplicate-trials")
	codeTrialsOutOfOrder = vocab.Warns("trials-out-of-order")
)

// Warnings of files that are not what a run writes.
var (
	TrialsDiffer   = vocab.Warns("trials-differ")
	TrialsAfterEnd = vocab.Warns("trials-after-end")
	EndsDiffer     = vocab.Warns("ends-differ")
	TrialsMissing  = vocab.Warns("trials-missing")
)

// A ForeignLine is a line of a type that this version does not know.
type ForeignLine struct {
	Trials int // how many trials stood before it
	Raw    json.RawMessage
}

// ReadFile reads a run file, or the run file of a run's directory.
func ReadFile(path string) (*Run, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, RunFile)
	}
	run, err := readRunFile(path)
	if err == nil {
		run.ofCampaign(path)
	}
	return run, err
}

// readRunFile knows nothing of the campaign that the run may be of.
func readRunFile(path string) (*Run, error) {
	f, err := disk.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the run file: %w", err)
	}
	defer f.Close()
	run, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return run, nil
}

// Read reads a run file. Members and lines that this version does not know are
// kept. A last line that was cut off (a full disk, a power cut) is skipped, and
// what the file holds twice counts once; ReadWarnings say so. Any other fault is
// an error that names the line: a number that is out of range, too, for whoever
// uses one must be able to rely on it (see limits.go).
func Read(r io.Reader) (*Run, error) {
	in := reader{run: &Run{}, seen: map[int]sum{}, totals: make(totals)}
	if err := eachLine(r, maxFile, in.add, func(n, size int) {
		in.warn(codeTruncated, "line %d, the last, was cut off after %d bytes and is not used; the run was ended hard, the %d trials before are whole", n, size, len(in.run.Trials))
	}); err != nil {
		return nil, err
	}
	if in.run.Header.Type == "" {
		return nil, errors.New("empty: a run file starts with its header")
	}
	in.count()
	return in.run, nil
}

// eachLine hands the lines of a file of records to add, by their numbers from 1. A last
// one that was cut off, which add cannot use, is skipped, and torn is told of it.
func eachLine(r io.Reader, most int64, add func(n int, line []byte) error, torn func(n, size int)) error {
	lines := bufio.NewReaderSize(disk.AtMost(r, most), 1<<16)
	for n := 1; ; n++ {
		line, err := readLine(lines)
		whole := err == nil
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("line %d: %w", n, err)
		}
		line = bytes.TrimSpace(line)
		if len(line) > 0 || whole {
			err := add(n, line)
			if err != nil && !whole && n > 1 && !json.Valid(line) {
				torn(n, len(line))
			} else if err != nil {
				return err
			}
		}
		if !whole {
			return nil
		}
	}
}

// A kind is what every record says of itself.
type kind struct {
	Type   string `json:"type"`
	Schema string `json:"schema"`
}

// kindOf is that of line n. The header, of a type of its own, is the first line and no
// other.
func kindOf(n int, line []byte, header, called string) (k kind, err error) {
	if at := nesting.JSON(line); at > 0 {
		return k, fmt.Errorf("line %d, byte %d: %w", n, at, &nesting.Deep{Line: n, Column: at})
	}
	if err := json.Unmarshal(line, &k); err != nil {
		return k, lineError(n, err)
	}
	if (n == 1) != (k.Type == header) {
		return k, fmt.Errorf("line %d: type %q: %s must be the first line and the only one", n, k.Type, called)
	}
	return k, nil
}

// readLine is ReadBytes of a line that may not have any length.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if line = append(line, part...); len(line) > maxLine {
			return nil, fmt.Errorf("%w: a line of more than %d MiB", disk.ErrTooLarge, maxLine>>20)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// A reader puts a run together from its lines.
type reader struct {
	run       *Run
	seen      map[int]sum // trials' lines, by index
	end       sum         // the end's line
	repeated  int         // trials that were there already
	differing []int       // those that were, and were others
	late      int         // trials that stand behind the end and nowhere else
	ends      int         // further ends that say something else

	explainedTwice int // explain trials of an index that was there already
	totals         totals
}

// A sum stands for a line, of which there may be a great many long ones.
type sum = [sha256.Size]byte

func (in *reader) warn(code vocab.Code, format string, args ...any) {
	in.run.ReadWarnings = append(in.run.ReadWarnings, Warning{Code: code, Text: fmt.Sprintf(format, args...)})
}

// add decodes line n into the run.
func (in *reader) add(n int, line []byte) error {
	run := in.run
	kind, err := kindOf(n, line, "header", "the header")
	if err != nil {
		return err
	}
	switch kind.Type {
	case "header":
		if err := checkSchema(kind.Schema, SchemaRun, "run file"); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if err := json.Unmarshal(line, &run.Header); err != nil {
			return lineError(n, err)
		}
		return lineError(n, in.totals.header(&run.Header))
	case "trial":
		var t Trial
		if err := json.Unmarshal(line, &t); err != nil {
			return lineError(n, err)
		}
		if err := in.totals.trial(&t, len(run.Header.Design.Arms)); err != nil {
			return lineError(n, err)
		}
		in.trial(t, line)
	case "explain":
		var e Explain
		if err := json.Unmarshal(line, &e); err != nil {
			return lineError(n, err)
		}
		if err := in.totals.explain(&e, len(run.Header.Design.Arms)); err != nil {
			return lineError(n, err)
		}
		if slices.ContainsFunc(run.Explains, func(known Explain) bool { return known.Index == e.Index }) {
			in.explainedTwice++
		} else {
			run.Explains = append(run.Explains, e)
		}
	case "end":
		var e End
		if err := json.Unmarshal(line, &e); err != nil {
			return lineError(n, err)
		}
		if err := in.totals.end(&e); err != nil {
			return lineError(n, err)
		}
		switch {
		case run.End == nil:
			run.End, in.end = &e, sha256.Sum256(line)
		case in.end != sha256.Sum256(line):
			in.ends++
		}
	case "resumed":
		return in.resumed(n, line)
	case "":
		return fmt.Errorf(`line %d: a record without "type"`, n)
	default:
		run.Foreign = append(run.Foreign, ForeignLine{Trials: len(run.Trials), Raw: bytes.Clone(line)})
	}
	return nil
}

// trial keeps the first trial of an index. netab writes nothing behind the end:
// what stands there was not judged when the run decided that it was enough.
func (in *reader) trial(t Trial, line []byte) {
	own := sha256.Sum256(line)
	first, again := in.seen[t.Index]
	switch {
	case again && first == own:
		in.repeated++
	case again:
		in.differing = append(in.differing, t.Index)
	case in.run.End != nil:
		in.late++
	default:
		in.seen[t.Index] = own
		in.run.Trials = append(in.run.Trials, t)
	}
}

// count brings the trials into the order of their indices and says where they
// are not what a run writes: each once, all of them, in order, then one end.
func (in *reader) count() {
	trials := in.run.Trials
	byIndex := func(a, b Trial) int { return cmp.Compare(a.Index, b.Index) }
	if in.repeated > 0 {
		in.warn(codeDuplicateTrials, "%s in the file twice and %s once: the file was put together from copies", are(in.repeated, "trial"), count(in.repeated))
	}
	if n := len(in.differing); n > 0 {
		in.warn(TrialsDiffer, "%s in the file twice with different content (the first is trial %d), and nobody can know which is right; the first of each is used", are(n, "trial"), in.differing[0])
	}
	if in.late > 0 {
		in.warn(TrialsAfterEnd, "%s behind the end of the run and not used: the run was judged without", stand(in.late, "trial"))
	}
	if in.explainedTwice > 0 {
		in.warn(codeDuplicateTrials, "%s in the file more than once; the first of each is used", are(in.explainedTwice, "explain trial"))
	}
	if in.ends > 0 {
		in.warn(EndsDiffer, "the file has %d more ends that say something else; the first is used", in.ends)
	}
	if !slices.IsSortedFunc(trials, byIndex) {
		slices.SortFunc(trials, byIndex)
		in.warn(codeTrialsOutOfOrder, "the trials do not stand in the order in which they were measured; they were sorted by their index")
	}
	if n := len(trials); n > 0 && trials[n-1].Index != n-1 {
		missing := 0
		for missing < n && trials[missing].Index == missing {
			missing++
		}
		in.warn(TrialsMissing, "%s missing from the file (the first is trial %d): what is left may have been chosen by its outcome", are(trials[n-1].Index+1-n, "trial"), missing)
	}
}

func are(n int, noun string) string   { return verb(n, noun, "is", "are") }
func stand(n int, noun string) string { return verb(n, noun, "stands", "stand") }

func verb(n int, noun, one, several string) string {
	if n == 1 {
		return fmt.Sprintf("1 %s %s", noun, one)
	}
	return fmt.Sprintf("%d %ss %s", n, noun, several)
}

func count(n int) string {
	if n == 1 {
		return "counts"
	}
	return "count"
}

// checkSchema accepts the major version of its own that this package knows; a minor
// one ("netab/run/1.2") only adds what is kept as unknown.
func checkSchema(schema, own, what string) error {
	family, major := splitSchema(own)
	f, m := splitSchema(schema)
	switch {
	case f != family || m < 0:
		return fmt.Errorf("schema %q is not of a %s, want %s", schema, what, own)
	case m > major:
		return fmt.Errorf("schema %s is newer than this netab reads (%s): use a newer netab", schema, own)
	case m < major:
		return fmt.Errorf("schema %s is older than this netab reads (%s)", schema, own)
	}
	return nil
}

// splitSchema splits "netab/run/1.2" into "netab/run" and 1; -1 = no number.
func splitSchema(schema string) (family string, major int) {
	cut := strings.LastIndexByte(schema, '/')
	if cut < 0 {
		return schema, -1
	}
	number, minor, dotted := strings.Cut(schema[cut+1:], ".")
	if dotted {
		if _, err := strconv.ParseUint(minor, 10, 16); err != nil {
			return schema[:cut], -1
		}
	}
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return schema[:cut], -1
	}
	return schema[:cut], int(n)
}

// lineError says in which line, and where in it, decoding failed.
func lineError(n int, err error) error {
	if err == nil {
		return nil
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("line %d, byte %d: %w", n, syntax.Offset, err)
	}
	return fmt.Errorf("line %d: %w", n, err)
}
