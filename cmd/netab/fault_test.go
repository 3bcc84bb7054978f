package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"netab/results/disk"
)

// TestFaultOfOurs: a panic of a command, outside of a run, is one line on stderr;
// what was to be done on the way out is done, and the stack is kept for a report.
func TestFaultOfOurs(t *testing.T) {
	state, stacks, out := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "half.html")
	t.Setenv("NETAB_STATE", state)
	t.Setenv("NETAB_LOCK", filepath.Join(state, "own.lock"))
	t.Setenv("TMPDIR", stacks)
	var s *claimed
	panics := &cobra.Command{Use: "panics", RunE: func(cmd *cobra.Command, _ []string) (err error) {
		if s, err = claimMachine(cmd.Context(), false, cmd.ErrOrStderr()); err != nil {
			return err
		}
		defer s.close()
		return disk.Write(out, func(io.Writer) error {
			_ = os.Args[len(os.Args)]
			return nil
		})
	}}
	root := newRoot()
	root.AddCommand(panics)
	var stdout, stderr bytes.Buffer
	if status := execute(root, []string{"panics"}, &stdout, &stderr); status != exitFailed {
		t.Errorf("exit status %d, want %d", status, exitFailed)
	}
	line := regexp.MustCompile(`^netab: a fault of netab: panic: .*index out of range.* at \S*fault_test\.go:\d+; its stack is in (\S+): please report it\n$`)
	said := line.FindStringSubmatch(stderr.String())
	if said == nil || stdout.Len() > 0 {
		t.Fatalf("stdout %q, stderr %q", stdout.String(), stderr.String())
	}
	if text, err := os.ReadFile(said[1]); err != nil || !strings.Contains(string(text), "TestFaultOfOurs") {
		t.Errorf("the stack: %.200s %v", text, err)
	}
	if s.working || working.Load() != 0 {
		t.Error("the session is still open")
	}
	again, err := claimMachine(context.Background(), false, &stderr)
	if err != nil {
		t.Fatalf("the locks are still held: %v", err)
	}
	again.close()
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(out), "*")); len(left) > 0 {
		t.Errorf("left half written: %v", left)
	}

	// Where no stack can be kept, that is said.
	t.Setenv("TMPDIR", filepath.Join(stacks, "missing"))
	stderr.Reset()
	root = newRoot()
	root.AddCommand(panics)
	if status := execute(root, []string{"panics"}, &stdout, &stderr); status != exitFailed || !strings.Contains(stderr.String(), "its stack could not be kept") {
		t.Errorf("exit status %d, stderr %q", status, stderr.String())
	}
}
