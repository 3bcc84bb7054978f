package drive

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// script is a stand-in for netab.
func script(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "netab")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRun(t *testing.T) {
	for name, tc := range map[string]struct{ body, want string }{
		"summary":        {`[ "$1 $2 $4" = "run --json same" ] && echo '{"schema":"netab/summary/1","run":"r1"}'`, ""},
		"failure":        {"echo it broke >&2; exit 5", "it broke"},
		"no JSON":        {"echo hello", "invalid character"},
		"another schema": {`echo '{"schema":"netab/summary/9"}'`, "netab/summary/9"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Run(t.Context(), script(t, tc.body), "same")
			if tc.want == "" {
				if err != nil || s.Run != "r1" {
					t.Errorf("got %+v, %v", s, err)
				}
			} else if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
}

// netab must be interrupted, not killed: it has a machine to put back.
func TestRunInterrupts(t *testing.T) {
	dir := t.TempDir()
	netab := script(t, `trap 'touch `+dir+`/restored; exit 5' INT; touch `+dir+`/ready; while :; do sleep 0.01; done`)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for range 1000 {
			if _, err := os.Stat(dir + "/ready"); err == nil {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		cancel()
	}()
	if _, err := Run(ctx, netab); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(dir + "/restored"); err != nil {
		t.Error("netab had no chance to put the machine back")
	}
}
