// Package execlog counts by function what a guest executed, of QEMU's log (-d
// in_asm,exec,nochain): which blocks of instructions, in their order. Between two
// functions of netab that the log shows it says, exactly, how many instructions each
// function of the kernel had, in which context, and on behalf of which role.
//
// The log has a line for each block, of about 80 bytes, and for each new block its
// instructions:
//
//	----------------
//	IN:
//	0xffffffff81c00eb3:  fc                       cld
//	0xffffffff81c00eb4:  6a ff                    pushq    $-1
//
//	Trace 0: 0x7f8e6c7b4d00 [0000000000000000/ffffffff81c00eb3/18c0c290/ff020200]
//
// Nobody tells which task runs. It is known when its thread is back in a function of
// netab that is a role's own, and until then by where it returns to: a task that slept
// returns through the functions in which it fell asleep. What was counted meanwhile waits.
package execlog

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"netab/runner/guest/arch"
	"netab/runner/guest/kallsyms"
)

// A Role is on whose behalf something was executed.
type Role uint8

// Other is everything that is neither: the one that conducts, other processes, idle.
const (
	Other Role = iota
	Source
	Sink
	roles
)

func (r Role) String() string { return [...]string{"other", "source", "sink"}[r] }

// A Context is in which something was executed.
type Context uint8

// What a task does itself is user code or the kernel's on its behalf.
const (
	Task Context = iota
	Softirq
	Hardirq
	contexts
)

func (c Context) String() string { return [...]string{"task", "softirq", "hardirq"}[c] }

// A Mark is what a user's function means.
type Mark uint8

// What Options.Mark says of an address.
const (
	Unknown Mark = iota // any thread may be there
	Begins              // what is counted begins
	Ends
	OfSource
	OfSink
	OfOther
	Idle // it only passes time
)

// A Module is where a module of the kernel is loaded.
type Module struct {
	Name string `json:"name"`
	Addr uint64 `json:"addr"`
	Size uint64 `json:"size"`
}

// Options are what a log is read by.
type Options struct {
	Arch      *arch.Arch // nil = this netab's
	Functions kallsyms.Table
	// Mark says what an address of a program means.
	Mark func(addr uint64) Mark
	// Apart is that source and sink have CPUs of their own: an interrupt, or softirq, of a
	// CPU that idles is then of the role whose CPU it is, and its idle loop is no part of
	// what is counted.
	Apart bool
}

// A Row is how many instructions a function had.
type Row struct {
	Role         Role
	Context      Context
	Function     string
	Instructions uint64
}

// A Profile is what a log came to.
type Profile struct {
	Instructions uint64 // of all rows
	Blocks       uint64 // that were executed
	Unknown      uint64 // of these, blocks whose instructions the log does not show
	Rows         []Row  // the largest first
}

// The limits of a log, far above what a window has.
const (
	maxBlocks   = 1 << 22
	maxInsns    = 4096
	maxPending  = 1 << 24
	maxSaved    = 256
	maxCPUs     = 64
	maxDepth    = 512
	searchDepth = 16
)

// What a block is or ends with.
const (
	isRet = 1 << iota
	isCall
	isIret
	entersSoftirq
	ofSoftirq
	entersHardirq
	entersException
	switches
	idles
	fromUser
)

// A block is one as it was translated.
type block struct {
	pc       uint64
	end      uint64 // behind its last instruction
	insns    []uint64
	function int32
	flags    uint16
	mark     Mark
}

// user is the function of all that is no kernel's; modules' follow behind the table.
const user = 0

// A Reader reads one log.
type Reader struct {
	o       Options
	isa     *isa
	behind  uint64 // all functions: there is no kernel there
	blocks  []block
	index   hash
	cpus    [maxCPUs]*cpu
	current *cpu // of the last line
	counts  [roles][contexts][]uint64
	pages   map[uint64]int32 // modules' pages, which are functions until their names are known
	places  []uint64         // the same in order
	asm     listing
	on      bool
	began   bool
	ended   bool
	total   uint64
	done    uint64
	unknown uint64
	saved   []sleeper
	softirq string
}

// A listing is a block that was just translated.
type listing struct {
	insns []uint64
	last  []byte // its bytes
	ready bool
}

// A sleeper is a task that was switched away from.
type sleeper struct {
	role  Role
	stack []uint64
	at    int // what of it was not returned through yet
	ok    bool
}

// A cpu is what is known of one.
type cpu struct {
	next     int32 // the block that it is in; -1 = none
	last     int32 // the one before
	role     Role
	known    bool
	owner    Role // whose task was the last that is known; Other = none was
	idle     bool // the task at hand is its idle loop
	guess    Role // by where it returns to, while it is not known; Other = none
	context  [16]uint8
	depth    int
	calls    []uint64
	returned int // through frames of sleepers
	waiting  []part
}

// A part is what was counted before it was known for whom.
type part struct {
	function int32
	context  Context
	n        uint32
}

const exception = uint8(contexts) // as a context: billed to what it interrupts

// NewReader makes the reader of a log.
func NewReader(o Options) *Reader {
	r := &Reader{o: o, isa: isas[cmp.Or(o.Arch, arch.Here())], pages: map[uint64]int32{}, softirq: "__do_softirq"}
	if n := len(o.Functions); n > 0 {
		r.behind = o.Functions[n-1].Addr + longest
	}
	for _, f := range o.Functions {
		if f.Name == "handle_softirqs" { // since 6.11 it is what the others call
			r.softirq = f.Name
		}
	}
	for role := range r.counts {
		for c := range r.counts[role] {
			r.counts[role][c] = make([]uint64, len(o.Functions)+1)
		}
	}
	r.index.grow()
	return r
}

// Read reads all of a log. What a line does not say in its place is an error: a log that
// is read wrongly gives a wrong count.
func (r *Reader) Read(in io.Reader) error {
	buf := make([]byte, 1<<20)
	n := 0
	for {
		m, err := in.Read(buf[n:])
		n += m
		rest := buf[:n]
		for {
			end := bytes.IndexByte(rest, '\n')
			if end < 0 {
				break
			}
			if err := r.line(rest[:end]); err != nil {
				return err
			}
			rest = rest[end+1:]
		}
		if len(rest) == len(buf) {
			return errors.New("a line of more than a megabyte")
		}
		n = copy(buf, rest)
		if errors.Is(err, io.EOF) {
			return nil // a torn last line is behind the end
		}
		if err != nil {
			return err
		}
	}
}

var (
	traceLine   = []byte("Trace ")
	stoppedLine = []byte("Stopped execution of TB chain before 0x")
	rewoundLine = []byte("cpu_io_recompile: rewound execution of TB to ")
)

func (r *Reader) line(l []byte) error {
	switch {
	case len(l) == 0:
		return nil
	case l[0] == 'T' && bytes.HasPrefix(l, traceLine):
		return r.trace(l)
	case l[0] == '0' && len(l) > 2 && l[1] == 'x':
		return r.insn(l)
	case l[0] == 'I' && bytes.HasPrefix(l, []byte("IN:")):
		r.asm.insns, r.asm.last, r.asm.ready = r.asm.insns[:0], r.asm.last[:0], true
	case l[0] == 'S' && bytes.HasPrefix(l, stoppedLine):
		return r.stopped(l)
	case l[0] == 'c' && bytes.HasPrefix(l, rewoundLine):
		return r.rewound(l)
	}
	return nil
}

// digits are the values of hexadecimal ones; 255 = it is none.
var digits = func() (d [256]uint8) {
	for i := range d {
		d[i] = 255
		switch c := byte(i); {
		case c >= '0' && c <= '9':
			d[i] = c - '0'
		case c >= 'a' && c <= 'f':
			d[i] = c - 'a' + 10
		}
	}
	return d
}()

// hex reads a hexadecimal number at a place, and returns where it ends.
func hex(l []byte, at int) (n uint64, end int) {
	for at < len(l) {
		d := digits[l[at]]
		if d == 255 {
			break
		}
		n, at = n<<4|uint64(d), at+1
	}
	return n, at
}

func damaged(what string, l []byte) error { return fmt.Errorf("no %s: %.120q", what, l) }

// trace is a block that is about to be executed: its CPU, where QEMU has it, and between
// the slashes where the guest does.
func (r *Reader) trace(l []byte) error {
	n, at := 0, len(traceLine)
	for at < len(l) && l[at] >= '0' && l[at] <= '9' && n < maxCPUs {
		n, at = 10*n+int(l[at]-'0'), at+1
	}
	if n >= maxCPUs || at+4 > len(l) || l[at] != ':' || l[at+1] != ' ' || l[at+2] != '0' || l[at+3] != 'x' {
		return damaged("block", l)
	}
	tc, at := hex(l, at+4)
	if at+2 > len(l) || l[at] != ' ' || l[at+1] != '[' {
		return damaged("block", l)
	}
	_, at = hex(l, at+2)
	if at >= len(l) || l[at] != '/' {
		return damaged("block", l)
	}
	from := at + 1
	pc, at := hex(l, from)
	if at >= len(l) || l[at] != '/' || at == from {
		return damaged("block", l)
	}
	c := r.cpus[n]
	if c == nil {
		c = &cpu{next: -1, last: -1}
		r.cpus[n] = c
	}
	if c.next >= 0 {
		r.execute(c, &r.blocks[c.next], -1)
		c.last = c.next
	}
	b, err := r.block(tc, pc)
	if err != nil {
		return err
	}
	c.next, r.current = b, c
	return nil
}

// insn is an instruction of the block that is translated.
func (r *Reader) insn(l []byte) error {
	if !r.asm.ready {
		return nil
	}
	addr, at := hex(l, 2)
	if at >= len(l) || l[at] != ':' {
		return damaged("instruction", l)
	}
	n := len(r.asm.last)
	for at++; at < len(l) && l[at] == ' '; at++ {
	}
	for at+1 < len(l) && digits[l[at]] != 255 && digits[l[at+1]] != 255 {
		r.asm.last = append(r.asm.last, digits[l[at]]<<4|digits[l[at+1]])
		if at += 2; at < len(l) && l[at] == ' ' {
			at++
		}
	}
	// What has more than eight bytes goes on in a line that has the rest of them, and no
	// name (cap_dump_insn in QEMU's disas/capstone.c).
	if len(bytes.TrimSpace(l[at:])) == 0 && len(r.asm.insns) > 0 {
		return nil
	}
	if len(r.asm.insns) >= maxInsns {
		return damaged("block of so many instructions", l)
	}
	r.asm.insns = append(r.asm.insns, addr)
	r.asm.last = append(r.asm.last[:0], r.asm.last[n:]...)
	return nil
}

// stopped is about the block at hand: it was not executed after all.
func (r *Reader) stopped(l []byte) error {
	tc, at := hex(l, len(stoppedLine))
	if at == len(stoppedLine) {
		return damaged("block", l)
	}
	if c, b := r.current, r.index.get(tc); c != nil && b >= 0 && c.next == b {
		c.next = -1
	}
	return nil
}

// rewound is about the block at hand: it was executed up to an instruction that does
// I/O, which follows in a block of its own.
func (r *Reader) rewound(l []byte) error {
	pc, at := hex(l, len(rewoundLine))
	if at == len(rewoundLine) {
		return damaged("address", l)
	}
	c := r.current
	if c == nil || c.next < 0 {
		return nil
	}
	if n := slices.Index(r.blocks[c.next].insns, pc); n >= 0 {
		r.execute(c, &r.blocks[c.next], n)
		c.last, c.next = -1, -1
	}
	return nil
}

// block finds the block that QEMU has at an address, or makes it of the listing before.
func (r *Reader) block(tc, pc uint64) (int32, error) {
	if r.asm.ready {
		r.asm.ready = false
		if len(r.asm.insns) > 0 && r.asm.insns[0] == pc {
			return r.add(tc, pc, r.asm.insns, r.asm.last)
		}
	}
	if b := r.index.get(tc); b >= 0 && r.blocks[b].pc == pc {
		return b, nil
	}
	return r.add(tc, pc, nil, nil)
}

func (r *Reader) add(tc, pc uint64, insns []uint64, last []byte) (int32, error) {
	if len(r.blocks) == maxBlocks {
		return 0, fmt.Errorf("more than %d blocks", maxBlocks)
	}
	b := block{pc: pc, insns: slices.Clone(insns)}
	if n := len(insns); n > 0 {
		b.end = insns[n-1] + uint64(len(last))
	}
	b.flags = r.isa.ends(last)
	if pc>>63 == 0 {
		b.mark = r.o.Mark(pc)
	} else {
		r.name(&b)
	}
	r.blocks = append(r.blocks, b)
	r.index.put(tc, int32(len(r.blocks)-1))
	return int32(len(r.blocks) - 1), nil
}

const modulePage = 4096

// name says which function of the kernel a block is of, and what that means.
func (r *Reader) name(b *block) {
	i := -1
	if b.pc < r.behind {
		i = r.o.Functions.Find(b.pc)
	}
	if i < 0 {
		b.function = r.place(b.pc)
		return
	}
	f := r.o.Functions[i]
	b.function = int32(i + 1)
	name := cmp.Or(r.isa.aliases[f.Name], f.Name)
	switch {
	case name == r.softirq:
		b.flags |= ofSoftirq
		if f.Addr == b.pc {
			b.flags |= entersSoftirq
		}
	case name == "do_idle" && f.Addr == b.pc:
		b.flags |= idles
	default:
		b.flags |= r.isa.enters(name, b.pc-f.Addr)
	}
}

// longest is more than any function of a kernel's has. Modules lie before all functions
// or far behind them (Documentation/arch/x86/x86_64/mm.rst, arch/arm64/memory.rst).
const longest = 64 << 10

// place is the function of a page of modules.
func (r *Reader) place(pc uint64) int32 {
	page := pc / modulePage
	if f, ok := r.pages[page]; ok {
		return f
	}
	f := int32(len(r.o.Functions) + 1 + len(r.places))
	r.pages[page] = f
	r.places = append(r.places, page*modulePage)
	for role := range r.counts {
		for c := range r.counts[role] {
			r.counts[role][c] = append(r.counts[role][c], 0)
		}
	}
	return f
}

// execute is a block that was executed: all of it, or so many of its instructions.
func (r *Reader) execute(c *cpu, b *block, part int) {
	switch b.mark {
	case Begins:
		if !r.began {
			r.on, r.began = true, true
		}
	case Ends:
		if r.on {
			r.on, r.ended = false, true
		}
	}
	r.follow(c, b)
	if !r.on {
		return
	}
	n := uint64(len(b.insns))
	if part >= 0 {
		n = uint64(part)
	}
	if b.mark == Idle {
		return
	}
	r.done++
	if n == 0 && part < 0 {
		r.unknown++
	}
	r.total += n
	r.count(c, b.function, c.current(), n)
}

// count bills instructions, now or when it is known to whom.
func (r *Reader) count(c *cpu, function int32, context Context, n uint64) {
	if c.known || len(c.waiting) == maxPending {
		r.counts[c.role][context][function] += n
		return
	}
	c.waiting = append(c.waiting, part{function, context, uint32(n)})
}

// current is the context: what interrupts, of what is interrupted.
func (c *cpu) current() Context {
	for i := c.depth - 1; i >= 0; i-- {
		if c.context[i] != exception {
			return Context(c.context[i])
		}
	}
	return Task
}

func (c *cpu) enter(context uint8) {
	if c.depth < len(c.context) {
		c.context[c.depth] = context
		c.depth++
	}
}

// follow keeps up with where a CPU is: contexts, calls, and tasks.
func (r *Reader) follow(c *cpu, b *block) {
	if c.last >= 0 {
		p := &r.blocks[c.last]
		if p.flags&(isRet|isCall|isIret) != 0 {
			r.after(c, p, b)
		}
	}
	if b.flags != 0 {
		if b.flags&fromUser != 0 {
			c.depth = 0
		}
		switch {
		case b.flags&entersSoftirq != 0:
			c.enter(uint8(Softirq))
		case b.flags&entersHardirq != 0:
			c.enter(uint8(Hardirq))
		case b.flags&entersException != 0:
			c.enter(exception)
		case b.flags&switches != 0:
			r.switchTask(c)
		case b.flags&idles != 0:
			c.idle = true
		}
	}
	if b.mark >= OfSource {
		r.tell(c, [...]Role{OfSource: Source, OfSink: Sink, OfOther: Other, Idle: Other}[b.mark])
		c.depth = 0 // user code
	}
}

// after is what the end of the block before means.
func (r *Reader) after(c *cpu, p, b *block) {
	switch {
	case p.flags&isCall != 0:
		if len(c.calls) < maxDepth {
			c.calls = append(c.calls, p.end)
		} else {
			c.calls = append(c.calls[:0], p.end)
		}
	case p.flags&isRet != 0:
		if p.flags&ofSoftirq != 0 && c.depth > 0 && c.context[c.depth-1] == uint8(Softirq) {
			c.depth--
		}
		for i := len(c.calls) - 1; i >= 0 && i >= len(c.calls)-searchDepth; i-- {
			if c.calls[i] == b.pc {
				c.calls = c.calls[:i]
				return
			}
		}
		if !c.known {
			r.returns(c, b.pc)
		}
	case p.flags&isIret != 0:
		if c.depth > 0 && c.context[c.depth-1] != uint8(Softirq) {
			c.depth--
		}
	}
}

// switchTask is the end of a task's turn.
func (r *Reader) switchTask(c *cpu) {
	if !c.known && c.guess != Other { // it slept again before it came to its own code
		r.tell(c, c.guess)
	}
	if c.known && c.role != Other && len(r.saved) < maxSaved {
		r.saved = append(r.saved, sleeper{role: c.role, stack: slices.Clone(c.calls)})
	}
	r.settle(c, Other)
	c.known, c.idle, c.guess, c.depth, c.calls, c.returned = false, false, Other, 0, c.calls[:0], 0
	for i := range r.saved {
		r.saved[i].at, r.saved[i].ok = len(r.saved[i].stack), true
	}
}

// returns is a return to where nobody has been seen to call: into what the task at hand
// had called before it slept.
func (r *Reader) returns(c *cpu, pc uint64) {
	c.returned++
	only, same := -1, true
	for i := range r.saved {
		s := &r.saved[i]
		if !s.ok {
			continue
		}
		if s.ok = s.at > 0 && s.stack[s.at-1] == pc; !s.ok {
			continue
		}
		s.at--
		if only >= 0 && r.saved[only].role != s.role {
			same = false
		}
		only = i
	}
	if only < 0 || !same || c.returned < r.isa.frames {
		return
	}
	// Both ends of a connection may wait in the same functions, and one of them may not
	// be among those that are known to sleep: only their own code tells them apart.
	c.guess = r.saved[only].role
}

// tell is that the task at hand is of a role.
func (r *Reader) tell(c *cpu, role Role) {
	if c.known && c.role == role {
		return
	}
	if !c.known {
		// It slept, whoever of the role it was: the frames are no good any more, but for
		// those that it has not returned through yet.
		if i := slices.IndexFunc(r.saved, func(s sleeper) bool { return s.role == role && s.ok }); i >= 0 {
			c.calls = slices.Concat(r.saved[i].stack[:r.saved[i].at], c.calls)
			r.saved = slices.Delete(r.saved, i, i+1)
		} else if i := slices.IndexFunc(r.saved, func(s sleeper) bool { return s.role == role }); i >= 0 {
			r.saved = slices.Delete(r.saved, i, i+1)
		}
	}
	r.settle(c, role)
	c.role, c.known = role, true
}

// settle bills what has waited.
func (r *Reader) settle(c *cpu, role Role) {
	if c.known {
		if role != Other {
			c.owner = role
		}
		return
	}
	for _, p := range c.waiting {
		to := role
		if role == Other && r.o.Apart {
			if p.context == Task && c.idle { // as where a clock counts: idling is nobody's
				r.total -= uint64(p.n)
				continue
			}
			if p.context != Task {
				to = c.owner
			}
		}
		r.counts[to][p.context][p.function] += uint64(p.n)
	}
	c.waiting = c.waiting[:0]
	if role != Other {
		c.owner = role
	}
}

// Profile is what the log came to.
func (r *Reader) Profile(loaded []Module) (*Profile, error) {
	for _, c := range r.cpus {
		if c != nil {
			r.settle(c, c.guess)
		}
	}
	switch {
	case !r.began:
		return nil, errors.New("the log does not show where what is counted begins")
	case !r.ended:
		return nil, errors.New("the log does not show where what is counted ends")
	case 100*r.unknown > r.done:
		return nil, fmt.Errorf("of %d blocks the log does not show the instructions of %d: was QEMU built without capstone?", r.done, r.unknown)
	}
	p := &Profile{Instructions: r.total, Blocks: r.done, Unknown: r.unknown}
	for role := range r.counts {
		for c := range r.counts[role] {
			by := map[string]uint64{}
			for f, n := range r.counts[role][c] {
				if n > 0 {
					by[r.function(f, loaded)] += n
				}
			}
			for name, n := range by {
				p.Rows = append(p.Rows, Row{Role(role), Context(c), name, n})
			}
		}
	}
	slices.SortFunc(p.Rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(b.Instructions, a.Instructions), cmp.Compare(a.Role, b.Role), cmp.Compare(a.Context, b.Context), strings.Compare(a.Function, b.Function))
	})
	return p, nil
}

func (r *Reader) function(f int, loaded []Module) string {
	switch {
	case f == user:
		return "(netab)"
	case f <= len(r.o.Functions):
		name := r.o.Functions[f-1].Name
		return cmp.Or(r.isa.aliases[name], name)
	}
	page := r.places[f-1-len(r.o.Functions)]
	for _, m := range loaded {
		if page+modulePage > m.Addr && page < m.Addr+m.Size {
			return "[" + m.Name + "]"
		}
	}
	return "[unknown module]"
}

// A hash finds blocks by where QEMU has them: a Go map takes as long as reading the line.
type hash struct {
	keys   []uint64
	values []int32
	used   int
}

func (h *hash) slot(key uint64) int {
	mask := uint64(len(h.keys) - 1)
	for i := key * 0x9e3779b97f4a7c15 >> 20; ; i++ {
		if k := h.keys[i&mask]; k == key || k == 0 {
			return int(i & mask)
		}
	}
}

func (h *hash) get(key uint64) int32 {
	if key == 0 {
		return -1
	}
	i := h.slot(key)
	if h.keys[i] == 0 {
		return -1
	}
	return h.values[i]
}

func (h *hash) put(key uint64, value int32) {
	if key == 0 {
		return // no block of QEMU's is there
	}
	if 2*h.used >= len(h.keys) {
		h.grow()
	}
	i := h.slot(key)
	if h.keys[i] == 0 {
		h.used++
	}
	h.keys[i], h.values[i] = key, value
}

func (h *hash) grow() {
	old := *h
	size := max(1<<14, 2*len(old.keys))
	h.keys, h.values = make([]uint64, size), make([]int32, size)
	for i, k := range old.keys {
		if k != 0 {
			j := h.slot(k)
			h.keys[j], h.values[j] = k, old.values[i]
		}
	}
}
