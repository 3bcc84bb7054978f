package exact

import (
	"bufio"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestTurns: the timer's interrupt is masked, and its entry otherwise as it was, before the
// timer runs; what is no answer is an error.
func TestTurns(t *testing.T) {
	ours, theirs, err := line("turns")
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	said := make(chan []string, 1)
	go func() {
		defer theirs.Close()
		var all []string
		for in := bufio.NewScanner(theirs); in.Scan(); {
			all = append(all, in.Text())
			answer := "OK"
			switch {
			case strings.HasPrefix(in.Text(), "readl"):
				answer = "OK 0x0000000000000930"
			case len(all) == 8:
				answer = "FAIL Unknown command"
			}
			fmt.Fprintln(theirs, answer)
		}
		said <- all
	}()
	turns := newTurns(ours)
	if err := turns.begin(); err != nil {
		t.Fatal(err)
	}
	if err := turns.end(); err != nil {
		t.Fatal(err)
	}
	if err := turns.end(); err == nil || !strings.Contains(err.Error(), "Unknown command") {
		t.Errorf("%v", err)
	}
	ours.Close()
	want := []string{"writel 0xfec00000 0x14", "readl 0xfec00010", "writel 0xfec00010 0x10930", "outb 0x43 0x34", "outb 0x40 0xc", "outb 0x40 0x0", "outb 0x43 0x30", "outb 0x43 0x30"}
	if got := <-said; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	var none *turnsOfNone
	if err := none.begin(); err != nil {
		t.Error(err)
	}
}

type turnsOfNone = turns
