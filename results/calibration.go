package results

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"netab/results/disk"
)

// SchemaCalibration names the format of a calibration file.
const SchemaCalibration = "netab/calibration/1"

// A Calibration is what one call of netab calibrate measured of one machine:
// one configuration against itself, slowed down by known shares and not at all,
// in many runs. It holds what the runs found; what follows from it is computed
// on reading (package analysis/calibration), so that it is never out of date.
type Calibration struct {
	Schema   string    `json:"schema"`
	ID       string    `json:"id"`
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended"`
	Netab    Build     `json:"netab"`
	Machine  Machine   `json:"machine"`
	Scenario string    `json:"scenario"` // by name
	Arm      Arm       `json:"arm"`      // that was calibrated
	Metric   string    `json:"metric"`
	Seed     uint64    `json:"seed"`

	Confidence float64 `json:"confidence"`
	Resolution float64 `json:"resolution"`
	MaxTimeS   float64 `json:"max_time_s"` // of each run
	// SpreadS is what the runs were spread over, in sessions of one run each: what
	// they scatter by is then what the machine's answers do over that time. 0 = they
	// were measured one after the other.
	SpreadS float64 `json:"spread_s,omitempty"`

	Runs    []CalibrationRun `json:"runs"` // in the order of measuring
	Samples *WholeTrials     `json:"whole_trials,omitempty"`
}

// A CalibrationRun is one run of two arms: the configuration as it is, and
// slowed down. Logs are natural.
type CalibrationRun struct {
	ID       string    `json:"id"`
	Boot     string    `json:"boot"`
	Started  time.Time `json:"started,omitzero"` // calibrations before 2026-12 have none
	Slowdown float64   `json:"slowdown"`         // share asked for; 0 = A/A
	Truth    float64   `json:"truth"`            // relative change that was put there, as measured in its slices
	Change   float64   `json:"change"`           // that was found, relative
	Lo       float64   `json:"lo"`
	Hi       float64   `json:"hi"`
	Verdict  string    `json:"verdict"`
	Trials   int       `json:"trials"`
	Invalid  int       `json:"invalid,omitempty"`
	// DurationS is from the first trial's begin to the verdict.
	DurationS float64  `json:"duration_s"`
	Effect    float64  `json:"effect"`    // mean of the trials' log ratios
	EffectSD  float64  `json:"effect_sd"` // of the trials' log ratios
	WithinSD  float64  `json:"within_sd"` // of one trial's log ratio by what its blocks scatter
	Level     float64  `json:"level"`     // mean of the logs of the unslowed arm's trials
	LevelSD   float64  `json:"level_sd"`  // of those logs
	Warnings  []string `json:"warnings,omitempty"`
}

// WholeTrials are samples measured the classical way: each of fresh processes
// and sockets, the two configurations in turn.
type WholeTrials struct {
	ID       string    `json:"id"` // of the run
	Slowdown float64   `json:"slowdown"`
	Truth    float64   `json:"truth"`
	SampleS  float64   `json:"sample_s"` // counted time of a sample
	WallS    float64   `json:"wall_s"`   // time that a sample takes, set-up included
	Off      []float64 `json:"off"`      // levels, in the metric's unit
	Slower   []float64 `json:"slower"`
	Change   float64   `json:"change"` // as the run judged it
	Lo       float64   `json:"lo"`
	Hi       float64   `json:"hi"`
}

// calibrationDir hides the calibrations from what lists runs.
const calibrationDir = ".calibration"

// maxCalibration bounds a calibration's file, bytes.
const maxCalibration = 64 << 20

// CalibrationStore is where the runs of calibrations are kept: they are no
// history of anything, and so are not among the store's own runs.
func (s *Store) CalibrationStore() string { return filepath.Join(s.dir, calibrationDir, "runs") }

// KeepCalibration writes a calibration into the store, whole or not at all.
func (s *Store) KeepCalibration(c *Calibration) (path string, err error) {
	if err := validID(c.ID); err != nil {
		return "", err
	}
	c.Schema = SchemaCalibration
	data, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		return "", fmt.Errorf("calibration: %w", err)
	}
	path = filepath.Join(s.dir, calibrationDir, c.ID+".json")
	dir, err := disk.MakeDir(filepath.Dir(path))
	if err != nil {
		return "", fmt.Errorf("keep the calibration: %w", err)
	}
	defer dir.Close()
	err = dir.Write(filepath.Base(path), func(w io.Writer) error { _, err := w.Write(append(data, '\n')); return err })
	if err != nil {
		return "", fmt.Errorf("keep the calibration: %w", err)
	}
	return path, nil
}

// Calibrations reads those of the store by their start, the oldest first. What
// cannot be read is an error beside the others.
func (s *Store) Calibrations() ([]Calibration, error) {
	files, err := filepath.Glob(filepath.Join(s.dir, calibrationDir, "*.json"))
	if err != nil {
		return nil, err
	}
	var out []Calibration
	var errs []error
	for _, file := range files {
		c, err := readCalibration(file)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, c)
	}
	out = once(out)
	slices.SortFunc(out, func(a, b Calibration) int { return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.ID, b.ID)) })
	return out, errors.Join(errs...)
}

// once counts each calibration once, and each of their runs: a file that was
// copied, or put together from copies, tells no more than it did.
func once(all []Calibration) []Calibration {
	seen := map[string]bool{}
	again := func(kind, id string) bool {
		key := kind + id
		was := seen[key]
		seen[key] = true
		return was && id != ""
	}
	all = slices.DeleteFunc(all, func(c Calibration) bool { return again("calibration ", c.ID) })
	for i := range all {
		all[i].Runs = slices.DeleteFunc(all[i].Runs, func(r CalibrationRun) bool { return again("run ", r.ID) })
	}
	return all
}

func readCalibration(file string) (c Calibration, err error) {
	data, err := disk.Read(file, maxCalibration)
	if errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("calibration: %w", err)
	}
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err == nil && c.Schema != SchemaCalibration {
		err = fmt.Errorf("schema %q, want %q", c.Schema, SchemaCalibration)
	}
	if err != nil {
		return c, fmt.Errorf("calibration %s: %w; delete it, or calibrate again", file, err)
	}
	return c, nil
}
