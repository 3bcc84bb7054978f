package reboot

import (
	"fmt"
	"slices"
	"strings"

	"netab/results"
)

// An Up is the kernel that is up, in this boot.
type Up struct {
	BootID  string
	Release string
	Version string // as uname -v has it: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-3 (2026-09-01)"
	Cmdline string
}

// ReadUp asks the kernel.
func ReadUp(files results.Reader) (up Up, err error) {
	for path, to := range map[string]*string{
		"/proc/sys/kernel/random/boot_id": &up.BootID, "/proc/sys/kernel/osrelease": &up.Release,
		"/proc/sys/kernel/version": &up.Version, "/proc/cmdline": &up.Cmdline,
	} {
		text, err := files.ReadFile(path)
		if err != nil {
			return up, fmt.Errorf("which kernel is up: %w", err)
		}
		*to = strings.TrimSpace(string(text))
	}
	return up, nil
}

// Is says whether that is a kernel as it was armed. GRUB adds to the command line of an
// entry.
func (u Up) Is(k Kernel, by Way) bool {
	up, armed := strings.Fields(u.Cmdline), strings.Fields(k.Cmdline)
	if by == ByKexec {
		return u.isBuild(k) && slices.Equal(up, armed)
	}
	return u.isBuild(k) && !slices.ContainsFunc(armed, func(word string) bool { return !slices.Contains(up, word) })
}

// isBuild goes by the banner, which ends with the version: the same release may have
// been built twice.
func (u Up) isBuild(k Kernel) bool {
	return u.Release == k.Release && (k.Build == "" || strings.Contains(k.Build, u.Version))
}

// text says what is up where a kernel was to be.
func (u Up) text(k Kernel) string {
	switch {
	case u.Release != k.Release:
		return u.Release
	case !u.isBuild(k):
		return fmt.Sprintf("another build of %s (%s)", u.Release, u.Version)
	}
	return fmt.Sprintf("%s with another command line (%s)", u.Release, differing(u.Cmdline, k.Cmdline))
}

// differing says what one command line has not of another, and else what it has besides.
func differing(up, wanted string) string {
	less := func(a, b string) string {
		words := strings.Fields(b)
		return strings.Join(slices.DeleteFunc(strings.Fields(a), func(w string) bool { return slices.Contains(words, w) }), " ")
	}
	if lacks := less(wanted, up); lacks != "" {
		return "without " + lacks
	}
	if more := less(up, wanted); more != "" {
		return "with " + more
	}
	return "in another order"
}

// fromLoader are parameters that boot loaders add, and that mean nothing to the kernel.
var fromLoader = []string{"BOOT_IMAGE=", "initrd="}

// Reused is a command line for the next kernel, made of this one's: without what its
// boot loader put there.
func Reused(cmdline string) string {
	return strings.Join(slices.DeleteFunc(strings.Fields(cmdline), func(word string) bool {
		return slices.ContainsFunc(fromLoader, func(p string) bool { return strings.HasPrefix(word, p) })
	}), " ")
}

// rebootOnPanic is how many seconds after a panic a machine reboots: one that waits for
// somebody to come waits for the whole campaign.
const rebootOnPanic = "panic=10"

// withPanic adds what is to happen after a panic, where nothing is said of that. What
// stands behind "--" is for init.
func withPanic(cmdline string) string {
	words := strings.Fields(cmdline)
	end := slices.Index(words, "--")
	if end < 0 {
		end = len(words)
	}
	if slices.ContainsFunc(words[:end], func(w string) bool { return strings.HasPrefix(w, "panic=") }) {
		return strings.Join(words, " ")
	}
	return strings.Join(slices.Insert(words, end, rebootOnPanic), " ")
}

// appended puts parameters behind a command line, before what is for init.
func appended(cmdline, more string) string {
	words := strings.Fields(cmdline)
	end := slices.Index(words, "--")
	if end < 0 {
		end = len(words)
	}
	return strings.Join(slices.Insert(words, end, strings.Fields(more)...), " ")
}
