package inside

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// What guest and host say to each other are lines of JSON.

// protocol goes up with every change that the other side could misread. Both sides
// are one binary, unless a machine is told to boot another.
const protocol = 1

// A Type is what a message is.
type Type string

// What a guest says, and the one that the host answers with.
const (
	HelloType Type = "hello" // it is up, and begins with the job
	LineType  Type = "line"  // of the streamed file
	SaidType  Type = "said"  // by the job for people
	ExitType  Type = "exit"  // of the job: the last message
	AckType   Type = "ack"   // of the host: it has kept all up to the exit
)

// A Message is one of these.
type Message struct {
	Type  Type   `json:"type"`
	Hello *Hello `json:"hello,omitempty"`
	Data  []byte `json:"data,omitempty"` // base64: a line may hold anything
	More  bool   `json:"more,omitempty"` // of a line: it goes on in the next message of its type
	Exit  *Exit  `json:"exit,omitempty"`
}

// A Hello says what has come up.
type Hello struct {
	Protocol int      `json:"protocol"`
	Release  string   `json:"release"`
	BootID   string   `json:"boot_id"`
	Uptime   float64  `json:"uptime_s"`
	CPUs     int      `json:"cpus"`
	Lacks    []string `json:"lacks,omitempty"` // file systems and modules that are not there, and why
}

// An Exit says how the job ended.
type Exit struct {
	Status int     `json:"status"`           // if it exited
	Signal int     `json:"signal,omitempty"` // by which it was ended; 0 = none
	Fault  string  `json:"fault,omitempty"`  // why there was no job at all
	Late   bool    `json:"late,omitempty"`   // its deadline had passed
	Uptime float64 `json:"uptime_s"`
}

// Bounds of what is said. A guest is not trusted: whatever it sends, the host holds
// no more than a line of it.
const (
	chunk    = 32 << 10    // of data in a message
	maxWire  = 2 * chunk   // of a message
	maxLine  = 64 << 20    // of a streamed line, as in a run file
	maxTotal = 4<<30 + 1e9 // of all that is said: a run file, and base64
)

// A Sender says messages, for several goroutines.
type Sender struct {
	mu sync.Mutex
	w  io.Writer
}

// NewSender makes the sender of a port.
func NewSender(w io.Writer) *Sender { return &Sender{w: w} }

// Send says one message, in one write.
func (s *Sender) Send(m Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.send(m)
}

func (s *Sender) send(m Message) error {
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = s.w.Write(append(line, '\n'))
	return err
}

// Line says a line, without its end, in as many messages as it takes.
func (s *Sender) Line(line []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		part := line[:min(len(line), chunk)]
		line = line[len(part):]
		if err := s.send(Message{Type: LineType, Data: part, More: len(line) > 0}); err != nil || len(line) == 0 {
			return err
		}
	}
}

// A Reader reads what the other side says.
type Reader struct {
	r    *bufio.Reader
	left int64
	line []byte // what has come of one so far
}

// NewReader makes the reader of a port.
func NewReader(r io.Reader) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, maxWire), left: maxTotal}
}

// ErrGarbled is the error of what no guest of ours says.
var ErrGarbled = errors.New("garbled")

func garbled(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrGarbled, fmt.Sprintf(format, args...))
}

// Next is the next message; a line's when all of it has come. The end, even within a
// message, is io.EOF.
func (r *Reader) Next() (Message, error) {
	for {
		m, err := r.next()
		if err != nil || m.Type != LineType {
			return m, err
		}
		if !m.More && r.line == nil {
			return m, nil
		}
		if len(r.line)+len(m.Data) > maxLine {
			return Message{}, garbled("a line of more than %d MiB", maxLine>>20)
		}
		r.line = append(r.line, m.Data...)
		if !m.More {
			m.Data, r.line = r.line, nil
			return m, nil
		}
	}
}

func (r *Reader) next() (m Message, err error) {
	text, err := r.r.ReadSlice('\n')
	r.left -= int64(len(text))
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return m, garbled("a message of more than %d bytes", maxWire)
	case err != nil:
		return m, err
	case r.left < 0:
		return m, garbled("more than %d bytes in all", int64(maxTotal))
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, garbled("%v in %.80q", err, bytes.TrimSpace(text))
	}
	return m, m.check()
}

// check says whether it holds what its type wants.
func (m *Message) check() error {
	if m.More && m.Type != LineType {
		return garbled("a part of a message of type %.40q", m.Type)
	}
	switch m.Type {
	case HelloType:
		if m.Hello == nil {
			return garbled("a hello without content")
		}
		if m.Hello.Protocol != protocol {
			return garbled("the netab in the guest speaks version %d of the protocol, this one version %d: boot the same netab", m.Hello.Protocol, protocol)
		}
	case ExitType:
		if m.Exit == nil {
			return garbled("an exit without content")
		}
	case LineType, SaidType, AckType:
	default:
		return garbled("a message of type %.40q", m.Type)
	}
	return nil
}
