package exact

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// turns has two CPUs take turns that are short. With -icount one thread of QEMU executes
// all CPUs, each until the next event of any device, which would else be the kernel's next
// tick, after millions of instructions: a source would fill its socket before its sink ever
// ran. The event is that of the PC's interval timer, by QEMU's protocol for tests of devices
// (docs/devel/testing/qtest.rst), which takes and gives a line at a time.
//
// The timer's interrupt is masked first, where it comes to the CPUs: the guest has no more
// to execute for it. A stopped guest is what all this is for.
type turns struct {
	line    *os.File
	answers *bufio.Reader
}

func newTurns(line *os.File) *turns { return &turns{line, bufio.NewReader(line)} }

const (
	// turn is of the timer's ticks, of 1.193 MHz: 10 microseconds are 10,000 instructions,
	// of which each of two CPUs has half.
	turn = 12

	// The timer's registers (8254: counter 0, control word), and the words for counting down
	// again and again (mode 2) and for waiting (mode 0), both by two bytes.
	counter, control  = 0x40, 0x43
	rateMode, holding = 0x34, 0x30

	// The 82093AA's window, and its entry of input 2, to which the timer is connected. The
	// kernel has what it wants to be told from there in the entry.
	ioapicSelect, ioapicWindow = 0xfec00000, 0xfec00010
	entryOfTimer, masked       = 0x10 + 2*2, 1 << 16

	patience = 10 * time.Second
)

// begin is for before the warm-up; nil has one CPU.
func (t *turns) begin() error {
	if t == nil {
		return nil
	}
	if _, err := t.ask("writel %#x %#x", ioapicSelect, entryOfTimer); err != nil {
		return err
	}
	entry, err := t.ask("readl %#x", ioapicWindow)
	if err != nil {
		return err
	}
	if _, err := t.ask("writel %#x %#x", ioapicWindow, entry|masked); err != nil {
		return err
	}
	return t.set(rateMode, turn)
}

// end is for when all is counted: nothing but the end of the guest follows.
func (t *turns) end() error {
	if t == nil {
		return nil
	}
	_, err := t.ask("outb %#x %#x", control, holding)
	return err
}

func (t *turns) set(mode, ticks int) error {
	for _, w := range [][2]int{{control, mode}, {counter, ticks & 0xff}, {counter, ticks >> 8}} {
		if _, err := t.ask("outb %#x %#x", w[0], w[1]); err != nil {
			return err
		}
	}
	return nil
}

// ask has QEMU do something, and gives its number, if it says one.
func (t *turns) ask(format string, args ...any) (uint64, error) {
	command := fmt.Sprintf(format, args...)
	if err := t.line.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	if _, err := t.line.WriteString(command + "\n"); err != nil {
		return 0, fmt.Errorf("%s: %w", command, err)
	}
	answer, err := t.answers.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("%s: %w", command, err)
	}
	fields := strings.Fields(answer)
	switch {
	case len(fields) == 1 && fields[0] == "OK":
		return 0, nil
	case len(fields) == 2 && fields[0] == "OK":
		return strconv.ParseUint(fields[1], 0, 64)
	}
	return 0, fmt.Errorf("%s: QEMU says %.80q", command, answer)
}
