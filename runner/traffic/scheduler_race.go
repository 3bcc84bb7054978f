//go:build race

package traffic

// The race detector's own calls are not nosplit: under it every loop keeps a P.
func entersyscallblock() {}
func exitsyscall()       {}
