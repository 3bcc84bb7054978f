package guest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A monitor gives QEMU orders, by its own protocol (QMP, docs/interop/qmp-spec.rst).
type monitor struct {
	conn *os.File
	in   *json.Decoder
}

// errClosed says that QEMU has closed its monitor, which it does when it ends.
var errClosed = errors.New("QEMU is ending")

// closed is an error of the connection as that.
func closed(err error) error {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, unix.EPIPE, unix.ECONNRESET} {
		if errors.Is(err, end) {
			return errClosed
		}
	}
	return err
}

// obeys is how long QEMU may take to do as it is told: it answers between two events of
// its own, and a busy machine makes it wait.
const obeys = 20 * time.Second

func newMonitor(conn *os.File) *monitor { return &monitor{conn, json.NewDecoder(conn)} }

// begin is for before the first order.
func (m *monitor) begin() error { return m.do("qmp_capabilities") }

// stop holds the guest's CPUs and its clocks.
func (m *monitor) stop() error { return m.do("stop") }

// resume lets them go on, from where they were.
func (m *monitor) resume() error { return m.do("cont") }

func (m *monitor) do(order string) error {
	if err := m.conn.SetDeadline(time.Now().Add(obeys)); err != nil {
		return fmt.Errorf("tell QEMU to %s: %w", order, err)
	}
	if _, err := fmt.Fprintf(m.conn, "{\"execute\": %q}\n", order); err != nil {
		return fmt.Errorf("tell QEMU to %s: %w", order, closed(err))
	}
	for {
		var answer struct {
			Return json.RawMessage `json:"return"`
			Error  *struct {
				Desc string `json:"desc"`
			} `json:"error"`
		}
		if err := m.in.Decode(&answer); err != nil {
			return fmt.Errorf("tell QEMU to %s: %w", order, closed(err))
		}
		switch {
		case answer.Error != nil:
			return fmt.Errorf("tell QEMU to %s: it says %.200q", order, answer.Error.Desc)
		case answer.Return != nil:
			return nil
		}
		// Its greeting, or an event.
	}
}
