package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netab/results/vocab"
	"netab/runner/agent"
	places "netab/runner/place"
	"netab/runner/traffic"
	"netab/test/busytest"
	"netab/test/need"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "agent" {
		if agent.Serve() != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func testOptions() options {
	return options{trials: 2, blocks: 2, slice: 40 * time.Millisecond, settle: 10 * time.Millisecond,
		gap: 5 * time.Millisecond, sinkCPU: min(1, runtime.NumCPU()-1), iperf3: "iperf3"}
}

// Each block must hold one window of every contender, none overlapping another.
func TestSchedule(t *testing.T) {
	const contenders = 3
	o := testOptions()
	o.blocks = 20
	b := bench{options: o, rng: rand.New(rand.NewPCG(1, 2))}
	windows := b.schedule(1000, contenders)
	turn := int64(o.slice + o.gap)
	seen := map[int64]bool{}
	firsts := map[int]int{}
	for i, ws := range windows {
		if len(ws) != o.blocks {
			t.Fatalf("contender %d has %d windows, want %d", i, len(ws), o.blocks)
		}
		for block, w := range ws {
			if w.Count-w.Start != int64(o.settle) || w.End-w.Start != int64(o.slice) {
				t.Errorf("window %+v", w)
			}
			if (w.Start-1000)%turn != 0 || (w.Start-1000)/turn/contenders != int64(block) {
				t.Errorf("window %+v is not in block %d", w, block)
			}
			if seen[w.Start] {
				t.Errorf("two windows start at %d", w.Start)
			}
			seen[w.Start] = true
			if (w.Start-1000)/turn%contenders == 0 {
				firsts[i]++
			}
		}
	}
	if len(windows) != contenders || len(firsts) != contenders {
		t.Errorf("in 20 blocks only %d of %d contenders came first: %v", len(firsts), len(windows), firsts)
	}
}

// wants is for tests with these programs in network namespaces.
func wants(t *testing.T, programs ...string) {
	t.Helper()
	need.Root(t)
	for _, p := range programs {
		need.Program(t, p)
	}
}

func compileBareloop(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "bareloop")
	out, err := exec.Command("gcc", "-Wall", "-Wextra", "-Werror", "-O2", "-pthread", "-o", program, "bareloop.c").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

func testBench(t *testing.T) *bench {
	t.Helper()
	runtime.LockOSThread() // children die with the thread that started them
	here := places.NewLocal()
	t.Cleanup(func() { here.Close(context.Background()) })
	return &bench{options: testOptions(), here: here, rng: rand.New(rand.NewPCG(1, 2)), log: io.Discard}
}

// The whole way once for every match: all must have received something.
func TestTrial(t *testing.T) {
	wants(t, "gcc", "iperf3", "nsenter", "taskset", "nuttcp", "sockperf")
	b := testBench(t)
	b.bareloop = compileBareloop(t)
	for _, m := range b.matches() {
		m = m.withoutMissing()
		if m.name == "tcp-best" { // half of it shows as much, in half the time
			m.contenders = m.contenders[:len(m.contenders)-2]
		}
		busytest.Retry(t, func(t *testing.T, _ busytest.Stretch) string { return tryTrial(t, b, m) })
	}
}

func tryTrial(t *testing.T, b *bench, m match) string {
	outcomes, err := b.trial(t.Context(), m)
	if err != nil {
		return fmt.Sprintf("%s: %v", m.name, err)
	}
	for i, o := range outcomes {
		name := m.name + ": " + m.contenders[i].name
		var sum, ns int64
		for _, c := range o.counts {
			sum, ns = sum+c.units, ns+c.ns
		}
		if len(o.counts) != b.blocks {
			t.Errorf("%s: %+v", name, o.counts)
		}
		if sum <= 0 || ns <= 0 {
			return fmt.Sprintf("%s: %+v", name, o.counts)
		}
		if m.name == "udp-1472" && m.contenders[i].name != "iperf3" && sum%1472 != 0 {
			t.Errorf("%s received %d bytes: not whole datagrams", name, sum)
		}
		if own := o.peak > 0; own && (o.setup <= 0 || o.messages <= 0 || o.peak > 1<<30) {
			t.Errorf("%s: %+v", name, o)
		}
	}
	return ""
}

// Paced far below what any machine can do, all that was asked for arrives.
func TestPace(t *testing.T) {
	wants(t)
	b := testBench(t)
	busytest.Retry(t, func(t *testing.T, _ busytest.Stretch) string {
		results, err := b.pace(t.Context(), func(name string) bool { return name == "pacing-1k" })
		if err != nil || len(results) != 1 {
			return fmt.Sprintf("%+v, %v", results, err)
		}
		// A busy machine may hold a few back; 2 would be twice the rate, 0.5 half.
		if r := results[0]; r.name != "pacing-1k" || r.ratio.mean < 0.7 || r.ratio.mean > 1.3 || r.ratio.n != b.trials {
			return fmt.Sprintf("%+v", r)
		}
		return ""
	})
}

func TestBareloopSaysWhatIsWrong(t *testing.T) {
	wants(t, "gcc", "nsenter")
	program := compileBareloop(t)
	runtime.LockOSThread()
	for _, kind := range []string{"sctp", "udp-", "", "tcp-rrr"} {
		if _, err := openBare(program, os.Getpid(), kind, 64, bytesUnit, 0, 0); err == nil || !strings.Contains(err.Error(), "usage") {
			t.Errorf("protocol %q: %v", kind, err)
		}
	}
}

// What the kernel says that iperf3's server has read is what iperf3 itself
// counts, but for its control connection and the blocks of 128 KiB that were
// under way when it stopped counting. What came in on its port is more by what
// it had not read by then.
func TestIperfCountIsItsOwn(t *testing.T) {
	wants(t, "iperf3", "nsenter")
	b := testBench(t)
	p, err := b.newPlace(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	server, err := startIn(p.pid, "iperf3", "-s", "-p", "21001", "-i", "0", "--forceflush")
	if err != nil {
		t.Fatal(err)
	}
	defer server.kill()
	if err := waitForLine(server, "Server listening"); err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, server.stdout)
	read := bytesRead(server.cmd.Process.Pid)
	before, err := read()
	if err != nil {
		t.Fatal(err)
	}
	client, err := startIn(p.pid, "iperf3", "-c", "127.0.0.1", "-p", "21001", "-n", strconv.Itoa(64<<20), "-J")
	if err != nil {
		t.Fatal(err)
	}
	defer client.kill()
	var said struct {
		End struct {
			Received struct{ Bytes int64 } `json:"sum_received"`
		}
	}
	if err := json.NewDecoder(client.stdout).Decode(&said); err != nil {
		t.Fatal(err)
	}
	after, err := read()
	if err != nil {
		t.Fatal(err)
	}
	more := after - before - said.End.Received.Bytes
	if said.End.Received.Bytes < 32<<20 || more < 0 || more > 3*128<<10 {
		t.Errorf("iperf3 says %d bytes, the kernel %d more; want at most three blocks", said.End.Received.Bytes, more)
	}
}

// The two meters of what no process counts, against sockets that this test
// counts itself.
func TestMetersOfTheKernel(t *testing.T) {
	wants(t)
	b := testBench(t)
	p, err := b.newPlace(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	busytest.Retry(t, func(t *testing.T, by busytest.Stretch) string { return tryDatagramsReceived(t, by, b, p) })
	testTCPReceived(t, p)
}

func tryDatagramsReceived(t *testing.T, by busytest.Stretch, b *bench, p *place) string {
	f, err := openNetab(p, traffic.Config{Protocol: vocab.UDP, Message: 100, Rate: 2000}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	datagrams := datagramsReceived(p.pid)
	before, err := datagrams()
	if err != nil {
		t.Fatal(err)
	}
	out, err := f.run(b.schedule(traffic.Now()+int64(by.Of(20*time.Millisecond)), 1)[0])
	if err != nil {
		return err.Error()
	}
	after, err := datagrams()
	if err != nil || after-before != out.messages {
		t.Errorf("the kernel counts %d datagrams, %v; netab %d", after-before, err, out.messages)
	}
	if out.messages == 0 {
		return "no datagrams"
	}
	return ""
}

func testTCPReceived(t *testing.T, p *place) {
	runtime.LockOSThread() // never unlocked: the thread stays in the namespace and dies with the test
	if err := unix.Setns(int(p.namespace.Fd()), unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	port := l.Addr().(*net.TCPAddr).Port
	if open, err := isOpen(p.pid, "tcp", port); !open || err != nil {
		t.Errorf("the listening port is not seen: %v", err)
	}
	received, err := p.tcpReceived(port)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(make([]byte, 12345)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(s, make([]byte, 12345)); err != nil {
		t.Fatal(err)
	}
	if n, err := received(); n != 12345 || err != nil {
		t.Errorf("the kernel counts %d bytes, %v; want 12345", n, err)
	}
	if n, err := received.per(5)(); n != 12345/5 || err != nil {
		t.Errorf("per 5: %d, %v", n, err)
	}
}
