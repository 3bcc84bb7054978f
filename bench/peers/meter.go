package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// bytesRead is what a process has read by read(2) and its like, by the kernel's
// account of it. iperf3 reads its sockets so, and nuttcp its TCP sockets.
func bytesRead(pid int) meter {
	name := "/proc/" + strconv.Itoa(pid) + "/io"
	return func() (int64, error) {
		data, err := os.ReadFile(name)
		if err != nil {
			return 0, fmt.Errorf("%w (the kernel must have CONFIG_TASK_IO_ACCOUNTING)", err)
		}
		return parseRchar(string(data))
	}
}

// parseRchar finds rchar in /proc/PID/io (Documentation/filesystems/proc.rst).
func parseRchar(io string) (int64, error) {
	for line := range strings.Lines(io) {
		if text, ok := strings.CutPrefix(line, "rchar:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("rchar of /proc/PID/io: %w", err)
			}
			return n, nil
		}
	}
	return 0, errors.New("/proc/PID/io has no rchar")
}

// datagramsReceived is what all processes of a namespace have received by UDP,
// for those that do not read(2). In a slice only one contender is active.
func datagramsReceived(pid int) meter {
	name := "/proc/" + strconv.Itoa(pid) + "/net/snmp"
	return func() (int64, error) {
		data, err := os.ReadFile(name)
		if err != nil {
			return 0, err
		}
		return parseInDatagrams(string(data))
	}
}

// parseInDatagrams finds InDatagrams, of which the kernel counts those that were
// handed to a process (udp_recvmsg, net/ipv4/udp.c), in /proc/net/snmp.
func parseInDatagrams(snmp string) (int64, error) {
	var names []string
	for line := range strings.Lines(snmp) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != "Udp:" {
			continue
		}
		if names == nil {
			names = fields
			continue
		}
		for i, name := range names {
			if name == "InDatagrams" && i < len(fields) {
				return strconv.ParseInt(fields[i], 10, 64)
			}
		}
	}
	return 0, errors.New("/proc/net/snmp has no InDatagrams of Udp")
}

// tcpReceived is how many bytes came in by TCP on a local port, read by its
// process or not yet.
func (p *place) tcpReceived(port int) (meter, error) {
	h, err := netlink.NewHandleAt(netns.NsHandle(p.namespace.Fd()), unix.NETLINK_INET_DIAG)
	if err != nil {
		return nil, fmt.Errorf("socket diagnostics: %w", err)
	}
	p.closers = append(p.closers, h.Close)
	return func() (int64, error) {
		sockets, err := h.SocketDiagTCPInfo(unix.AF_INET)
		if err != nil {
			return 0, fmt.Errorf("socket diagnostics: %w", err)
		}
		sum := int64(0)
		for _, s := range sockets {
			if int(s.InetDiagMsg.ID.SourcePort) == port && s.TCPInfo != nil {
				sum += int64(s.TCPInfo.Bytes_received)
			}
		}
		return sum, nil
	}, nil
}

// per divides a meter's figure.
func (m meter) per(divisor int64) meter {
	return func() (int64, error) { n, err := m(); return n / divisor, err }
}

// times multiplies it.
func (m meter) times(factor int64) meter {
	return func() (int64, error) { n, err := m(); return n * factor, err }
}

// isOpen says whether a socket of IPv4 is bound to a port, of TCP listening.
func isOpen(pid int, protocol string, port int) (bool, error) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/net/" + protocol)
	if err != nil {
		return false, err
	}
	return hasSocket(string(data), protocol, port), nil
}

// hasSocket looks for the local port in /proc/net/tcp or /proc/net/udp
// (tcp4_seq_show, udp4_seq_show): "sl local_address rem_address st", in hex.
func hasSocket(table, protocol string, port int) bool {
	const listening = "0A"
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) > 3 && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) && (protocol != "tcp" || f[3] == listening) {
			return true
		}
	}
	return false
}
