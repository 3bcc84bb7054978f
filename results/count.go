package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"netab/results/disk"
	"netab/results/nesting"
)

// SchemaCount names the format of a count's record.
const SchemaCount = "netab/counted/1"

// countsDir holds counts, in the store's directory, under a name that no run has: a file
// each, which is whole or not there.
const countsDir = ".counts"

const (
	maxCount       = 64 << 20 // bytes
	maxFunctions   = 1 << 18  // rows of one boot
	maxCountKinds  = 1000     // kernels × arms
	maxCountBoots  = 1 << 16
	maxFunctionKey = 512
)

// A Count is how many instructions so many messages took on some kernels: what each boot
// said, and nothing that was concluded from it.
type Count struct {
	Schema   string          `json:"schema"`
	ID       string          `json:"id"`
	Name     string          `json:"name"` // of the scenario
	Source   string          `json:"source"`
	Scenario json.RawMessage `json:"scenario"`
	Unit     string          `json:"unit"` // one of CountUnits
	Guest    Guest           `json:"guest"`
	// What beside the guest and the kernel has to be equal for counts to be comparable.
	Cmdline  []string    `json:"cmdline"`
	Warmup   int64       `json:"warmup_messages"`
	Messages int64       `json:"counted_messages"`
	Kernels  []Kernel    `json:"kernels"`
	Kinds    []CountKind `json:"kinds"` // the first is what the others are compared with
	Boots    []CountBoot `json:"count_boots"`
	Netab    Build       `json:"netab"`
	Command  []string    `json:"command"`
	Started  time.Time   `json:"started"`
	Ended    time.Time   `json:"ended"`
	// Planned are the boots that were to be; 0 = those that there are.
	Planned int `json:"planned,omitempty"`
}

// Units of counts. A transaction is two messages: a request, and what answers it.
const (
	PerMessage     = "message"
	PerTransaction = "transaction"
	PerByte        = "byte" // of payload that was received; of transactions, of the requests
)

// CountUnits are all of them.
var CountUnits = []string{PerMessage, PerTransaction, PerByte}

// Of is how many units of a count a boot had.
func (c *Count) Of(b *CountBoot) float64 {
	switch {
	case c.Unit == PerByte:
		return float64(b.Bytes)
	case c.Unit == PerMessage && b.Answers:
		return 2 * float64(b.Units)
	}
	return float64(b.Units)
}

// A CountKind is an arm on a kernel.
type CountKind struct {
	Arm    string `json:"name"`
	Kernel int    `json:"kernel"`
}

// A CountBoot is one boot of a kind.
type CountBoot struct {
	Kind    int      `json:"kind"`
	Seed    uint64   `json:"seed"`
	End     string   `json:"end"`
	Text    string   `json:"text,omitempty"`
	Console []string `json:"console,omitempty"` // of one that failed
	// Of one that finished.
	Instructions int64 `json:"instructions"` // of all that was executed
	Source       int64 `json:"source_instructions"`
	Sink         int64 `json:"sink_instructions"`
	Units        int64 `json:"units"` // that were received, or answered
	Bytes        int64 `json:"bytes"`
	Lost         int64 `json:"lost,omitempty"`
	Calls        int64 `json:"receive_calls"`
	Acks         int64 `json:"segments"` // of TCP, that came: data and acknowledgements
	Turns        bool  `json:"turns,omitempty"`
	Answers      bool  `json:"answers,omitempty"` // units are transactions
	// Functions are what a logged boot executed, by role, context and function.
	Functions []CountFunction `json:"functions,omitempty"`
}

// A CountFunction is what a function of the kernel had in all.
type CountFunction struct {
	Role         string `json:"role"`
	Context      string `json:"context"`
	Function     string `json:"function"`
	Instructions int64  `json:"n"`
}

// Finished says whether it counted.
func (b *CountBoot) Finished() bool { return b.End == "finished" }

// WriteCount keeps a count in a store's directory.
func WriteCount(store string, c *Count) (path string, err error) {
	if err := validID(c.ID); err != nil {
		return "", err
	}
	c.Schema = SchemaCount
	if err := c.check(); err != nil {
		return "", err
	}
	dir := filepath.Join(store, countsDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("keep the count: %w", err)
	}
	path = filepath.Join(dir, c.ID+".json")
	return path, disk.Write(path, func(w io.Writer) error { return json.NewEncoder(w).Encode(c) })
}

// ReadCount reads one by its id, or by its file. A count that there is none of is
// fs.ErrNotExist.
func ReadCount(store, ref string) (*Count, error) {
	path := ref
	if !strings.HasSuffix(ref, ".json") {
		if err := validID(ref); err != nil {
			return nil, fmt.Errorf("%w: %w", err, fs.ErrNotExist)
		}
		path = filepath.Join(store, countsDir, ref+".json")
	}
	data, err := disk.Read(path, maxCount)
	if err != nil {
		return nil, err
	}
	if at := nesting.JSON(data); at > 0 {
		return nil, fmt.Errorf("%s: byte %d: %w", path, at, &nesting.Deep{Line: 1, Column: at})
	}
	c := &Count{}
	if err := json.Unmarshal(data, c); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// CountIDs are the ids of a store's counts, the oldest first.
func CountIDs(store string) ([]string, error) {
	files, err := os.ReadDir(filepath.Join(store, countsDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the counts: %w", err)
	}
	var out []string
	for _, f := range files {
		if id, ok := strings.CutSuffix(f.Name(), ".json"); ok && validID(id) == nil {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out, nil
}

// check holds it against the limits, as what others wrote.
func (c *Count) check() error {
	switch {
	case c.Schema != SchemaCount:
		return fmt.Errorf("its schema is %.40q, want %s", c.Schema, SchemaCount)
	case len(c.Kernels) == 0 || len(c.Kernels) > maxKernels:
		return fmt.Errorf("%d kernels, want 1 to %d", len(c.Kernels), maxKernels)
	case len(c.Kinds) == 0 || len(c.Kinds) > maxCountKinds:
		return fmt.Errorf("%d arms, want 1 to %d", len(c.Kinds), maxCountKinds)
	case len(c.Boots) > maxCountBoots || c.Planned < 0 || c.Planned > maxCountBoots:
		return fmt.Errorf("%d boots of %d, want at most %d", len(c.Boots), c.Planned, maxCountBoots)
	case !slices.Contains(CountUnits, c.Unit):
		return fmt.Errorf("its unit is %.40q, want %s", c.Unit, strings.Join(CountUnits, ", "))
	}
	for i, k := range c.Kinds {
		if k.Kernel < 0 || k.Kernel >= len(c.Kernels) {
			return fmt.Errorf("kinds[%d]: there is no kernel %d", i, k.Kernel)
		}
	}
	for i := range c.Boots {
		b := &c.Boots[i]
		switch {
		case b.Kind < 0 || b.Kind >= len(c.Kinds):
			return fmt.Errorf("count_boots[%d]: there is no kind %d", i, b.Kind)
		case b.Finished() && (b.Instructions <= 0 || b.Units <= 0):
			return fmt.Errorf("count_boots[%d]: %d instructions for %d units", i, b.Instructions, b.Units)
		case b.Finished() && c.Of(b) <= 0:
			return fmt.Errorf("count_boots[%d]: no %ss", i, c.Unit)
		case len(b.Functions) > maxFunctions:
			return fmt.Errorf("count_boots[%d]: %d functions, want at most %d", i, len(b.Functions), maxFunctions)
		}
		for _, f := range b.Functions {
			if f.Instructions < 0 || len(f.Function) > maxFunctionKey {
				return fmt.Errorf("count_boots[%d]: no function: %.80q with %d instructions", i, f.Function, f.Instructions)
			}
		}
	}
	return make(totals).check(c)
}
