package probe

import "strings"

// Softnet is one CPU's row of /proc/net/softnet_stat. It is the machine's,
// whatever the namespace. All counters are unsigned int in struct softnet_data
// (include/linux/netdevice.h) and wrap at 2^32: a flood of 10 Mpps wraps
// Processed every seven minutes.
type Softnet struct {
	CPU         int    // -1 before Linux 5.10, whose rows are the online CPUs in order
	Processed   uint32 // packets handed up by this CPU's softirq, those for other CPUs included
	Dropped     uint32 // backlog full or over the flow limit (enqueue_to_backlog); each is an rx_dropped of its device too
	TimeSqueeze uint32 // net_rx_action ran out of budget or time with work left
	ReceivedRPS uint32 // inter-processor interrupts received for RPS or RFS
	FlowLimit   uint32 // packets over the flow limit, all of them also in Dropped
	BacklogLen  uint32 // a level, not a counter: packets queued now
	InputLen    uint32 // part of BacklogLen not yet taken over by the softirq (Linux 6.4)
	ProcessLen  uint32 // part of BacklogLen being processed (Linux 6.4)
}

// Columns of softnet_seq_show, net/core/net-procfs.c, all %08x:
//
//	 0 processed      1 dropped        2 time_squeeze
//	 3-7 0 (was fastroute)             8 0 (was cpu_collision)
//	 9 received_rps   (2.6.35)        10 flow_limit_count (3.11)
//	11 backlog length (5.10)          12 CPU (5.10)
//	13 input queue    (6.4)           14 process queue (6.4)
const (
	softnetMinColumns = 9
	softnetCPU        = 12
)

// ReadSoftnet reads the softnet rows of the online CPUs.
func ReadSoftnet(fr FileReader) ([]Softnet, error) {
	return read(fr, "/proc/thread-self/net/softnet_stat", parseSoftnet)
}

func parseSoftnet(data []byte) ([]Softnet, error) {
	var rows []Softnet
	line := 0
	for text := range strings.Lines(string(data)) {
		line++
		fields := strings.Fields(text)
		if len(fields) < softnetMinColumns {
			return nil, lineError(line, "%d columns, want at least %d", len(fields), softnetMinColumns)
		}
		// Columns that a later kernel may add are ignored: it only ever appends.
		var col [15]uint32
		for i := range min(len(fields), len(col)) {
			v, err := counter32(fields[i], 16)
			if err != nil {
				return nil, lineError(line, "column %d: %w", i, err)
			}
			col[i] = v
		}
		row := Softnet{
			CPU: -1, Processed: col[0], Dropped: col[1], TimeSqueeze: col[2],
			ReceivedRPS: col[9], FlowLimit: col[10],
			BacklogLen: col[11], InputLen: col[13], ProcessLen: col[14],
		}
		if len(fields) > softnetCPU {
			row.CPU = int(col[softnetCPU])
		}
		rows = append(rows, row)
	}
	return rows, nil
}
