package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"netab/analysis/why"
)

// dropping has an arm for each place where drops are forced. Arms that are marked have
// strangers' datagrams that nobody takes.
const dropping = `question: Are drops that are forced named?
topology: veth
traffic: {protocol: udp, message: 64}
arms:
  plain: {traffic: {rate: 1k}}
  buffer: {traffic: {receive_buffer: 4K}}
  backlog: {knobs: {device: {sink: {rps_cpus: sink}}}}
  qdisc: {knobs: {device: {source: {qdisc: tbf rate 20Mbit/s burst 16K limit 4K}}}}
  strangers: {traffic: {rate: 1k}, knobs: {sysctl: {net.ipv4.ip_default_ttl: "` + mark + `"}}}
knobs: {sysctl: {net.core.netdev_max_backlog: "16"}}
measure: {trial: 1s}
`

// A dropPlace is forced, and known by one of these reasons (Linux 5.17) in a function.
type dropPlace struct {
	arm, what       string
	reasons, places []string // prefixes, and parts
}

var dropPlaces = []dropPlace{
	{"buffer", "a small receive buffer", []string{"SOCKET_RCVBUFF"}, []string{"udp"}},
	{"backlog", "a short backlog", []string{"CPU_BACKLOG"}, []string{"backlog"}},
	{"qdisc", "a qdisc", []string{"QDISC_"}, []string{"xmit", "qdisc", "tbf"}},
	{"strangers", "no socket", []string{"NO_SOCKET"}, []string{"udp"}},
	{"strangers", "a wrong checksum", []string{"UDP_CSUM"}, []string{"udp"}},
}

func (p dropPlace) named(drops []why.Drop) bool {
	return slices.ContainsFunc(drops, func(d why.Drop) bool {
		return d.Arm == p.arm && slices.ContainsFunc(p.reasons, func(r string) bool { return strings.HasPrefix(d.Reason, r) }) &&
			slices.ContainsFunc(p.places, func(f string) bool { return strings.Contains(d.Place, f) })
	})
}

func (o options) drops(ctx context.Context, out io.Writer) error {
	runs, err := o.measured(ctx, kind{"drops", dropping, o.dropTime, strangers}, o.dropRuns)
	if err != nil {
		return err
	}
	var texts []string
	for _, p := range dropPlaces {
		n := 0
		for _, run := range runs {
			events := why.EventsOf(run)
			if p.named(events.Drops) {
				n++
			} else {
				fmt.Fprintf(os.Stderr, "not named: %s, run %s: %+v\n", p.what, run.Header.ID, events.Drops)
			}
		}
		texts = append(texts, fmt.Sprintf("%s %d", p.what, n))
	}
	line(out, fmt.Sprintf("forced drops named by reason, function and arm, of %d runs", len(runs)), strings.Join(texts, ", "))
	return nil
}

// strangers sends datagrams that nobody listens for, and with wrong checksums, for as
// long as the namespace is there.
func strangers(s space) error {
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer c.Close()
	listening := c.LocalAddr().(*net.UDPAddr).Port
	raw, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(raw) }()
	for {
		for range 4 {
			for port, sum := range map[int]uint16{9: 0, listening: 0x1234} {
				datagram := make([]byte, 16) // from port 9, of 16 bytes
				binary.BigEndian.PutUint16(datagram, 9)
				binary.BigEndian.PutUint16(datagram[2:], uint16(port))
				binary.BigEndian.PutUint16(datagram[4:], 16)
				binary.BigEndian.PutUint16(datagram[6:], sum)
				if err := unix.Sendto(raw, datagram, 0, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
					return err
				}
			}
		}
		select {
		case <-s.gone:
			return nil
		case <-time.After(5 * time.Millisecond):
		}
	}
}
