package inside

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A port is a character device. Reads and writes block: Go's poller has nothing to
// gain of two descriptors, and drivers of consoles have rules of their own for
// descriptors that do not block.
type port int

func (p port) Read(b []byte) (int, error) {
	for {
		n, err := unix.Read(int(p), b)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, err
		case n == 0: // the host's side is not there
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// Write writes all of it: a virtio port takes 32 KiB at once.
func (p port) Write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		n, err := unix.Write(int(p), b[done:])
		if err != nil && !errors.Is(err, unix.EINTR) {
			return done, err
		}
		done += max(n, 0)
	}
	return done, nil
}

func openPort(spec Spec) (port, error) {
	if spec.Port == UART {
		return openUART("/dev/" + spec.Line)
	}
	// Its name comes in a message of the host's, a moment after the device.
	for range 250 {
		names, _ := filepath.Glob("/sys/class/virtio-ports/*/name")
		for _, name := range names {
			if firstWord(name) == PortName {
				return openDevice(filepath.Dir(name))
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	return 0, fmt.Errorf("no virtio-serial port named %s; of virtio there is: %s", PortName, present("/sys/bus/virtio/drivers/*", "/sys/bus/virtio/devices/*", "/sys/class/virtio-ports/*"))
}

// present are the names of what is there of some patterns.
func present(patterns ...string) string {
	var out []string
	for _, p := range patterns {
		found, _ := filepath.Glob(p)
		for _, f := range found {
			out = append(out, filepath.Base(f))
		}
	}
	if out == nil {
		return "nothing"
	}
	return strings.Join(out, " ")
}

// openDevice opens the device of a directory of /sys/class; where there is no
// devtmpfs, it makes the node.
func openDevice(class string) (port, error) {
	node := "/dev/" + filepath.Base(class)
	if _, err := os.Lstat(node); err != nil {
		major, minor, _ := strings.Cut(firstWord(class+"/dev"), ":")
		a, _ := strconv.ParseUint(major, 10, 32)
		b, _ := strconv.ParseUint(minor, 10, 32)
		if err := unix.Mknod(node, unix.S_IFCHR|0o600, int(unix.Mkdev(uint32(a), uint32(b)))); err != nil {
			return 0, fmt.Errorf("make %s: %w", node, err)
		}
	}
	fd, err := unix.Open(node, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("open %s: %w", node, err)
	}
	return port(fd), nil
}

// openUART opens a serial line for bytes as they are (termios(3), cfmakeraw).
func openUART(node string) (port, error) {
	fd, err := unix.Open(node, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("open %s: %w", node, err)
	}
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err == nil {
		t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
		t.Oflag &^= unix.OPOST
		t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
		t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8 | unix.CLOCAL
		t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
		err = unix.IoctlSetTermios(fd, unix.TCSETS, t)
	}
	if err != nil {
		return 0, fmt.Errorf("%s: no serial line there: %w", node, err)
	}
	return port(fd), nil
}

// awaitAck closes what it returns when the host has acknowledged the end, or is gone.
func awaitAck(p port) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		r := NewReader(p)
		for {
			if m, err := r.Next(); err != nil || m.Type == AckType {
				return
			}
		}
	}()
	return done
}
