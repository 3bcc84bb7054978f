package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"netab/analysis/gate"
	"netab/results"
	"netab/results/disk"
)

// An origin is where a judged run is from: its scenario's source, and why what
// lies beside that is not to be relied on (nil = it is). A run file from a
// stranger names any path it likes: what is acknowledged there would let its
// regressions pass.
type origin struct {
	source  string
	foreign func() error
}

// ownOrigin is the origin of a run that this very process measured.
func ownOrigin(source string) origin { return origin{source, func() error { return nil }} }

// storedOrigin is the origin of a run that was read from a file.
func storedOrigin(store *results.Store, file string, run *results.Run) origin {
	return origin{run.Header.Source, func() error {
		if err := store.Own(file); err != nil {
			return err
		}
		here, err := readMachine("")
		if err != nil {
			return err
		}
		if !run.Header.Machine.Identity().Same(here.Identity()) {
			return errors.New("the run was measured on another machine, " + run.Header.Machine.Identity().String())
		}
		return nil
	}}
}

// digestOrigin is the origin of a run of the store's index.
func digestOrigin(store *results.Store, d results.Digest) origin {
	return origin{d.Source, func() error {
		file := store.FileOf(d.ID)
		run, err := results.ReadFile(file)
		if err != nil {
			return err
		}
		return storedOrigin(store, file, run).foreign()
	}}
}

// maxKnown bounds a file of known issues, bytes.
const maxKnown = 1 << 20

// knownIssues are those of the file that was named, else of the one beside the
// scenario, if there is one and it may be relied on. A bisection looks for the
// very regression that somebody may have acknowledged, so it takes none.
func (f *gateFlags) knownIssues(stderr io.Writer, from origin) ([]gate.KnownIssue, error) {
	if f.bisect || f.noKnown {
		return nil, nil
	}
	file, src, err := f.known, []byte(nil), error(nil)
	if file != "" {
		src, err = disk.Read(file, maxKnown)
	} else {
		file, src, err = knownBeside(stderr, from)
	}
	if err != nil {
		return nil, fmt.Errorf("read known issues: %w", err)
	}
	known, err := gate.ParseKnownIssues(file, src)
	if unknown, ok := errors.AsType[*gate.UnknownMetric](err); ok {
		err = fmt.Errorf("%w; %s", err, nearestMetric(unknown.Name))
	}
	return known, err
}

// knownBeside reads the known issues beside a scenario; nothing is no fault.
func knownBeside(stderr io.Writer, from origin) (file string, src []byte, err error) {
	ext := filepath.Ext(from.source)
	if ext != ".yaml" && ext != ".yml" {
		return "", nil, nil // built in, or from a pipe: there is no beside
	}
	file = strings.TrimSuffix(from.source, ext) + ".known-issues.yaml"
	src, err = disk.ReadOwn(file, maxKnown)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil, nil
	}
	why := from.foreign()
	if why == nil && errors.Is(err, disk.ErrNotOwn) {
		why = err
	}
	if why != nil {
		writef(stderr, "netab: %s not read: %v; give it with --known-issues\n", file, why)
		return "", nil, nil
	}
	return file, src, err
}
