package host

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMayRunOn(t *testing.T) {
	var own unix.CPUSet
	if err := unix.SchedGetaffinity(0, &own); err != nil {
		t.Fatal(err)
	}
	there := -1
	for cpu := range 1024 {
		if own.IsSet(cpu) {
			there = cpu
			break
		}
	}
	if err := MayRunOn([]int{there, there}); err != nil {
		t.Error(err)
	}
	if err := MayRunOn([]int{1023, there}); err == nil || !strings.Contains(err.Error(), "CPU 1023") {
		t.Errorf("CPU 1023: %v", err)
	}
	var after unix.CPUSet
	if err := unix.SchedGetaffinity(0, &after); err != nil || after != own {
		t.Errorf("this thread's mask is %v, was %v (%v)", after, own, err)
	}
}
