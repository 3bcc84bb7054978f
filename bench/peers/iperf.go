package main

import (
	"bufio"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// iperf is iperf3 as a contender: with -u as given, else TCP.
func (o options) iperf(name string, args ...string) entrant {
	e := entrant{name: name, unit: bytesUnit, missing: installed(o.iperf3, "iperf3")}
	e.open = func(p *place) (contender, error) { return p.openIperf(false, args) }
	return e
}

// iperfUncopied is its --skip-rx-copy (MSG_TRUNC).
func (o options) iperfUncopied(name string, args ...string) entrant {
	e := o.iperf(name, args...)
	e.open = func(p *place) (contender, error) { return p.openIperf(true, args) }
	if e.missing != "" {
		return e
	}
	if help, _ := exec.Command(o.iperf3, "--help").CombinedOutput(); !strings.Contains(string(help), "--skip-rx-copy") {
		e.missing = "this iperf3 has no --skip-rx-copy: install 3.19 or later"
	}
	return e
}

func (p *place) openIperf(uncopied bool, args []string) (contender, error) {
	number := p.port()
	port := strconv.Itoa(number)
	server, err := startIn(p.pid, p.iperf3, "--server", "--one-off", "--port", port, "--interval", "0", "--forceflush")
	if err != nil {
		return nil, err
	}
	if err := waitForLine(server, "Server listening"); err != nil {
		return nil, err
	}
	m := bytesRead(server.cmd.Process.Pid)
	// Buffers are left at the kernel's own sizes, as the others leave them. The
	// time is longer than any trial.
	args = append([]string{"--client", "127.0.0.1", "--port", port, "--time", "3600", "--interval", "0",
		"--affinity", fmt.Sprintf("%d,%d", p.sourceCPU, p.sinkCPU)}, args...)
	if !slices.Contains(args, "--udp") {
		args = append(args, "--congestion", "cubic")
	}
	if uncopied {
		args = append(args, "--skip-rx-copy")
		if m, err = p.tcpReceived(number); err != nil { // it does not read(2) then
			return nil, server.failed(err)
		}
	}
	return p.openStopped(server, m, someBytes, p.iperf3, args...)
}

func waitForLine(c *child, text string) error {
	lines := bufio.NewReader(c.stdout)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return c.failed(fmt.Errorf("never said %q", text))
		}
		if strings.Contains(line, text) {
			return nil
		}
	}
}
