package runner

import (
	"math"
	"testing"
	"time"

	"netab/results"
	"netab/results/vocab"
	"netab/runner/host"
	"netab/scenarios"
)

func TestSizesDoNotWrap(t *testing.T) {
	const most = math.MaxUint64
	for _, tt := range []struct {
		name      string
		got, want uint64
	}{
		{"a sum", plus(1, 2, 3), 6},
		{"a sum at the end", plus(most, 1), most},
		{"a sum past the end, and on", plus(most, 2, 3), most},
		{"a product", times(2, 3, 7), 42},
		{"a product with nothing", times(most, most, 0), 0},
		{"a product past the end", times(1<<32, 1<<32), most},
		{"a product past the end that would come to little", times(1<<32, 1<<32, 1, 5), most},
		{"powers of two", powerOfTwo(5), 8},
		{"no number of entries", powerOfTwo(0), 1},
		{"more than there are", powerOfTwo(most), most},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, tt.got, tt.want)
		}
	}
}

// extremes are settings at, and beyond, the ends of what a scenario takes.
func extremes() []string {
	return []string{
		"measure.slice=2ns", "measure.slice=1m", "measure.settle=1ns", "measure.settle=500us", "measure.trial=1ns", "measure.max_time=1ns", "measure.max_time=3s",
		"traffic.rate=1G", "traffic.burst=1000000", "traffic.message=1", "traffic.message=9223372036854775807", "traffic.response=64M", "traffic.kind=crr", "traffic.kind=conn",
		"traffic.kind=flood", "traffic.kind=multicast", "traffic.protocol=udp", "traffic.protocol=unix-dgram", "traffic.pattern=all-to-all", "traffic.sources=1000", "traffic.sinks=1000",
		"traffic.direction=both", "traffic.threads=1000", "traffic.sink.batch=1024", "traffic.source.path=sendmmsg", "traffic.sink.path=recvmmsg", "traffic.source.path=packet",
		"traffic.sink.path=io_uring", "traffic.source.zerocopy=on", "traffic.verify=on", "traffic.receive_buffer=1G", "traffic.sizes=imix", "traffic.loss_free=on", "traffic.think=1m",
		"knobs.device.sink.channels.rx=4096", "topology=veth", "matrix.traffic.flows=[1, 1000]", "matrix.measure.slice=[1ms]",
		"measure.slice=1ms", "measure.trial=168h", "measure.max_time=168h", "traffic.rate=1e-300", "traffic.rate=1e-4", "traffic.message=64M",
		"traffic.flows=1000", "traffic.source.batch=1024", "traffic.depth=1024", "traffic.kind=rr", "topology={kind: veth, queues: 4096}", "traffic.send_buffer=1G",
		"traffic.sizes={1: 1000000, 2: 1000000}", "knobs.device.both.rps_flow_cnt=1073741824", "knobs.sysctl.net.core.rps_sock_flow_entries=18446744073709551615",
		"matrix.traffic.message=[1, 2, 3]", "traffic.beside.x={kind: rr, rate: 0.001}", "measure.grain=trial",
	}
}

// FuzzPlanBounds: what a scenario that is valid asks for can be counted, and is never
// more than the limits that are documented. Beside a setting of the fuzzer's each
// scenario has some extreme ones, up to four, whose numbers are the bytes of more.
//
// Instrumented, package traffic does not link (nosplit), so go test -fuzz cannot build
// this; without coverage it runs as
//
//	go test -c ./runner && ./runner.test -test.fuzz=FuzzPlanBounds -test.run=none -test.fuzzcachedir=$(mktemp -d)
func FuzzPlanBounds(f *testing.F) {
	for _, b := range scenarios.Builtins() {
		src, _ := scenarios.BuiltinSource(b.Name)
		f.Add(string(src), "measure.trial=2s", uint32(0xffffffff))
	}
	const two = "traffic: {flows: 1000, message: 64M}\narms: {a: {}, b: {traffic: {rate: 0.01}}}"
	for i, set := range extremes() {
		f.Add(two, set, uint32(0xffffffff))
		f.Add("{}", set, uint32(0xffffff00|i))
	}
	f.Fuzz(func(t *testing.T, src, set string, more uint32) {
		sets := []string{set}
		for ; more > 0; more >>= 8 {
			if i := int(more & 0xff); i < len(extremes()) {
				sets = append(sets, extremes()[i])
			}
		}
		s, err := scenarios.ParseWith("fuzz.yaml", []byte(src), sets)
		if err != nil {
			return
		}
		arms, err := scenarios.Expand(s, scenarios.CPUs{Online: []int{0, 1, 2, 3}})
		if err != nil {
			return
		}
		m := s.Measure
		p := laidOut(arms, time.Duration(m.Slice), time.Duration(m.Settle), time.Duration(m.Trial))
		if m.Grain == "trial" {
			p.grain = vocab.ByTrial
		}
		if p.countEnough(time.Duration(m.MaxTime)) != nil {
			return
		}
		if counted := p.slice - p.settle; counted < 500*time.Microsecond || p.settle < 0 {
			t.Errorf("slices of %v count %v", p.slice, counted)
		}
		// A block more than the trial that was asked for is rounding.
		if slices := p.blocks * len(arms); p.blocks < 2 || slices > scenarios.MaxSlices+len(arms) {
			t.Errorf("a trial of %d blocks of %d arms", p.blocks, len(arms))
		}
		trial := time.Duration(p.blocks*len(arms)) * p.slice
		if trial <= 0 || trial > 2*time.Duration(m.MaxTime) {
			t.Errorf("a trial of %v in at most %v", trial, m.MaxTime)
		}
		all, record := p.needs(), p.recordMemory(time.Duration(m.MaxTime))
		ends := 2 * 2000 * len(arms)
		if all.agents < 1 || all.agents > 2*len(arms) || all.threads < 1 || all.threads > agentThreads*all.agents+ends ||
			all.files < 1 || all.files > agentFiles+6*ends || all.flows > 2000*len(arms) {
			t.Errorf("needs %+v of %d arms", all, len(arms))
		}
		if all.memory < agentMemory || all.memory < all.locked/2 || record < runnerMemory {
			t.Errorf("%d bytes of memory, %d of them locked, and %d of the record: something wrapped", all.memory, all.locked, record)
		}
		// However much there is, it fits; and nothing fits into nothing.
		if err := p.fits(time.Duration(m.MaxTime), machineWith("0"), host.Limits{}); err == nil {
			t.Error("it fits into no memory at all")
		}
	})
}

// machineWith is a machine with so many KiB of memory left.
type machineWith string

func (m machineWith) ReadFile(path string) ([]byte, error) {
	if path == "/proc/meminfo" {
		return []byte("MemAvailable: " + string(m) + " kB\n"), nil
	}
	return results.Root("/nonexistent").ReadFile(path)
}

func (m machineWith) Glob(string) ([]string, error) { return nil, nil }
