package probe

import "strings"

// parseSNMP6 reads lines of a name and a value (snmp6_seq_show,
// net/ipv6/proc.c). The names carry their protocol already: Ip6, Icmp6, Udp6.
func parseSNMP6(data []byte) (map[string]int64, error) {
	all := make(map[string]int64, 96)
	line := 0
	for text := range strings.Lines(string(data)) {
		line++
		fields := strings.Fields(text)
		if len(fields) != 2 {
			return nil, lineError(line, "want a name and a value, got %q", strings.TrimSpace(text))
		}
		v, err := counter(fields[1])
		if err != nil {
			return nil, lineError(line, "%s: %w", fields[0], err)
		}
		all[fields[0]] = v
	}
	return all, nil
}
