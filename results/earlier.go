package results

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"

	"netab/results/disk"
)

// maxHeaders and maxRead bound what is read to find the runs of a question in a
// store that has no index: it is in the way of somebody who waits, and a run takes
// a tenth of a second.
const (
	maxHeaders = 500
	maxRead    = 20
)

// Earlier are digests of the newest runs of the store that are wanted, the newest
// first, most of them at most. What the index file knows is taken from it. Of any
// other run the header is read, and the rest only if the header is wanted; its
// digest is then kept in the index, if the caller is one who writes to the store.
// Runs that others wrote, or can, are left out.
func (s *Store) Earlier(version string, most int, keep bool, digest func(*Run) Digest, wanted func(*Header) bool, of func(*Digest) bool) ([]Digest, error) {
	ids, err := s.ids()
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(ids, func(a, b string) int {
		x, _ := idStart(a)
		y, _ := idStart(b)
		return cmp.Or(y.Compare(x), cmp.Compare(b, a))
	})
	file := filepath.Join(s.dir, IndexFile)
	known, _ := loadIndex(file, version)
	if known == nil {
		known = map[string]indexEntry{}
	}
	var out []Digest
	seen := map[string]bool{}
	read, headers := 0, 0
	for _, id := range ids {
		if len(out) == most {
			break
		}
		info, err := os.Stat(s.runFile(id))
		if err != nil {
			continue
		}
		e, ok := known[id]
		if !ok || e.size != info.Size() || e.modified != info.ModTime().UnixNano() {
			if headers == maxHeaders || read == maxRead {
				continue
			}
			headers++
			if h, err := readWholeHeader(s.runFile(id)); err != nil || !wanted(h) {
				continue
			}
			run := indexedRun{id: id, read: func() (*Run, error) { return ReadFile(s.runFile(id)) }}
			e = indexEntry{Digest: run.digest(digest), size: info.Size(), modified: info.ModTime().UnixNano()}
			known[id] = e
			read++
		}
		if d := e.Digest; d.Unused == "" && !seen[d.Run] && of(&d) && s.Own(s.runFile(id)) == nil {
			seen[d.Run] = true // of copies one counts
			out = append(out, d)
		}
	}
	if keep && read > 0 {
		var entries []indexEntry
		for _, id := range ids {
			if e, ok := known[id]; ok {
				entries = append(entries, e)
			}
		}
		_ = saveIndex(file, version, entries) // what is not kept is read again
	}
	return out, nil
}

// readWholeHeader reads the first line of a run file as ReadFile does.
func readWholeHeader(path string) (*Header, error) {
	f, err := disk.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	line, err := readLine(bufio.NewReaderSize(f, 1<<16))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	in := reader{run: &Run{}, seen: map[int]sum{}, totals: make(totals)}
	err = in.add(1, bytes.TrimSpace(line))
	return &in.run.Header, err
}
