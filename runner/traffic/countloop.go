package traffic

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// countSource sends the quota. Its address, and those of countSink, sendTurn and
// receiveTurn, tell which role a thread has.
//
//go:nosplit
//go:noinline
func (l *loop) countSource() syscall.Errno {
	for phase := range 2 {
		l.counting.start[phase].wait()
		for left := l.quota(phase); left > 0 && !l.stop.Load(); {
			bytes, msgs, errno := l.step()
			if errno != 0 && !l.passing(errno) {
				l.counting.finish()
				l.counting.finish()
				return errno
			}
			left -= msgs
			l.show(bytes, msgs)
		}
		if errno := l.settle(); errno != 0 {
			l.counting.finish()
			l.counting.finish()
			return errno
		}
		l.counting.finish()
	}
	l.counting.over.wait() // what comes then is not the path's
	return 0
}

//go:nosplit
func (l *loop) quota(phase int) int64 {
	if phase == 0 {
		return l.counting.Warmup
	}
	return l.counting.Messages
}

//go:nosplit
//go:noinline
func (l *loop) countSink() syscall.Errno {
	for {
		bytes, msgs, errno := l.step()
		if errno == 0 {
			l.show(bytes, msgs)
			continue
		}
		switch {
		case l.stop.Load(), errno == errnoClosed:
			return 0
		case !l.passing(errno):
			return errno
		}
	}
}

// countTurns sends a message and receives it, again and again.
//
//go:nosplit
//go:noinline
func (l *loop) countTurns() syscall.Errno {
	for phase := range 2 {
		l.counting.start[phase].wait()
		for left := l.quota(phase); left > 0 && !l.stop.Load(); {
			msgs, errno := l.sendTurn()
			if errno == 0 {
				errno = l.partner.receiveTurn(msgs)
			}
			if errno != 0 && !l.passing(errno) {
				l.counting.finish()
				l.counting.finish()
				return errno
			}
			left -= msgs
		}
		l.counting.finish()
	}
	l.counting.over.wait() // what comes then is not the path's
	return 0
}

//go:nosplit
//go:noinline
func (l *loop) sendTurn() (int64, syscall.Errno) {
	bytes, msgs, errno := l.step()
	if errno == 0 {
		l.show(bytes, msgs)
	}
	return msgs, errno
}

// receiveTurn receives so many messages. What does not come is lost.
//
//go:nosplit
//go:noinline
func (l *loop) receiveTurn(owed int64) syscall.Errno {
	for owed > 0 {
		bytes, msgs, errno := l.step()
		switch errno {
		case 0:
			owed -= msgs
			l.show(bytes, msgs)
		case unix.EINTR:
		case unix.EAGAIN:
			l.shown.lost.Add(owed)
			return 0
		default:
			return errno
		}
	}
	return 0
}

// show counts a step for whoever conducts.
//
//go:nosplit
func (l *loop) show(bytes, msgs int64) {
	l.count(bytes, msgs)
	l.shown.bytes.Store(l.shown.bytes.Load() + bytes)
	l.shown.msgs.Store(l.shown.msgs.Load() + msgs)
	l.shown.calls.Store(l.shown.calls.Load() + 1)
}
