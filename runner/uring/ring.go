package uring

import (
	"errors"
	"fmt"
	"math/bits"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A ring is an io_uring whose submissions are all written at the start: on the
// hot path a submission is its number put into the queue, nothing else.
//
// It is set up disabled, by any thread, and belongs to the thread that enters
// it first. All of the kernel's work for it is deferred to that thread's calls
// of enter (IORING_SETUP_DEFER_TASKRUN): nothing moves, and nothing is billed,
// while the thread sleeps between its slices.
type ring struct {
	fd      int
	thread  int           // whose it is; 0 = nobody's yet
	memory  []byte        // both queues
	sqes    []byte        // of struct sqe
	tail    uint32        // of our submissions
	queued  uint32        // submissions that the kernel has not taken yet
	array   []uint32      // in memory: which of the sqes is submitted
	sqTail  *uint32       // in memory
	cqHead  *uint32       // in memory
	cqTail  *uint32       // in memory
	cqes    []cqe         // in memory
	timeout unix.Timespec // of enterFor: the kernel wants it at an address
}

// openRing makes a ring for so many submissions and completions at a time.
func openRing(submissions, completions int) (*ring, error) {
	p := setupParams{
		flags:     setupCQSize | setupDisabled | setupSubmitAll | setupSingleIssuer | setupDeferTasks,
		cqEntries: uint32(powerOfTwo(completions)),
	}
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, uintptr(powerOfTwo(submissions)), uintptr(unsafe.Pointer(&p)), 0)
	if errno != 0 {
		disabled, _ := os.ReadFile("/proc/sys/kernel/io_uring_disabled")
		return nil, setupError(errno, string(disabled))
	}
	r := &ring{fd: int(fd)}
	if err := r.attach(&p); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// attach maps the queues.
func (r *ring) attach(p *setupParams) (err error) {
	size := max(p.sq.array+4*p.sqEntries, p.cq.cqes+uint32(unsafe.Sizeof(cqe{}))*p.cqEntries)
	if r.memory, err = r.mapped(offsetRings, int(size)); err != nil {
		return err
	}
	if r.sqes, err = r.mapped(offsetSQEs, int(unsafe.Sizeof(sqe{}))*int(p.sqEntries)); err != nil {
		return err
	}
	r.sqTail = (*uint32)(unsafe.Pointer(&r.memory[p.sq.tail]))
	r.cqHead = (*uint32)(unsafe.Pointer(&r.memory[p.cq.head]))
	r.cqTail = (*uint32)(unsafe.Pointer(&r.memory[p.cq.tail]))
	r.cqes = unsafe.Slice((*cqe)(unsafe.Pointer(&r.memory[p.cq.cqes])), p.cqEntries)
	r.array = unsafe.Slice((*uint32)(unsafe.Pointer(&r.memory[p.sq.array])), p.sqEntries)
	return nil
}

func (r *ring) mapped(offset int64, size int) ([]byte, error) {
	b, err := unix.Mmap(r.fd, offset, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		return nil, fmt.Errorf("io_uring: map the ring: %w", err)
	}
	return b, nil
}

// submissions are the entries to be filled before first use.
func (r *ring) submissions() []sqe {
	return unsafe.Slice((*sqe)(unsafe.Pointer(&r.sqes[0])), len(r.array))
}

// queue submits an entry with the next enter.
//
//go:nosplit
func (r *ring) queue(entry uint32) {
	r.array[r.tail&uint32(len(r.array)-1)] = entry
	r.tail++
	r.queued++
}

// enter hands over what is queued and waits for so many completions.
//
//go:nosplit
func (r *ring) enter(completions int) syscall.Errno {
	if r.thread == 0 {
		if errno := r.enable(); errno != 0 {
			return errno
		}
	}
	if r.queued > 0 {
		atomic.StoreUint32(r.sqTail, r.tail)
	}
	n, _, errno := syscall.RawSyscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), uintptr(r.queued), uintptr(completions), enterGetEvents, 0, 0)
	if errno == 0 {
		r.queued -= uint32(n)
	}
	return errno
}

// enable makes the ring the calling thread's.
//
//go:nosplit
func (r *ring) enable() syscall.Errno {
	_, _, errno := syscall.RawSyscall6(unix.SYS_IO_URING_REGISTER, uintptr(r.fd), registerEnableRings, 0, 0, 0, 0)
	if errno == 0 {
		thread, _, _ := syscall.RawSyscall6(unix.SYS_GETTID, 0, 0, 0, 0, 0, 0)
		r.thread = int(thread)
	}
	return errno
}

// completions returns the bounds of what has completed: i runs from head to
// tail, at(i) is the completion, and done(tail) gives the room back.
//
//go:nosplit
func (r *ring) completions() (head, tail uint32) {
	return *r.cqHead, atomic.LoadUint32(r.cqTail)
}

//go:nosplit
func (r *ring) at(i uint32) *cqe { return &r.cqes[i&uint32(len(r.cqes)-1)] }

//go:nosplit
func (r *ring) done(tail uint32) { atomic.StoreUint32(r.cqHead, tail) }

// register is io_uring_register(2).
func (r *ring) register(what uintptr, argument unsafe.Pointer, number int) error {
	_, _, errno := unix.Syscall6(unix.SYS_IO_URING_REGISTER, uintptr(r.fd), what, uintptr(argument), uintptr(number), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// mine says whether the calling thread may enter the ring.
func (r *ring) mine() bool { return r.thread == unix.Gettid() }

// cancel ends everything that is in flight; completions say so.
func (r *ring) cancel() error {
	c := syncCancel{flags: cancelAll | cancelAny, seconds: 1}
	if err := r.register(registerSyncCancel, unsafe.Pointer(&c), 1); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("io_uring: cancel: %w", err)
	}
	return nil
}

// enterFor waits for a completion until the time is over (ETIME).
func (r *ring) enterFor(d time.Duration) error {
	r.timeout = unix.NsecToTimespec(max(int64(d), 0))
	argument := waitArgument{timeout: uint64(uintptr(unsafe.Pointer(&r.timeout)))}
	_, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), 0, 1, enterGetEvents|enterExtArgument, uintptr(unsafe.Pointer(&argument)), unsafe.Sizeof(argument))
	if errno != 0 && errno != unix.EINTR {
		return errno
	}
	return nil
}

// close gives everything back; what is in flight the kernel cancels.
func (r *ring) close() error {
	if r.fd < 0 {
		return nil
	}
	err := unix.Close(r.fd)
	r.fd = -1
	for _, m := range [][]byte{r.memory, r.sqes} {
		if m != nil {
			err = errors.Join(err, unix.Munmap(m))
		}
	}
	r.memory, r.sqes = nil, nil
	return err
}

// powerOfTwo rounds up.
func powerOfTwo(n int) int { return 1 << bits.Len(uint(max(n, 1)-1)) }
