package test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// TestStrangerOnTheWire: with topology nic others are on the same network. What one
// of them sends to the ports of sinks, open and connected, is in no figure, is
// counted, and is warned of.
func TestStrangerOnTheWire(t *testing.T) {
	sandboxed(t, ownNetwork, func(t *testing.T) {
		stranger := makeSwitch(t)
		p := newPlace(t)
		p.write(t, "wire.yaml", `name: wire
topology: {kind: nic, source_device: nic0, sink_device: nic1, source_address: 198.18.0.1/24, sink_address: 198.18.0.2/24}
traffic: {protocol: udp, message: 1000, rate: 2k}
arms:
  open: {traffic: {sink: {socket: open}}}
  connected: {traffic: {sink: {socket: connected}}}
measure: {slice: 20ms, settle: 5ms, trial: 400ms, max_time: 1m, resolution: 0.001%}
`)
		r := p.start(t, "run", "wire.yaml", "--store", "store", "--json")
		sent, looked := 0, time.Now()
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
			for _, port := range sinkPorts(r) {
				// Where nobody is at a port any more, or expects others, an ICMP error
				// comes back, which is no matter.
				if _, err := stranger.WriteToUDP(make([]byte, 777), &net.UDPAddr{IP: net.IPv4(198, 18, 0, 2), Port: port}); err == nil {
					sent++
				}
			}
			time.Sleep(time.Millisecond)
			if time.Since(looked) > 100*time.Millisecond {
				looked = time.Now()
				if haveRun(p.store(), 3, isValid) == nil {
					break
				}
			}
		}
		r.signal(t, os.Interrupt)
		o := r.wait(t)
		o.want(t, 5, "interrupted")
		var s struct {
			Warnings []struct{ Code, Text string }
		}
		decode(t, o.stdout, &s)
		warned := map[string]bool{}
		for _, w := range s.Warnings {
			if w.Code == "strangers" {
				name, _, _ := strings.Cut(w.Text, ":")
				warned[name] = true
			}
		}
		files, _ := filepath.Glob(filepath.Join(p.store(), "*", "run.jsonl"))
		if len(files) != 1 {
			t.Fatalf("run files %v", files)
		}
		data, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		var strangers [2]int64
		trials := 0
		for line := range strings.Lines(string(data)) {
			var trial struct {
				Type, Invalid string
				Slices        []struct {
					Bytes int64 `json:"rx_bytes"`
					Msgs  int64 `json:"rx_msgs"`
				}
				Arms []struct {
					Arm  int
					Sink struct {
						Events map[string]int64
					}
					Ledger struct {
						Sent        int64 `json:"sent_msgs"`
						Received    int64 `json:"received_msgs"`
						Unexplained int64 `json:"unexplained_msgs"`
					}
				}
			}
			decode(t, line, &trial)
			if trial.Type != "trial" || trial.Invalid != "" {
				continue
			}
			trials++
			for i, slice := range trial.Slices {
				if slice.Bytes != 1000*slice.Msgs {
					t.Errorf("slice %d: %d messages of 1000 bytes are %d bytes", i, slice.Msgs, slice.Bytes)
				}
			}
			for _, a := range trial.Arms {
				strangers[a.Arm] += a.Sink.Events["strangers"]
				if l := a.Ledger; l.Received > l.Sent || l.Unexplained != 0 {
					t.Errorf("arm %d: %+v", a.Arm, l)
				}
			}
		}
		t.Logf("%d datagrams were sent; of %d trials the sinks kept out %d and %d", sent, trials, strangers[0], strangers[1])
		if trials == 0 || strangers[0] == 0 || !warned["open"] {
			t.Errorf("%d trials; %d strangers at the open sink, warned of: %v; %+v", trials, strangers[0], warned, s.Warnings)
		}
	})
}

// makeSwitch makes two devices that a switch joins, as cards in a rack are, and
// returns a socket of somebody else on it.
func makeSwitch(t *testing.T) *net.UDPConn {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	bridge := &netlink.Bridge{LinkAttrs: netlink.NewLinkAttrs()}
	bridge.Name = "switch0"
	must(netlink.LinkAdd(bridge))
	must(netlink.LinkSetUp(bridge))
	addr, err := netlink.ParseAddr("198.18.0.9/24")
	must(err)
	must(netlink.AddrAdd(bridge, addr))
	for i := range 2 {
		pair := &netlink.Veth{LinkAttrs: netlink.NewLinkAttrs(), PeerName: fmt.Sprint("port", i)}
		pair.Name = fmt.Sprint("nic", i)
		must(netlink.LinkAdd(pair))
		port, err := netlink.LinkByName(pair.PeerName)
		must(err)
		must(netlink.LinkSetMaster(port, bridge))
		must(netlink.LinkSetUp(port))
	}
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(198, 18, 0, 9)})
	must(err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

// sinkPorts are the ports at which a run's sinks receive datagrams at the moment.
func sinkPorts(r *running) []int {
	var ports []int
	for _, agent := range r.agents() {
		_ = inNetworkOf(agent, func() error {
			sockets, err := netlink.SocketDiagUDP(unix.AF_INET)
			for _, s := range sockets {
				if s.ID.Source.Equal(net.IPv4(198, 18, 0, 2)) {
					ports = append(ports, int(s.ID.SourcePort))
				}
			}
			return err
		})
	}
	return ports
}
