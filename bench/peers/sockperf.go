package main

import "strconv"

// sockperfLeast is the size of its smallest message.
const sockperfLeast = 14

// sockperf is its ping-pong as a contender, protocol tcp or udp.
func (o options) sockperf(protocol string) entrant {
	e := entrant{name: "sockperf", unit: transactions, missing: installed("sockperf", "sockperf")}
	e.open = func(p *place) (contender, error) { return p.openSockperf(protocol) }
	return e
}

func (p *place) openSockperf(protocol string) (contender, error) {
	port := p.port()
	common := []string{"-i", "127.0.0.1", "-p", strconv.Itoa(port)}
	if protocol == "tcp" {
		common = append(common, "--tcp")
	}
	server, err := p.startServer(protocol, port, "sockperf", append([]string{"server"}, common...)...)
	if err != nil {
		return nil, err
	}
	m := datagramsReceived(p.pid).per(2) // a request and a response each
	if protocol == "tcp" {
		if m, err = p.tcpReceived(port); err != nil {
			return nil, server.failed(err)
		}
		m = m.per(sockperfLeast)
	}
	// It keeps memory for every transaction of its time, so that is no longer
	// than needed.
	args := append([]string{"ping-pong", "-m", strconv.Itoa(sockperfLeast), "-t", strconv.Itoa(int(p.life.Seconds()) + 1)}, common...)
	return p.openStopped(server, m, someTransactions, "sockperf", args...)
}
