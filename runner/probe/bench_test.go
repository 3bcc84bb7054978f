package probe

import (
	"testing"

	"netab/results"
	"netab/runner/host"
)

// What a snapshot of this machine costs: netab takes one of each at both edges
// of a trial.

func BenchmarkReadNamespace(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadNamespace(host.Local{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadMachine(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadMachine(results.Root("")); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadProcesses(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadProcesses(results.Root("")); err != nil {
			b.Fatal(err)
		}
	}
}

// The parsers alone.
func BenchmarkParseSNMP(b *testing.B) {
	data := fixture(b, "netstat")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseSNMP(data); err != nil {
			b.Fatal(err)
		}
	}
}
