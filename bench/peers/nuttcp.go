package main

import "strconv"

// nuttcp is nuttcp as a contender, protocol tcp or udp.
func (o options) nuttcp(protocol string, message int) entrant {
	e := entrant{name: "nuttcp", unit: bytesUnit, missing: installed("nuttcp", "nuttcp")}
	e.open = func(p *place) (contender, error) { return p.openNuttcp(protocol, message) }
	return e
}

func (p *place) openNuttcp(protocol string, message int) (contender, error) {
	control, data := p.port(), p.port()
	server, err := p.startServer("tcp", control, "nuttcp", "-1", "-4", "--nofork", "-P", strconv.Itoa(control))
	if err != nil {
		return nil, err
	}
	args := []string{"-t", "-4", "-T3600", "-l" + strconv.Itoa(message),
		"-P", strconv.Itoa(control), "-p", strconv.Itoa(data)}
	m := bytesRead(server.cmd.Process.Pid)
	if protocol == "udp" {
		args = append(args, "-u", "-R0") // 0 = as fast as it goes; its default is 1 Mbit/s
		m = datagramsReceived(p.pid).times(int64(message))
	}
	return p.openStopped(server, m, someBytes, "nuttcp", append(args, "127.0.0.1")...)
}
