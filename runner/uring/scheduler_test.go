//go:build !race

package uring

const (
	stackLimit  = 320 // of Send and of Receive, with all that they call; arm64 needs most
	frameOfWork = 24  // without its array
)
