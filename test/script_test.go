package test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs the command lines of testdata/script. Each has a working
// directory, a lock and a journal of its own, so it disturbs no other and no
// real run. Commands beside testscript's own:
//
//	status N PROGRAM ARGS...   like exec, and the exit status must be N
//	json FILE [PATH VALUE]     FILE is one JSON document (and PATH in it VALUE);
//	                           PATH is dotted, numbers index lists
//	trials STORE N             wait until a run of a store has N trials
//
// FILE may be stdout. The condition [root] is for what changes the machine,
// [pktgen] for a kernel with that module.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/script",
		RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("NETAB_STATE", filepath.Join(e.WorkDir, ".state"))
			e.Setenv("NETAB_LOCK", filepath.Join(e.WorkDir, ".lock"))
			e.Setenv(envExplain, "off")
			// With a trial of 160ms four blocks of two arms.
			e.Setenv("QUICK", quickSlice)
			// A store with one run, of scenario nightly, whose gate passes: simulated.
			store, err := filepath.Abs("testdata/store")
			e.Setenv("PASSED", store)
			return err
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "root":
				return os.Geteuid() == 0, nil
			case "pktgen":
				_, err := os.Stat("/proc/net/pktgen")
				return err == nil, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": cmdStatus, "json": cmdJSON, "trials": cmdTrials,
		},
	})
}

// quickSlice keeps runs short: an error of some ten per cent does no harm here.
const quickSlice = "measure.slice=20ms"

func cmdStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N PROGRAM ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg || (len(args) != 1 && len(args) != 3) {
		ts.Fatalf("usage: json FILE [PATH VALUE]")
	}
	doc, err := oneDocument([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	if len(args) == 1 {
		return
	}
	got, err := lookUp(doc, args[1])
	ts.Check(err)
	if got := fmt.Sprint(got); got != args[2] {
		ts.Fatalf("%s is %s, want %s", args[1], got, args[2])
	}
}

// oneDocument decodes data, which must be one JSON document and nothing else.
func oneDocument(data []byte) (doc any, err error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&doc); err != nil {
		return nil, fmt.Errorf("not JSON: %w: %.200q", err, data)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the JSON document: %.200q", data[dec.InputOffset():])
	}
	return doc, nil
}

// lookUp follows a dotted path into a decoded document.
func lookUp(doc any, path string) (any, error) {
	for key := range strings.SplitSeq(path, ".") {
		switch at := doc.(type) {
		case map[string]any:
			value, ok := at[key]
			if !ok {
				return nil, fmt.Errorf("%s: no member %q", path, key)
			}
			doc = value
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(at) {
				return nil, fmt.Errorf("%s: no element %q in a list of %d", path, key, len(at))
			}
			doc = at[i]
		default:
			return nil, fmt.Errorf("%s: %q of %T", path, key, doc)
		}
	}
	return doc, nil
}

func cmdTrials(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: trials STORE N")
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(waitTrials(ts.MkAbs(args[0]), want))
}

// patience bounds every wait for something that must happen. It only says how
// long a hang takes to be noticed on a machine that is busy otherwise.
const patience = 30 * time.Second

// waitTrials waits until some run of a store has n trials, valid or not.
func waitTrials(store string, n int) error {
	return eventually(func() error { return haveRun(store, n, func(string) bool { return true }) })
}

// waitValid waits until some run of a store has a trial that is judged.
func waitValid(store string) error {
	return eventually(func() error { return haveRun(store, 1, isValid) })
}

func isValid(invalid string) bool { return invalid == "" }

// haveRun fails unless some run of a store has n trials that count, by why they
// are invalid.
func haveRun(store string, n int, counts func(invalid string) bool) error {
	files, err := filepath.Glob(filepath.Join(store, "*", "run.jsonl"))
	if err != nil {
		return err
	}
	most := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		trials := 0
		for line := range bytes.Lines(data) {
			var record struct{ Type, Invalid string }
			if json.Unmarshal(line, &record) == nil && record.Type == "trial" && counts(record.Invalid) {
				trials++
			}
		}
		most = max(most, trials)
	}
	if most < n {
		return fmt.Errorf("%s has a run of %d trials, want %d", store, most, n)
	}
	return nil
}

// eventually tries until check passes; the last error tells what was missing.
func eventually(check func() error) error { return within(patience, check) }

func within(d time.Duration, check func() error) error {
	for deadline := time.Now().Add(d); ; {
		err := check()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
}
