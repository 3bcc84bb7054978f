package probe

import "strings"

// deviceColumns are the columns of dev_seq_printf_stats, net/core/net-procfs.c,
// by the names of struct rtnl_link_stats64 where a column is one of its
// members. Three are sums: rx_dropped holds rx_missed_errors too, rx_frame is
// length + over + crc + frame errors, tx_carrier is carrier + aborted + window
// + heartbeat errors.
var deviceColumns = [...]string{
	"rx_bytes", "rx_packets", "rx_errors", "rx_dropped", "rx_fifo_errors", "rx_frame_errors", "rx_compressed", "multicast",
	"tx_bytes", "tx_packets", "tx_errors", "tx_dropped", "tx_fifo_errors", "collisions", "tx_carrier_errors", "tx_compressed",
}

// ReadDevices reads the counters of every device of the calling thread's
// namespace by "device.counter" ("lo.rx_dropped"): one file for all devices,
// where /sys/class/net/X/statistics has 24 for each.
func ReadDevices(fr FileReader) (map[string]int64, error) {
	return read(fr, "/proc/thread-self/net/dev", parseDevices)
}

func parseDevices(data []byte) (map[string]int64, error) {
	all := make(map[string]int64)
	line := 0
	for text := range strings.Lines(string(data)) {
		line++
		if line <= 2 { // the header
			continue
		}
		// dev_valid_name (net/core/dev.c) keeps colons and blanks out of names.
		name, counts, ok := strings.Cut(text, ":")
		if !ok {
			return nil, lineError(line, "no colon behind the device in %q", strings.TrimSpace(text))
		}
		device := strings.TrimSpace(name)
		fields := strings.Fields(counts)
		if len(fields) != len(deviceColumns) {
			return nil, lineError(line, "%s: %d columns, want %d", device, len(fields), len(deviceColumns))
		}
		for i, f := range fields {
			v, err := counter(f)
			if err != nil {
				return nil, lineError(line, "%s.%s: %w", device, deviceColumns[i], err)
			}
			all[device+"."+deviceColumns[i]] = v
		}
	}
	if line < 2 {
		return nil, lineError(line, "the two header lines are missing")
	}
	return all, nil
}
