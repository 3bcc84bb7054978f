package test

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// endsWithin is how soon a run must end after a signal. The promise is a second
// on a quiet machine; a busy one gets three.
const endsWithin = 3 * time.Second

// A run that goes on until it is stopped: a level is never known this well. The
// trial is long, so that the signal comes while slices run.
var endless = []string{"run", "level", "--store", "store", "--max-time", "10m", "--width", "0.0001%", "--set", "measure.trial=600ms"}

func TestInterrupt(t *testing.T) {
	for name, sig := range map[string]syscall.Signal{"SIGINT": syscall.SIGINT, "SIGTERM": syscall.SIGTERM, "SIGHUP": syscall.SIGHUP} {
		t.Run(name, func(t *testing.T) {
			sandboxed(t, ownNetwork, func(t *testing.T) { interrupt(t, sig) })
		})
	}
}

func interrupt(t *testing.T, sig syscall.Signal) {
	p := newPlace(t)
	before := snapshotSandbox()
	r := p.start(t, endless...)
	if err := waitValid(p.store()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond) // into the next trial's slices
	r.signal(t, sig)
	sent := time.Now()
	o := r.wait(t)
	if took := time.Since(sent); took > endsWithin {
		t.Errorf("ended %v after the signal, want at most %v", took, endsWithin)
	}
	o.want(t, 5, "interrupted: putting back what was changed", "interrupted: what was measured so far is kept and shown", "TCP goodput over loopback is ")
	p.netab(t, "results", "--store", "store").want(t, 0, "level", "interrupted")
	p.netab(t, "results", "show", "latest", "--store", "store").want(t, 0, "goodput")
	noneLeft(t, 2*time.Second)
	if diff := before.settledDiff(snapshotSandbox); diff != "" {
		t.Errorf("not as before:\n%s", diff)
	}
}

// TestInterruptTwice: the second Ctrl-C ends the process at once, wherever it
// is; agents go with it.
func TestInterruptTwice(t *testing.T) {
	sandboxed(t, ownNetwork, func(t *testing.T) {
		p := newPlace(t)
		r := p.start(t, endless...)
		if err := waitValid(p.store()); err != nil {
			t.Fatal(err)
		}
		r.signal(t, syscall.SIGINT)
		r.cmd.Process.Signal(syscall.SIGINT) // it may have ended already
		sent := time.Now()
		o := r.wait(t)
		if o.status != 5 {
			t.Errorf("exit status %d, want 5\n%s", o.status, o)
		}
		// Both signals may have come before it could say that it ends at once.
		if !strings.Contains(o.stderr, "once more ends at once") {
			t.Errorf("no word of the first signal:\n%s", o)
		}
		if end := "what was measured so far is kept"; !strings.Contains(o.stderr, "ended at once; nothing of this machine is left changed") && !strings.Contains(o.stderr, end) {
			t.Errorf("no word of how it ended:\n%s", o)
		}
		if took := time.Since(sent); took > endsWithin {
			t.Errorf("ended %v after the second signal, want at most %v", took, endsWithin)
		}
		noneLeft(t, 2*time.Second)
		p.netab(t, "results", "show", "latest", "--store", "store").want(t, 0, "goodput")
	})
}

// TestInterruptEarly: before the first trial there is nothing to show, and
// nothing may be left either.
func TestInterruptEarly(t *testing.T) {
	sandboxed(t, ownNetwork, func(t *testing.T) {
		p := newPlace(t)
		before := snapshotSandbox()
		for _, wait := range []time.Duration{20, 150, 350} {
			r := p.start(t, endless...)
			time.Sleep(wait * time.Millisecond)
			r.signal(t, syscall.SIGINT)
			o := r.wait(t)
			// Before the signal is listened for, it simply kills (-1).
			if o.status != 5 && o.status != -1 {
				t.Errorf("after %d ms: exit status %d, want 5\n%s", wait, o.status, o)
			}
			if strings.Contains(o.stderr, "panic") || strings.Contains(o.stdout, "NaN") {
				t.Errorf("after %d ms:\n%s", wait, o)
			}
		}
		noneLeft(t, 2*time.Second)
		if diff := before.settledDiff(snapshotSandbox); diff != "" {
			t.Errorf("not as before:\n%s", diff)
		}
	})
}
