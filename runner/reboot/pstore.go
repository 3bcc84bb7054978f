package reboot

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"netab/results/disk"
)

// Where a kernel's last words are found in the next boot, if the machine has something
// to keep them (Documentation/admin-guide/ramoops.rst, ACPI ERST, UEFI variables):
// systemd-pstore moves them.
var lastWords = []string{"/sys/fs/pstore/dmesg-*", "/var/lib/systemd/pstore/dmesg-*", "/var/lib/systemd/pstore/*/dmesg-*", "/var/lib/systemd/pstore/*/*/dmesg-*"}

const (
	maxWords     = 1 << 20
	maxWordLines = 60
)

// Panicked are the last words, below a root, of a kernel that panicked since then.
func Panicked(root string, since time.Time) []string {
	type part struct {
		number int
		lines  []string
	}
	var parts []part
	for _, pattern := range lastWords {
		files, _ := filepath.Glob(root + pattern)
		for _, file := range files {
			info, err := os.Lstat(file)
			if err != nil || info.ModTime().Before(since.Truncate(time.Second)) { // whole seconds are kept
				continue
			}
			text, err := disk.Read(file, maxWords)
			if err != nil {
				continue
			}
			if number, lines, ok := panicPart(string(text)); ok {
				parts = append(parts, part{number, lines})
			}
		}
		if len(parts) > 0 {
			break // the same, moved
		}
	}
	// The first part is what was said last (fs/pstore/platform.c).
	slices.SortStableFunc(parts, func(a, b part) int { return b.number - a.number })
	var out []string
	for _, p := range parts {
		out = append(out, p.lines...)
	}
	return out[max(0, len(out)-maxWordLines):]
}

// panicPart takes a part apart: its first line is "Panic#1 Part1". Oopses that were no
// panic are kept there, too.
func panicPart(text string) (number int, lines []string, ok bool) {
	head, rest, _ := strings.Cut(text, "\n")
	reason, part, _ := strings.Cut(strings.TrimSpace(head), " Part")
	if !strings.HasPrefix(reason, "Panic#") {
		return 0, nil, false
	}
	number, _ = strconv.Atoi(part)
	for line := range strings.Lines(rest) {
		if line = strings.TrimRight(line, "\r\n\x00"); line != "" {
			lines = append(lines, line)
		}
	}
	return number, lines, len(lines) > 0
}
