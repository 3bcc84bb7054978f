// Package probe reads the kernel's counters: one kernel file is one Go file
// with one parser, and every column cites the kernel source that prints it.
//
// It is shaped by three facts. Counters are read where the traffic runs, which
// may be a namespace behind an agent, so everything is read through
// [FileReader], which host.Host satisfies. What a verdict rests on are
// differences, so the snapshots ([Namespace], [Machine], [Thread],
// [Processes]) come with a Sub that knows how wide the kernel's counter is.
// And counters overlap (one lost datagram may stand in five of them), so
// [Ledger] alone turns them into places.
//
// It refuses to guess: a file in a form that it does not know is an error that
// names file and line, never a zero.
//
// The parsers are our own because those of github.com/prometheus/procfs (0.23)
// cannot be reached without its reading files below a mount point itself, which
// an agent's are not. It also drops the last two of softnet_stat's 15 columns and
// the counters of snmp and netstat that it has no field for, and holds the rest
// as float64, which counts in ones only up to 2^53.
package probe

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
)

// A FileReader reads a whole file of /proc or /sys. Errors satisfy
// errors.Is(err, fs.ErrNotExist) as those of os.ReadFile do.
type FileReader interface {
	ReadFile(path string) ([]byte, error)
}

// tickNS is one unit of the times in /proc/stat and /proc/PID/stat: the kernel
// scales to USER_HZ = 100 for user space whatever its own CONFIG_HZ is
// (nsec_to_clock_t in kernel/time/time.c; only alpha differs).
const tickNS = 10_000_000

// read reads a file and parses it; a parser's error is given the path.
func read[T any](fr FileReader, path string, parse func([]byte) (T, error)) (T, error) {
	data, err := fr.ReadFile(path)
	if err != nil {
		var zero T
		return zero, fmt.Errorf("read %s: %w", path, err)
	}
	v, err := parse(data)
	if err != nil {
		return v, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

// counter parses a decimal counter. Counters are unsigned up to 64 bit: the
// top bit ends up in the sign, and differences still come out right. A few
// columns are signed (TcpMaxConn is -1).
func counter(s string) (int64, error) {
	if len(s) > 0 && s[0] == '-' {
		return strconv.ParseInt(s, 10, 64)
	}
	u, err := strconv.ParseUint(s, 10, 64)
	return int64(u), err
}

// counter32 parses a counter that the kernel keeps in an unsigned int.
func counter32(s string, base int) (uint32, error) {
	u, err := strconv.ParseUint(s, base, 32)
	return uint32(u), err
}

// lineError says in which line of a file a parser gave up.
func lineError(line int, format string, args ...any) error {
	return fmt.Errorf("line %d: %w", line, fmt.Errorf(format, args...))
}

// delta32 is how far a 32-bit counter moved; it may have wrapped once.
func delta32(after, before uint32) int64 { return int64(after - before) }

func isNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }
