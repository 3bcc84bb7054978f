package paths

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// fileSize is what sendfile and splice are given: two pages and a bit.
const fileSize = 9000

// memoryFile is a file that a source could send from.
func memoryFile() (fd int, content []byte, err error) {
	content = bytes.Repeat([]byte("netab "), fileSize/6)
	fd, err = unix.MemfdCreate("netab", unix.MFD_CLOEXEC)
	if err != nil {
		return -1, nil, fmt.Errorf("memfd_create: %w", err)
	}
	if _, err := unix.Pwrite(fd, content, 0); err != nil {
		unix.Close(fd)
		return -1, nil, fmt.Errorf("write to a memory file: %w", err)
	}
	return fd, content, nil
}

func trySendfile() (string, error) {
	p, err := tcpPair()
	if err != nil {
		return "", err
	}
	defer p.close()
	file, content, err := memoryFile()
	if err != nil {
		return "", err
	}
	defer unix.Close(file)
	err = repeat(len(content), func(done int) (int, error) {
		offset := int64(done)
		return unix.Sendfile(p.source, file, &offset, len(content)-done)
	})
	if err != nil {
		return "", err
	}
	return "", expect(p.sink, content, receiveAll(len(content)))
}

// trySplice goes from a file through a pipe into a socket, and from the other
// through a pipe into a file: the ways of a source and of a sink.
func trySplice() (string, error) {
	p, err := tcpPair()
	if err != nil {
		return "", err
	}
	defer p.close()
	file, content, err := memoryFile()
	if err != nil {
		return "", err
	}
	defer unix.Close(file)
	copied, err := unix.MemfdCreate("netab", unix.MFD_CLOEXEC)
	if err != nil {
		return "", err
	}
	defer unix.Close(copied)
	var from, to int64
	if err := splice(file, &from, p.source, nil, len(content)); err != nil {
		return "", fmt.Errorf("into a socket: %w", err)
	}
	if err := splice(p.sink, nil, copied, &to, len(content)); err != nil {
		return "", fmt.Errorf("out of a socket: %w", err)
	}
	return "", expect(copied, content, func(fd int, buf []byte) (int, error) { return unix.Pread(fd, buf, 0) })
}

// splice moves n bytes through a pipe.
func splice(in int, inOffset *int64, out int, outOffset *int64, n int) error {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	defer unix.Close(pipe[0])
	defer unix.Close(pipe[1])
	return repeat(n, func(done int) (int, error) {
		in, err := unix.Splice(in, inOffset, pipe[1], nil, n-done, 0)
		if err != nil {
			return 0, err
		}
		err = repeat(int(in), func(done int) (int, error) {
			out, err := unix.Splice(pipe[0], nil, out, outOffset, int(in)-done, 0)
			return int(out), err
		})
		return int(in), err
	})
}

// repeat calls until n bytes are done.
func repeat(n int, call func(done int) (int, error)) error {
	for done := 0; done < n; {
		more, err := call(done)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		if more == 0 {
			return fmt.Errorf("only %d of %d bytes", done, n)
		}
		done += more
	}
	return nil
}

// receiveAll receives n bytes of a stream.
func receiveAll(n int) receiveCall {
	return func(fd int, buf []byte) (int, error) {
		err := repeat(n, func(done int) (int, error) { return receive(fd, buf[done:n]) })
		return n, err
	}
}
