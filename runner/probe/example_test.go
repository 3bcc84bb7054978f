package probe_test

import (
	"fmt"
	"os"

	"netab/results"
	"netab/runner/host"
	"netab/runner/probe"
)

// A namespace behind an agent reads like this machine does.
var _ results.Files = host.Host(nil)

// What the namespace and the machine counted while something ran.
func Example() {
	here := host.Local{}
	net, err := probe.ReadNamespace(here)
	if err != nil {
		fmt.Println(err)
		return
	}
	machine, err := probe.ReadMachine(here)
	if err != nil {
		fmt.Println(err)
		return
	}

	// ... traffic ...

	netAfter, err := probe.ReadNamespace(here)
	if err != nil {
		fmt.Println(err)
		return
	}
	machineAfter, err := probe.ReadMachine(here)
	if err != nil {
		fmt.Println(err)
		return
	}
	moved := netAfter.Sub(net)
	fmt.Fprintln(os.Stderr, moved.Net["UdpRcvbufErrors"], moved.Dev["lo.rx_packets"])
	for _, cpu := range machineAfter.Sub(machine) {
		fmt.Fprintln(os.Stderr, cpu.CPU, cpu.BusyNS, cpu.Softirqs["NET_RX"])
	}
}

// One loss stands in several counters; the ledger counts it once.
func ExampleLedger() {
	loopback := probe.Namespace{
		Net: map[string]int64{"UdpOutDatagrams": 1000, "UdpInErrors": 30, "UdpRcvbufErrors": 30},
		Dev: map[string]int64{"lo.rx_dropped": 20},
	}
	l := probe.Ledger(probe.UDP{
		Sent: 1000, Received: 950, SocketDrops: 30,
		Source: loopback, Sink: loopback,
		SoftnetDropped: 5000, // of the whole machine
	})
	fmt.Println(l.Dropped, l.Unexplained)
	// Output: map[receive buffer:30 softnet backlog (host-wide):20] 0
}
