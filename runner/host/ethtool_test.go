package host

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// deep calls f with n frames below it.
//
//go:noinline
func deep(n int, f func()) byte {
	var frame [40]byte
	frame[n%40] = byte(n)
	if n > 0 {
		return frame[(n+1)%40] + deep(n-1, f)
	}
	f()
	return frame[n%40]
}

// TestFeaturesWhileTheStackMoves reads the loopback device's features at every
// depth of a fresh goroutine's stack, so that the stack grows, and moves, at
// every point on the way to the kernel. (safchain/ethtool v0.7.0 reads all
// features false at two of these depths.)
func TestFeaturesWhileTheStackMoves(t *testing.T) {
	want, err := Features(Local{}, "lo")
	if err != nil {
		t.Fatal(err)
	}
	if !want["highdma"].Active || want["rx-gro"].Fixed {
		t.Fatalf("lo's features were not read: %v", want)
	}
	for depth := range 1000 {
		var got map[string]Feature
		done := make(chan struct{})
		go deep(depth, func() {
			got, err = Features(Local{}, "lo")
			close(done)
		})
		<-done
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Fatalf("at depth %d: %v\n%s", depth, err, diff)
		}
	}
}

func TestEthtoolRefusals(t *testing.T) {
	if _, err := Features(Local{}, "no-such-dev"); err == nil {
		t.Error("features of a device that does not exist")
	}
	if _, err := Features(Local{}, "a-name-longer-than-sixteen"); err == nil {
		t.Error("features of a name that no device can have")
	}
	if err := SetFeatures(Local{}, "lo", map[string]bool{"no-such-feature": true}); err == nil && os.Geteuid() == 0 {
		t.Error("a feature that the kernel does not know was set")
	}
}
