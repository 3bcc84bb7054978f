// Package agent is the process that works inside a namespace, and the
// runner's handle on it.
//
// An agent is the same binary, started as `netab agent`. It speaks JSON lines
// (wire.go) on stdin and stdout, serves the files, devices and sockets of its
// own namespace, and ends when stdin closes or the thread that started it dies.
// Its namespaces are anonymous: they vanish with it, so SIGKILL of everything
// leaves no link and no namespace behind.
package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sys/unix"

	"netab/results/crew"
	"netab/runner/host"
	"netab/runner/traffic"
)

// The protocol is a line for each call and a line for each answer, matched by
// number: a call may wait for its answer while others come and go. It is our own
// because a process is started for every namespace of every trial, and net/rpc
// brings gob, HTTP and TLS into it: a quarter of the CPU time that starting one
// took, where page faults are dear. gRPC would bring more of the same. Which
// version is spoken, both sides say first (greet.go).

// A request is one call on its way to the agent.
type request struct {
	ID     uint64
	Method string
	Args   json.RawMessage
}

// An answer carries the value, the error, or both: a broken flow does not unmake
// what the others counted.
type answer struct {
	ID    uint64
	Value any    `json:",omitempty"`
	Fault *Fault `json:",omitempty"`
}

// received is an answer as the other side reads it, its value to be decoded by
// whoever knows the type.
type received struct {
	ID    uint64
	Value json.RawMessage
	Fault *Fault
}

// A Fault is an error on its way through a pipe: its text, and the errno that
// errors.Is asks for.
type Fault struct {
	Text  string
	Errno unix.Errno `json:",omitempty"`
}

func fault(err error) *Fault {
	if err == nil {
		return nil
	}
	f := &Fault{Text: err.Error()}
	errors.As(err, &f.Errno)
	return f
}

func (f *Fault) Error() string { return f.Text }

// Is satisfies errors.Is for the errno, and through it for fs.ErrNotExist and
// fs.ErrPermission.
func (f *Fault) Is(target error) bool {
	return f.Errno != 0 && (target == f.Errno || f.Errno.Is(target))
}

// Nothing is the argument of a call that takes none.
type Nothing struct{}

// Arguments of calls that take more than one value.
type (
	// FileData is what to write where.
	FileData struct {
		Path string
		Data []byte
	}
	// LinkArgs is what to change of a device.
	LinkArgs struct {
		Name   string
		Change host.LinkChange
	}
	// EthtoolArgs is what to ask of which device.
	EthtoolArgs struct {
		Device  string
		Request []uint32
	}
	// RunArgs is what a set of sockets shall do.
	RunArgs struct {
		Windows []traffic.Window
		End     int64 // of the whole schedule
	}
)

// A method decodes its arguments and does the work.
type method func(args json.RawMessage) (any, error)

// get makes a method of a function with a value.
func get[A, V any](f func(A) (V, error)) method {
	return func(args json.RawMessage) (any, error) {
		var a A
		if err := json.Unmarshal(args, &a); err != nil {
			return nil, err
		}
		return f(a)
	}
}

// do makes a method of a function that only works or does not.
func do[A any](f func(A) error) method {
	return get(func(a A) (any, error) { return nil, f(a) })
}

// serve answers requests until there are no more, each as soon as it can.
func serve(in io.Reader, out io.Writer, methods map[string]method) error {
	requests, answers := json.NewDecoder(in), json.NewEncoder(out)
	var writing sync.Mutex
	for {
		var q request
		if err := requests.Decode(&q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		go func() {
			a := answer{ID: q.ID}
			if m, ok := methods[q.Method]; ok {
				v, err := m(q.Args)
				a.Value, a.Fault = v, fault(err)
			} else {
				a.Fault = fault(fmt.Errorf("no method %s", q.Method))
			}
			writing.Lock()
			defer writing.Unlock()
			if err := answers.Encode(a); err != nil { // the runner is gone, or the value is no JSON
				answers.Encode(answer{ID: q.ID, Fault: fault(err)})
			}
		}()
	}
}

// A client is the calling side.
type client struct {
	out io.Writer

	mu      sync.Mutex
	last    uint64
	waiting map[uint64]chan received
	broken  error // why no answer comes any more
}

// newClient calls whoever reads out and answers on in.
func newClient(in io.Reader, out io.Writer) *client {
	c := &client{out: out, waiting: map[uint64]chan received{}}
	go c.receive(in)
	return c
}

// receive hands each answer to its caller, and closes the channels of those who
// wait when there are no more.
func (c *client) receive(in io.Reader) {
	answers := json.NewDecoder(in)
	for {
		var a received
		err := crew.Caught(func() error { return answers.Decode(&a) })
		c.mu.Lock()
		if err != nil {
			c.broken = err
			for _, w := range c.waiting {
				close(w)
			}
			c.mu.Unlock()
			return
		}
		if w, ok := c.waiting[a.ID]; ok {
			delete(c.waiting, a.ID)
			w <- a
		}
		c.mu.Unlock()
	}
}

// send sends a request. Its answer comes on the channel, which is closed if none
// can come any more; why says err then.
func (c *client) send(method string, args any) (<-chan received, error) {
	raw, err := json.Marshal(args)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return nil, c.broken
	}
	c.last++
	line, err := json.Marshal(request{c.last, method, raw})
	if err != nil {
		return nil, err
	}
	w := make(chan received, 1)
	c.waiting[c.last] = w
	if _, err := c.out.Write(append(line, '\n')); err != nil {
		delete(c.waiting, c.last)
		return nil, err
	}
	return w, nil
}

func (c *client) err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.broken
}

func errDied(what string, err error) error { return fmt.Errorf("agent: %s: %w", what, err) }
