//go:build race

package uring

// The race detector's own calls are not nosplit.
func entersyscallblock() {}
func exitsyscall()       {}

const stackLimit, frameOfWork = 300, 300
