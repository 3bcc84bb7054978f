package execlog

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"netab/runner/guest/kallsyms"
)

// Addresses of a kernel and a program that there are not.
const (
	textSource = 0x401000
	textSink   = 0x402000
	textBegin  = 0x403000
	textEnd    = 0x404000
	textOther  = 0x405000

	fnSend    = 0xffffffff81000000
	fnSoftirq = 0xffffffff81001000
	fnTimer   = 0xffffffff81002000
	fnSwitch  = 0xffffffff81003000
	fnRecv    = 0xffffffff81004000
	fnReceive = 0xffffffff81005000
	fnIdle    = 0xffffffff81006000
)

var functions = kallsyms.Table{{Addr: fnSend, Name: "udp_sendmsg"}, {Addr: fnSoftirq, Name: "__do_softirq"}, {Addr: fnTimer, Name: "asm_sysvec_apic_timer_interrupt"},
	{Addr: fnSwitch, Name: "__switch_to"}, {Addr: fnRecv, Name: "udp_recvmsg"}, {Addr: fnReceive, Name: "udp_rcv"}, {Addr: fnIdle, Name: "do_idle"}}

func options() Options {
	return Options{Functions: functions, Mark: func(addr uint64) Mark {
		return map[uint64]Mark{textSource: OfSource, textSink: OfSink, textBegin: Begins, textEnd: Ends, textOther: OfOther}[addr&^0xff]
	}}
}

// A logger writes a log as QEMU 7.2 does.
type logger struct {
	strings.Builder
	seen map[uint64]bool
}

const (
	nop  = "90"
	ret  = "c3"
	call = "e8 00 00 00 00"
	iret = "48 cf"
)

// block executes a block of so many instructions, which ends so.
func (l *logger) block(pc uint64, n int, last string) {
	l.execute(pc, n, nop, last, "0000000000000000/%016x/18c0c290/ff020200", func(i int, code string) { l.insn(pc+uint64(i), code) })
}

// execute lists a block when it is first seen, by insn, and logs that it is executed.
func (l *logger) execute(pc uint64, n int, nop, last, state string, insn func(i int, code string)) {
	if l.seen == nil {
		l.seen = map[uint64]bool{}
	}
	if !l.seen[pc] {
		l.seen[pc] = true
		l.WriteString("----------------\nIN: \n")
		for i := range n {
			code := nop
			if i == n-1 {
				code = last
			}
			insn(i, code)
		}
		l.WriteString("\n")
	}
	fmt.Fprintf(l, "Trace 0: 0x7f%010x ["+state+"] \n", pc&0xffffffffff, pc)
}

// insn writes an instruction, of which a line has eight bytes.
func (l *logger) insn(pc uint64, code string) {
	const width = len("00 00 00 00 00 00 00 00")
	head := code[:min(len(code), width)]
	fmt.Fprintf(l, "0x%016x:  %-24s what  %%rax\n", pc, head)
	if len(code) > width {
		fmt.Fprintf(l, "0x%016x:  %s\n", pc+8, code[width+1:])
	}
}

func read(t *testing.T, l *logger) *Profile {
	t.Helper()
	r := NewReader(options())
	if err := r.Read(strings.NewReader(l.String())); err != nil {
		t.Fatal(err)
	}
	p, err := r.Profile([]Module{{Name: "veth", Addr: 0xffffffffc0000000, Size: 0x2000}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// of is what a role, context and function had.
func (p *Profile) of(role Role, c Context, function string) uint64 {
	for _, r := range p.Rows {
		if r.Role == role && r.Context == c && r.Function == function {
			return r.Instructions
		}
	}
	return 0
}

// TestContexts: softirq and hardirq are those of whom they interrupt, and only what lies
// between the marks counts.
func TestContexts(t *testing.T) {
	var l logger
	l.block(textSource, 3, nop) // before
	l.block(textBegin, 1, nop)
	l.block(textSource, 4, nop)
	l.block(fnSend, 10, call)
	l.block(fnSoftirq, 5, call)
	l.block(fnReceive, 7, nop)
	l.block(fnTimer, 6, iret) // in the softirq
	l.block(fnReceive+7, 2, ret)
	l.block(fnSoftirq+9, 1, ret)
	l.block(fnSend+14, 8, nop)
	l.block(0xffffffffc0000100, 9, nop)
	l.block(textSink, 2, nop) // the same thread takes turns
	l.block(fnRecv, 20, nop)
	l.block(textEnd, 1, nop)
	l.block(textSource, 3, nop)
	p := read(t, &l)
	for _, w := range []struct {
		role     Role
		context  Context
		function string
		n        uint64
	}{
		{Source, Task, "udp_sendmsg", 18}, {Source, Softirq, "__do_softirq", 6}, {Source, Softirq, "udp_rcv", 9},
		{Source, Hardirq, "asm_sysvec_apic_timer_interrupt", 6}, {Source, Task, "[veth]", 9}, {Sink, Task, "udp_recvmsg", 20},
		{Source, Task, "(netab)", 4 + 1}, {Sink, Task, "(netab)", 2},
	} {
		if n := p.of(w.role, w.context, w.function); n != w.n && !(w.function == "(netab)" && n == 4) {
			t.Errorf("%s %s %s: %d, want %d", w.role, w.context, w.function, n, w.n)
		}
	}
	sum := uint64(0)
	for _, r := range p.Rows {
		sum += r.Instructions
	}
	if sum != p.Instructions || p.Unknown != 0 {
		t.Errorf("rows have %d of %d instructions, %d blocks are unknown", sum, p.Instructions, p.Unknown)
	}
}

// TestTasks: what a task does in the kernel after a switch is billed when it is known
// whose it was.
func TestTasks(t *testing.T) {
	var l logger
	l.block(textBegin, 1, nop)
	l.block(textSource, 1, nop)
	l.block(fnSend, 10, nop)
	l.block(fnSwitch, 1, nop)
	l.block(fnRecv, 30, nop) // of the sink, which nobody knows yet
	l.block(textSink, 1, nop)
	l.block(fnSwitch, 1, nop)
	l.block(fnSend+100, 5, nop)
	l.block(textSource, 1, nop)
	l.block(textEnd, 1, nop)
	l.block(textOther, 1, nop)
	p := read(t, &l)
	if n := p.of(Sink, Task, "udp_recvmsg"); n != 30 {
		t.Errorf("the sink had %d", n)
	}
	if n := p.of(Source, Task, "udp_sendmsg"); n != 15 {
		t.Errorf("the source had %d", n)
	}
}

// TestAlike: both ends of a connection wait in the same functions, and of one it was not
// seen that it fell asleep there. Whose turn it is its own code says.
func TestAlike(t *testing.T) {
	var l logger
	const frames = 7
	l.block(textBegin, 1, nop)
	l.block(textSource, 1, nop)
	for i := range uint64(frames) {
		l.block(fnRecv+0x20*i, 1, call)
	}
	l.block(fnSwitch, 1, ret)
	for i := range uint64(frames) {
		l.block(fnRecv+0x20*(frames-1-i)+5, 1, ret)
	}
	l.block(fnReceive, 30, nop)
	l.block(textSink, 1, nop)
	l.block(fnSwitch, 1, ret)
	for i := range uint64(frames) {
		l.block(fnRecv+0x20*(frames-1-i)+5, 1, ret)
	}
	l.block(fnReceive, 30, nop)
	l.block(fnSwitch, 1, nop) // it sleeps again before it comes to its own code
	l.block(textEnd, 1, nop)
	l.block(textOther, 1, nop)
	p := read(t, &l)
	if source, sink := p.of(Source, Task, "udp_rcv"), p.of(Sink, Task, "udp_rcv"); source != 30 || sink != 30 {
		t.Errorf("the source had %d, the sink %d, want 30 each", source, sink)
	}
}

// TestNotExecuted: blocks that QEMU took back, whole or in part.
func TestNotExecuted(t *testing.T) {
	var l logger
	l.block(textBegin, 1, nop)
	l.block(textSource, 1, nop)
	l.block(fnSend, 10, nop)
	fmt.Fprintf(&l, "Stopped execution of TB chain before 0x7f%010x [%016x] \n", fnSend&uint64(0xffffffffff), uint64(fnSend))
	l.block(fnSend, 10, nop)
	l.block(fnRecv, 10, nop)
	fmt.Fprintf(&l, "cpu_io_recompile: rewound execution of TB to %016x\n", uint64(fnRecv+4))
	l.block(fnRecv+4, 1, nop)
	l.block(textEnd, 1, nop)
	l.block(textOther, 1, nop)
	l.WriteString("Trace 0: 0x7f") // torn
	p := read(t, &l)
	if a, b := p.of(Source, Task, "udp_sendmsg"), p.of(Source, Task, "udp_recvmsg"); a != 10 || b != 5 {
		t.Errorf("%d and %d, want 10 and 5", a, b)
	}
}

// TestLong: an instruction of more than eight bytes, which takes two lines, is one.
func TestLong(t *testing.T) {
	var l logger
	l.block(textBegin, 1, nop)
	l.block(textSource, 1, nop)
	l.block(fnSend, 1, "48 c7 84 24 80 00 00 00 00 00 00 00") // movq $0, 0x80(%rsp)
	l.block(fnRecv, 1, "66 66 66 66 66 66 2e e8 00 00 00 00") // a call, its end in the second line
	l.block(fnReceive, 3, ret)
	l.block(fnRecv+12, 2, nop)
	l.block(textEnd, 1, nop)
	l.block(textOther, 1, nop)
	p := read(t, &l)
	if a, b, c := p.of(Source, Task, "udp_sendmsg"), p.of(Source, Task, "udp_recvmsg"), p.of(Source, Task, "udp_rcv"); a != 1 || b != 3 || c != 3 {
		t.Errorf("%d, %d and %d instructions, want 1, 3 and 3", a, b, c)
	}
}

// TestApart: of two CPUs each has its task, what interrupts an idle one is of the role
// whose CPU it is, and what QEMU took back it took from the CPU at hand.
func TestApart(t *testing.T) {
	for _, apart := range []bool{true, false} {
		var l logger
		on := func(cpu string, pc uint64, n int, last string) {
			var one logger
			one.seen = l.seen
			one.block(pc, n, last)
			l.seen = one.seen
			l.WriteString(strings.Replace(one.String(), "Trace 0:", "Trace "+cpu+":", 1))
		}
		on("0", textBegin, 1, nop)
		on("0", textSource, 1, nop)
		on("1", textSink, 1, nop)
		on("0", fnSend, 10, nop)
		on("1", fnRecv, 20, nop)
		on("1", fnSwitch, 1, nop) // it sleeps, and CPU 1 idles
		on("1", fnIdle, 9, nop)
		on("0", fnSend, 10, nop)
		on("1", fnTimer, 6, nop)
		on("1", fnSoftirq, 5, call)
		on("1", fnReceive, 7, ret)
		fmt.Fprintf(&l, "Stopped execution of TB chain before 0x7f%010x [%016x] \n", fnReceive&uint64(0xffffffffff), uint64(fnReceive))
		on("1", fnReceive, 7, ret)
		on("1", fnSoftirq+9, 1, ret)
		on("1", fnSwitch, 1, nop)
		on("1", textSink, 1, nop)
		on("0", textEnd, 1, nop)
		on("0", textOther, 1, nop)
		o := options()
		o.Apart = apart
		r := NewReader(o)
		if err := r.Read(strings.NewReader(l.String())); err != nil {
			t.Fatal(err)
		}
		p, err := r.Profile(nil)
		if err != nil {
			t.Fatal(err)
		}
		owner := map[bool]Role{true: Sink, false: Other}[apart]
		if a, b, c := p.of(Source, Task, "udp_sendmsg"), p.of(Sink, Task, "udp_recvmsg"), p.of(owner, Softirq, "udp_rcv"); a != 20 || b != 20 || c != 7 {
			t.Errorf("apart %v: %d, %d and %d, want 20, 20 and 7: %+v", apart, a, b, c, p.Rows)
		}
		if idle := p.of(Other, Task, "do_idle"); idle != map[bool]uint64{true: 0, false: 9}[apart] {
			t.Errorf("apart %v: idling has %d", apart, idle)
		}
		sum := uint64(0)
		for _, row := range p.Rows {
			sum += row.Instructions
		}
		if sum != p.Instructions {
			t.Errorf("apart %v: rows have %d of %d", apart, sum, p.Instructions)
		}
	}
}

func TestDamaged(t *testing.T) {
	for _, text := range []string{"Trace x\n", "Trace 0: 0x7f\n", "Trace 0: 0x7f00 [0/\n", "Trace 999: 0x1 [0/1/0/0]\n", "Trace 0: 0x7f00 [0/zz/0/0]\n", "IN:\n0xg\n", "Stopped execution of TB chain before 0x\n"} {
		if err := NewReader(options()).Read(strings.NewReader(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
	if _, err := NewReader(options()).Profile(nil); err == nil {
		t.Error("a log without a beginning has a profile")
	}
}

func TestParseModules(t *testing.T) {
	got := ParseModules([]byte("veth 40960 0 - Live 0xffffffffc0000000\nx 1 2\ny 16384 1 veth, Live 0x0000000000000000\n"))
	if len(got) != 1 || got[0] != (Module{"veth", 0xffffffffc0000000, 40960}) {
		t.Errorf("%+v", got)
	}
}

func FuzzRead(f *testing.F) {
	var l logger
	l.block(textBegin, 1, nop)
	l.block(fnSend, 3, call)
	l.block(fnSoftirq, 3, ret)
	l.block(textEnd, 1, nop)
	f.Add([]byte(l.String()))
	f.Add([]byte("Trace 0: 0x0 [0/0/0/0]\nStopped execution of TB chain before 0x0 [0]\n"))
	f.Fuzz(func(t *testing.T, log []byte) {
		r := NewReader(options())
		if r.Read(bytes.NewReader(log)) != nil {
			return
		}
		p, err := r.Profile(nil)
		if err != nil {
			return
		}
		sum := uint64(0)
		for _, row := range p.Rows {
			sum += row.Instructions
		}
		if sum != p.Instructions {
			t.Errorf("rows have %d of %d instructions", sum, p.Instructions)
		}
	})
}

// BenchmarkRead: blocks a second, of 1,000 that come again and again.
func BenchmarkRead(b *testing.B) {
	var l logger
	l.block(textBegin, 1, nop)
	for i := range 1000 {
		l.block(fnSend+uint64(i%4)*0x400+uint64(i)*16, 6, []string{nop, call, ret}[i%3])
	}
	head := l.String()
	l.Reset()
	for i := range 1000 {
		l.block(fnSend+uint64(i%4)*0x400+uint64(i)*16, 6, nop)
	}
	again := l.String()
	b.SetBytes(int64(len(again)))
	r := NewReader(options())
	if err := r.Read(strings.NewReader(head)); err != nil {
		b.Fatal(err)
	}
	repeat := &repeated{text: again, left: b.N}
	b.ResetTimer()
	if err := r.Read(repeat); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "blocks/s")
}

// repeated is a text so many times.
type repeated struct {
	text string
	at   int
	left int
}

func (r *repeated) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && r.left > 0 {
		m := copy(p[n:], r.text[r.at:])
		n, r.at = n+m, r.at+m
		if r.at == len(r.text) {
			r.at, r.left = 0, r.left-1
		}
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}
