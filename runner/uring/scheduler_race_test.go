//go:build race

package uring

// The race detector's own calls are not nosplit.
const stackLimit, frameOfWork = 300, 300
