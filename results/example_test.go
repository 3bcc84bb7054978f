package results_test

import (
	"fmt"
	"os"
	"time"

	"netab/results"
)

// A run is written line by line and found again by a part of its id.
func Example() {
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	started := time.Date(2026, 11, 21, 20, 30, 45, 0, time.UTC)
	id := results.NewID("loopback-rps", started, 0x1a2b)
	w, err := results.Create(dir, id, results.Header{Started: started, Design: results.Design{Name: "loopback-rps"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := w.AppendTrial(results.Trial{Index: 0}); err != nil {
		fmt.Println(err)
		return
	}
	if err := w.End(results.End{Reason: "decided"}); err != nil {
		fmt.Println(err)
		return
	}

	store, err := results.Open(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	file, err := store.Resolve("20261121-2030")
	if err != nil {
		fmt.Println(err)
		return
	}
	run, err := results.ReadFile(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(run.Header.ID, len(run.Trials), run.End.Reason)
	// Output: 20261121-203045-loopback-rps-1a2b 1 decided
}
