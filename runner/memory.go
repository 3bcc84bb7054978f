package runner

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"netab/results"
	"netab/results/vocab"
	"netab/scenarios"
)

// Sums and products of sizes stay at the largest number rather than wrap: what a
// scenario asks for is held against what there is.

func plus(sizes ...uint64) uint64 {
	sum := uint64(0)
	for _, s := range sizes {
		var carry uint64
		if sum, carry = bits.Add64(sum, s, 0); carry > 0 {
			return math.MaxUint64
		}
	}
	return sum
}

func times(factors ...uint64) uint64 {
	product := uint64(1)
	overflow := false
	for _, f := range factors {
		if f == 0 {
			return 0
		}
		var high uint64
		high, product = bits.Mul64(product, f)
		overflow = overflow || high > 0
	}
	if overflow {
		return math.MaxUint64
	}
	return product
}

// powerOfTwo is n rounded up to one.
func powerOfTwo(n uint64) uint64 {
	if n > 1<<62 {
		return math.MaxUint64
	}
	return 1 << bits.Len64(max(n, 1)-1)
}

// Bytes that things take, rounded up: see packages traffic, uring and packet, and for
// the kernel's struct veth_rq (drivers/net/veth.c), a queue's sysfs directories, and
// struct rps_dev_flow.
const (
	agentMemory   = 12 << 20 // a process of Go that has done little, and a namespace
	runnerMemory  = 64 << 20
	threadMemory  = 64 << 10
	socketMemory  = 64 << 10 // of a buffer that nobody sets: what is in it, of many, is little
	pipeMemory    = 1 << 20
	receiveMemory = 512 << 10 // of a sink of a byte stream, unless there are many
	manyReceive   = 16 << 20
	mappedMemory  = 4 << 20
	queueMemory   = 16 << 10
	flowEntry     = 16
	windowMemory  = 400     // of a window in each thread: its edges and samples
	windowWire    = 2 << 10 // of a window on its way to an agent, and of its result on the way back
	flowRecord    = 2 << 10 // of a flow in a trial's record
	batchHeader   = 128
	histogram     = uint64(unsafe.Sizeof(results.Histogram{}))
)

// workMemory is what the ends of one kind of traffic take beside its threads, where
// so many of its arms share a live flow.
func workMemory(t *scenarios.Traffic, sources, sinks, arms int) uint64 {
	message := uint64(max(largest(t), 1))
	answer := uint64(0)
	if t.Kind == vocab.RR || t.Kind == vocab.CRR || t.Kind == vocab.Conn {
		outstanding := uint64(1 << 16)
		if t.Rate == 0 {
			outstanding = powerOfTwo(uint64(max(t.Depth, 1)) + 1)
		}
		answer = plus(times(outstanding, 8), max(message, uint64(max(t.Response, 0))))
	}
	buffers := func(set scenarios.Size) uint64 {
		if set > 0 {
			return times(uint64(set), 2) // the kernel doubles it
		}
		return socketMemory
	}
	sockets := plus(buffers(t.SendBuffer), buffers(t.ReceiveBuffer))

	batch := uint64(max(t.Source.Batch, 1))
	source := plus(message, times(batch, batchHeader), answer, sockets)
	switch t.Source.Path {
	case "sendfile", "splice":
		source = plus(source, message, pipeMemory)
	case "sendmmsg":
		if t.Verify {
			source = plus(source, times(batch, message))
		}
	case "packet": // the ring, and what of it the socket may have under way
		source = plus(source, times(powerOfTwo(max(batch, 512)), plus(message, 4096), 2))
	}
	if answer > 0 {
		source = plus(source, times(histogram, uint64(max(arms, 1)), 2)) // the second on its way back
	}

	sink := plus(message, min(receiveMemory, uint64(manyReceive/max(sources+sinks, 1))), answer, sockets)
	switch t.Sink.Path {
	case "recvmmsg":
		sink = plus(sink, times(uint64(max(t.Sink.Batch, 1)), plus(message, batchHeader)))
	case "io_uring":
		if t.Protocol == vocab.TCP || t.Protocol == vocab.UnixStream {
			sink = plus(sink, times(64, 65536))
		} else {
			sink = plus(sink, times(256, message))
		}
	case "splice":
		sink = plus(sink, pipeMemory)
	case "tcp-zerocopy":
		sink = plus(sink, mappedMemory)
	}
	if t.Sink.GRO {
		sink = plus(sink, times(uint64(max(t.Sink.Batch, 1)), 65536))
	}
	return plus(times(uint64(sources), source), times(uint64(sinks), sink))
}

// sizesMemory is what a distribution of sizes takes as a list, in an agent and on the
// way to it.
func sizesMemory(t *scenarios.Traffic) uint64 {
	weights := uint64(1024)
	for _, w := range t.Sizes {
		weights = plus(weights, uint64(max(w, 0)))
	}
	return times(weights, 32)
}

// knobMemory is what the settings of an arm make the kernel take.
func knobMemory(arm *scenarios.Arm) uint64 {
	queues := uint64(max(arm.Config.Topology.Queues, 1))
	sum := uint64(0)
	if arm.Config.Topology.Kind == vocab.Veth {
		sum = times(2, queues, queueMemory)
	}
	for _, k := range arm.Knobs {
		n, err := strconv.ParseUint(strings.TrimSpace(k.Value), 10, 64)
		switch {
		case err != nil:
		case k.Family == "rps_flow_cnt" && k.Queue != "":
			sum = plus(sum, times(powerOfTwo(n), flowEntry))
		case k.Family == "rps_flow_cnt":
			sum = plus(sum, times(powerOfTwo(n), flowEntry, queues))
		case k.Family == "sysctl" && k.Name == "net/core/rps_sock_flow_entries":
			sum = plus(sum, times(powerOfTwo(n), 4))
		case k.Family == "channels":
			sum = plus(sum, times(n, queueMemory))
		}
	}
	return sum
}

// counterRecord is what was counted of a slice.
const counterRecord = uint64(unsafe.Sizeof(results.Switches{}) + unsafe.Sizeof(results.Counters{}) +
	unsafe.Sizeof(results.Softnet{}) + unsafe.Sizeof(results.Softirqs{}) + unsafe.Sizeof(results.Totals{}))

// recordMemory is what this process takes for a run: all its trials stay in it.
func (p *plan) recordMemory(maxTime time.Duration) uint64 {
	flows, beside := 0, 0
	for _, arm := range p.arms {
		t := &arm.Config.Traffic
		n := len(t.Pairs())
		for _, b := range t.Beside {
			n += len(b.Pairs())
		}
		flows, beside = flows+2*n, max(beside, len(t.Beside))
	}
	slice := plus(uint64(unsafe.Sizeof(results.Slice{})), counterRecord, times(uint64(beside), 2*uint64(unsafe.Sizeof(results.Counts{}))))
	trial := p.slice * time.Duration(p.blocks*len(p.arms))
	trials := plus(1, uint64(max(maxTime, 0)/max(trial, 1)))
	return plus(runnerMemory, times(uint64(max(maxTime, trial, 0)/max(p.slice, 1)), slice), times(trials, uint64(flows), flowRecord))
}

// FreeMemory is what this machine, and the control groups that this process is in, have
// room for; false where nothing is known.
func FreeMemory(files results.Files) (uint64, bool) {
	left, _, known := memoryLeft(files)
	return left, known
}

// memoryLeft is what this machine, and the control groups that this process is in,
// have room for, and where that is less who says so; false where nothing is known.
func memoryLeft(files results.Files) (left uint64, says string, known bool) {
	if data, err := files.ReadFile("/proc/meminfo"); err == nil {
		for line := range strings.Lines(string(data)) {
			f := strings.Fields(line)
			if len(f) < 2 || f[0] != "MemAvailable:" {
				continue
			}
			if kib, err := strconv.ParseUint(f[1], 10, 54); err == nil {
				left, says, known = kib<<10, "this machine has", true
			}
		}
	}
	for _, dir := range results.Cgroups(files, "memory") {
		for _, names := range [][2]string{{"memory.max", "memory.current"}, {"memory.limit_in_bytes", "memory.usage_in_bytes"}} {
			most, okMost := number(files, dir+"/"+names[0])
			used, okUsed := number(files, dir+"/"+names[1])
			if !okMost || !okUsed {
				continue
			}
			used -= min(used, inactiveFile(files, dir))
			if room := most - min(used, most); !known || room < left {
				left, says, known = room, "the control group's "+names[0]+" leaves", true
			}
		}
	}
	return left, says, known
}

// inactiveFile is the part of a control group's memory that it gives up at once: pages
// of files that nobody has looked at for a while.
func inactiveFile(files results.Files, dir string) uint64 {
	data, _ := files.ReadFile(dir + "/memory.stat")
	for line := range strings.Lines(string(data)) {
		if text, ok := strings.CutPrefix(line, "inactive_file "); ok {
			n, _ := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
			return n
		}
	}
	return 0
}

func haveMemory(wanted uint64, files results.Files, who, hint string) error {
	left, says, known := memoryLeft(files)
	if !known || wanted <= left {
		return nil
	}
	return fmt.Errorf("%s about %s of memory, and %s %s: %s", who, inBytes(wanted), says, inBytes(left), hint)
}

// inBytes is a size for people, of three digits.
func inBytes(n uint64) string {
	for _, u := range []struct {
		of   uint64
		name string
	}{{1 << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= u.of {
			return fmt.Sprintf("%.3g %s", float64(n)/float64(u.of), u.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}
