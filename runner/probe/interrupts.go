package probe

import (
	"strconv"
	"strings"
)

// An Interrupt is one row of /proc/interrupts. The counts are unsigned int
// (kstat_irqs_cpu, kernel/irq/irqdesc.c) and wrap at 2^32.
type Interrupt struct {
	Name   string         // a number, or the architecture's name: NMI, LOC, RES
	IRQ    int            // -1 for the architecture's
	Counts map[int]uint32 // by online CPU; empty for ERR and MIS, which have one total, and FIQ, which has none
	Detail string         // chip, hardware number, trigger, and who asked for it, single blanks
	// Actions are the names under which drivers asked for it: "virtio3-rx",
	// "eth0-TxRx-0".
	Actions []string
}

// ReadInterrupts reads /proc/interrupts.
func ReadInterrupts(fr FileReader) ([]Interrupt, error) {
	return read(fr, "/proc/interrupts", parseInterrupts)
}

// parseInterrupts reads rows of show_interrupts, kernel/irq/proc.c, and
// arch_show_interrupts of the architecture. What stands behind the counts
// differs by architecture and chip, but the actions come last, two blanks
// before the first and ", " between them.
func parseInterrupts(data []byte) ([]Interrupt, error) {
	header, rest, _ := strings.Cut(string(data), "\n")
	cpus, err := cpuColumns(header)
	if err != nil {
		return nil, lineError(1, "%w", err)
	}
	var all []Interrupt
	line := 1
	for text := range strings.Lines(rest) {
		line++
		name, columns, ok := strings.Cut(text, ":")
		name = strings.TrimSpace(name)
		if !ok || name == "" {
			return nil, lineError(line, "no name and colon first in %q", strings.TrimSpace(text))
		}
		row := Interrupt{Name: name, IRQ: -1, Counts: make(map[int]uint32, len(cpus))}
		if n, err := strconv.ParseUint(name, 10, 31); err == nil {
			row.IRQ = int(n)
		}
		if fields := strings.Fields(columns); len(fields) < len(cpus) || row.IRQ < 0 && !isNumber(fields[0]) {
			// ERR, MIS: a total, no CPU's. arm's FIQ: only who owns it (show_fiq_list,
			// arch/arm/kernel/fiq.c), which on one CPU is as long as a count.
			all = append(all, row)
			continue
		}
		for _, cpu := range cpus {
			columns = strings.TrimLeft(columns, " ")
			count, tail, _ := strings.Cut(columns, " ")
			v, err := counter32(strings.TrimSpace(count), 10)
			if err != nil {
				return nil, lineError(line, "%s on CPU %d: %w", name, cpu, err)
			}
			row.Counts[cpu], columns = v, tail
		}
		row.describe(columns)
		all = append(all, row)
	}
	return all, nil
}

func isNumber(text string) bool { return strings.Trim(text, "0123456789") == "" }

func (i *Interrupt) describe(text string) {
	text = strings.TrimSpace(text)
	i.Detail = strings.Join(strings.Fields(text), " ")
	if cut := strings.LastIndex(text, "  "); cut >= 0 && i.IRQ >= 0 {
		i.Actions = strings.Split(text[cut+2:], ", ")
	}
}
