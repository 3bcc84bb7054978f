package test

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestAgentByHand: the agent is netab's own; started by a person, it must not
// remount /sys in the mount namespace that the person works in.
func TestAgentByHand(t *testing.T) {
	sandboxed(t, ownNetwork, func(t *testing.T) {
		// The sandbox's own sysfs would be in the way of the fault.
		if err := unix.Unmount("/sys", 0); err != nil {
			t.Fatal(err)
		}
		before, err := os.ReadFile("/proc/self/mountinfo")
		if err != nil {
			t.Fatal(err)
		}
		newPlace(t).netab(t, "agent")
		after, err := os.ReadFile("/proc/self/mountinfo")
		if err != nil {
			t.Fatal(err)
		}
		if string(after) != string(before) {
			t.Errorf("mounts before:\n%s\nafter:\n%s", before, after)
		}
	})
}
