//go:build !race

package uring

import _ "unsafe" // for go:linkname

// As in runner/traffic: the thread keeps no P while it is in the loop.
//
//go:linkname entersyscallblock runtime.entersyscallblock
func entersyscallblock()

//go:linkname exitsyscall runtime.exitsyscall
func exitsyscall()

const (
	stackLimit  = 320 // of Send and of Receive, with all that they call; arm64 needs most
	frameOfWork = 24  // without its array
)
