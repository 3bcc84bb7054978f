package main

import (
	"context"
	"path/filepath"
	"strconv"
	"time"

	"netab/bench/drive"
	"netab/results"
)

type runner struct {
	options
	store string
}

// measured is one run of netab: its records, and how long it took from the
// first trial's start to the last one's end.
type measured struct {
	run       *results.Run
	durationS float64
}

// measure runs netab for so long. Its stop rule would end a run whose verdict
// is clear, so it is asked to be surer than it can become.
func (r runner) measure(ctx context.Context, c config, wall time.Duration, seed uint64) (measured, error) {
	args := []string{r.scenario, "--store", r.store, "--seed", strconv.FormatUint(seed, 10),
		"--max-time", wall.Round(ms).String(), "--resolution", "0.01%", "--confidence", "99.9999%"}
	for _, set := range c.sets() {
		args = append(args, "--set", set)
	}
	s, err := drive.Run(ctx, r.netab, args...)
	if err != nil {
		return measured{}, err
	}
	run, err := results.ReadFile(filepath.Join(r.store, s.Run))
	return measured{run, s.DurationS}, err
}
