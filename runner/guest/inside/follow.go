package inside

import (
	"bufio"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A follower sends the lines of a file as they are written. It is told of changes by
// the kernel (inotify(7)), because whoever looks again and again takes time from what
// is measured. The file is the first that matches a pattern; its directories may come
// later.
type follower struct {
	pattern string
	send    func(line []byte) error
	notes   *os.File // nil where the kernel has no inotify
	watched map[string]bool
	file    *os.File
	sent    int64 // bytes of it, whole lines
	stop    chan struct{}
	ended   <-chan struct{}
}

// follow begins.
func follow(pattern string, send func([]byte) error) *follower {
	f := &follower{pattern: pattern, send: send, watched: map[string]bool{}, stop: make(chan struct{})}
	if fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK); err == nil {
		f.notes = os.NewFile(uintptr(fd), "inotify")
	}
	f.ended = inBackground(f.run)
	return f
}

// end sends what there is still, and returns when that is done. A line without an end
// is not sent: it is torn.
func (f *follower) end() {
	close(f.stop)
	if f.notes != nil {
		_ = f.notes.Close()
	}
	<-f.ended
}

func (f *follower) run() {
	defer func() {
		if f.file != nil {
			_ = f.file.Close()
		}
	}()
	for {
		// What changed before a directory was watched is seen by looking after that.
		for f.watch() {
		}
		if f.scan() != nil || f.stopped() {
			return
		}
		f.wait()
		if f.stopped() {
			_ = f.scan() // there is nobody left to tell
			return
		}
	}
}

func (f *follower) stopped() bool {
	select {
	case <-f.stop:
		return true
	default:
		return false
	}
}

// every is how often it looks where the kernel does not tell.
const every = 250 * time.Millisecond

// wait returns when something has changed.
func (f *follower) wait() {
	if f.notes != nil {
		var events [64 * (unix.SizeofInotifyEvent + unix.NAME_MAX + 1)]byte
		if _, err := f.notes.Read(events[:]); err == nil || errors.Is(err, os.ErrClosed) {
			return // which it was does not matter
		}
	}
	select {
	case <-f.stop:
	case <-time.After(every):
	}
}

// watch watches those directories of the pattern that are there, and says whether one
// is new.
func (f *follower) watch() (more bool) {
	if f.notes == nil {
		return false
	}
	dir := ""
	for part := range strings.SplitSeq(strings.Trim(filepath.Dir(f.pattern), "/"), "/") {
		dir += "/" + part
		found, _ := filepath.Glob(dir)
		for _, d := range found {
			if f.watched[d] {
				continue
			}
			const changes = unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_MODIFY | unix.IN_CLOSE_WRITE | unix.IN_ONLYDIR
			conn, err := f.notes.SyscallConn()
			if err != nil {
				return false
			}
			_ = conn.Control(func(fd uintptr) { _, err = unix.InotifyAddWatch(int(fd), d, changes) })
			if err == nil {
				f.watched[d], more = true, true
			}
		}
	}
	return more
}

// scan sends the lines that are new.
func (f *follower) scan() error {
	if f.file == nil {
		found, _ := filepath.Glob(f.pattern)
		if len(found) == 0 {
			return nil
		}
		file, err := os.Open(found[0])
		if err != nil {
			return nil // it may be gone again
		}
		f.file = file
	}
	// Again from the last line's end: who writes may have taken a torn line away.
	r := bufio.NewReaderSize(io.NewSectionReader(f.file, f.sent, math.MaxInt64-f.sent), chunk)
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			f.sent += int64(len(line))
			err = f.send(line[:len(line)-1])
		}
		if err != nil {
			return err
		}
	}
}
