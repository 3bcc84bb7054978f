// Package drive runs netab as a user does, for programs that judge netab
// itself.
package drive

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"netab/analysis"
)

// Run calls `netab run` with --json and the given arguments and returns what
// it printed. When ctx ends, netab is interrupted and has time to put the
// machine back; it has a process group of its own so that a terminal's Ctrl-C
// does not reach it as a second signal, which would end it at once.
func Run(ctx context.Context, netab string, args ...string) (analysis.Summary, error) {
	var s analysis.Summary
	cmd := exec.CommandContext(ctx, netab, append([]string{"run", "--json", "--no-progress"}, args...)...)
	cmd.Env = append(os.Environ(), "NETAB_EXPLAIN=off") // what is asked here is the verdict
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return s, context.Cause(ctx)
		}
		return s, fmt.Errorf("netab run: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	if err := json.Unmarshal(stdout.Bytes(), &s); err != nil {
		return s, fmt.Errorf("netab run --json: %w", err)
	}
	if s.Schema != analysis.SchemaSummary {
		return s, fmt.Errorf("netab run --json: schema %q, want %q: build netab and this program from the same tree", s.Schema, analysis.SchemaSummary)
	}
	return s, nil
}
