package probe

import (
	"maps"
	"strings"
)

// ReadNet reads the protocol counters of the calling thread's namespace:
// /proc/net/snmp, netstat and snmp6 in one map, by protocol and name
// ("UdpRcvbufErrors", "TcpExtTCPRcvCoalesce", "Udp6InErrors"). A kernel
// without IPv6 has no snmp6, and so no such names.
//
// They are unsigned long (u64 for the octets), summed over CPUs at the time of
// reading. A few are settings or levels, not counters: IpForwarding,
// IpDefaultTTL, TcpRto*, TcpMaxConn, TcpCurrEstab.
func ReadNet(fr FileReader) (map[string]int64, error) {
	net, err := read(fr, "/proc/thread-self/net/snmp", parseSNMP)
	if err != nil {
		return nil, err
	}
	ext, err := read(fr, "/proc/thread-self/net/netstat", parseSNMP)
	if err != nil {
		return nil, err
	}
	maps.Copy(net, ext)
	six, err := read(fr, "/proc/thread-self/net/snmp6", parseSNMP6)
	if err != nil && !isNotExist(err) {
		return nil, err
	}
	maps.Copy(net, six)
	return net, nil
}

// parseSNMP reads pairs of lines, "Udp: InDatagrams NoPorts" and "Udp: 55 0"
// (snmp_seq_show and netstat_seq_show, net/ipv4/proc.c). Nothing is known in
// advance about protocols and names, so new ones come in by themselves.
func parseSNMP(data []byte) (map[string]int64, error) {
	all := make(map[string]int64, 256)
	var names []string
	line := 0
	for text := range strings.Lines(string(data)) {
		line++
		fields := strings.Fields(text)
		if len(fields) == 0 || !strings.HasSuffix(fields[0], ":") {
			return nil, lineError(line, "want a protocol and a colon first, got %q", strings.TrimSpace(text))
		}
		if names == nil {
			names = fields
			continue
		}
		if fields[0] != names[0] || len(fields) != len(names) {
			return nil, lineError(line, "%d values of %s under %d names of %s", len(fields)-1, fields[0], len(names)-1, names[0])
		}
		protocol := strings.TrimSuffix(fields[0], ":")
		for i := 1; i < len(fields); i++ {
			v, err := counter(fields[i])
			if err != nil {
				return nil, lineError(line, "%s%s: %w", protocol, names[i], err)
			}
			all[protocol+names[i]] = v
		}
		names = nil
	}
	if names != nil {
		return nil, lineError(line, "names of %s without values", names[0])
	}
	return all, nil
}
