package main

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"

	"netab/runner/traffic"
)

// bareFlow is one flow of bareloop.c.
type bareFlow struct {
	child *child
	out   *bufio.Reader
	unit  string
}

// bare is the C loop as a contender; kind is its own: tcp, udp, tcp-rr, udp-rr.
func (o options) bare(kind string, message int) entrant {
	e := entrant{name: "bareloop", unit: bytesUnit}
	if strings.HasSuffix(kind, "-rr") {
		e.unit = transactions
	}
	if _, err := exec.LookPath(o.bareloop); err != nil {
		e.missing = "no " + o.bareloop + ": bench/run.sh compiles it (apt-get install gcc libc6-dev)"
	}
	e.open = func(p *place) (contender, error) {
		return openBare(p.bareloop, p.pid, kind, message, e.unit, p.sourceCPU, p.sinkCPU)
	}
	return e
}

func openBare(program string, pid int, kind string, message int, unit string, sourceCPU, sinkCPU int) (contender, error) {
	c, err := startIn(pid, program, kind, strconv.Itoa(message), strconv.Itoa(sourceCPU), strconv.Itoa(sinkCPU))
	if err != nil {
		return nil, err
	}
	f := &bareFlow{child: c, out: bufio.NewReader(c.stdout), unit: unit}
	if line, err := f.out.ReadString('\n'); err != nil || line != "ready\n" {
		return nil, c.failed(fmt.Errorf("said %q instead of ready", line))
	}
	return f, nil
}

func (f *bareFlow) run(windows []traffic.Window) (outcome, error) {
	in := bufio.NewWriter(f.child.stdin)
	for _, w := range windows {
		fmt.Fprintln(in, w.Start, w.Count, w.End)
	}
	if err := in.Flush(); err != nil {
		return outcome{}, f.child.failed(err)
	}
	if err := f.child.stdin.Close(); err != nil {
		return outcome{}, f.child.failed(err)
	}
	counts, err := parseBare(f.out, windows, f.unit)
	if err != nil {
		return outcome{}, f.child.failed(err)
	}
	return outcome{counts: counts}, nil
}

func (f *bareFlow) close() error { f.child.kill(); return nil }

// parseBare reads "BYTES MESSAGES" for each window.
func parseBare(r io.Reader, windows []traffic.Window, unit string) ([]count, error) {
	counts := make([]count, len(windows))
	for i, w := range windows {
		var bytes, messages int64
		if _, err := fmt.Fscanln(r, &bytes, &messages); err != nil {
			return nil, fmt.Errorf("counts of window %d of %d: %w", i+1, len(windows), err)
		}
		counts[i] = count{units: bytes, ns: w.End - w.Count}
		if unit == transactions {
			counts[i].units = messages
		}
	}
	return counts, nil
}
