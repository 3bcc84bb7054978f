package agent

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A Process is what an agent runs as, as far as its handle needs it: a child of this
// process, or one on another machine with a connection to it.
type Process interface {
	// PID is its number where it runs.
	PID() int
	// End ends it at once, for it holds nothing that wants an orderly end, waits until
	// it is gone, and says how it ended and what it said last.
	End() string
	// Hung ends it too, and says all that is known of where it hangs.
	Hung() string
	// Exited is closed when it is gone.
	Exited() <-chan struct{}
}

// A child is an agent that is a child of this process.
type child struct {
	cmd    *exec.Cmd
	stderr *tail
	exited chan struct{}
}

// watch waits for the started process.
func (c *child) watch() {
	go func() { c.cmd.Wait(); close(c.exited) }()
}

func (c *child) PID() int                { return c.cmd.Process.Pid }
func (c *child) Exited() <-chan struct{} { return c.exited }

func (c *child) End() string {
	c.cmd.Process.Kill()
	<-c.exited
	return fmt.Sprintf("(%s)%s", c.cmd.ProcessState, c.stderr.text())
}

func (c *child) Hung() string {
	report := c.threads()
	c.cmd.Process.Signal(syscall.SIGQUIT) // Go's runtime prints all stacks
	select {
	case <-c.exited:
	case <-time.After(2 * time.Second):
		c.cmd.Process.Kill()
		<-c.exited
	}
	return report + c.stderr.all()
}

// threads says where its threads are in the kernel.
func (c *child) threads() string {
	var out strings.Builder
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/[sw]*", c.PID())) // stack, status, syscall, wchan
	for _, file := range files {
		switch filepath.Base(file) {
		case "stack", "syscall", "wchan":
			text, _ := os.ReadFile(file)
			fmt.Fprintf(&out, "%s: %s\n", file, text)
		}
	}
	return out.String()
}

// maxText is how much of what an agent said on stderr an error shows.
const maxText = 4096

// tail keeps the last of what an agent said on stderr: a panic's text.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - 64<<10; over > 0 {
		t.buf = t.buf[over:]
	}
	return len(p), nil
}

func (t *tail) all() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.buf) == 0 {
		return ""
	}
	text := strings.TrimSpace(string(t.buf))
	return ": " + text[max(0, len(text)-maxText):]
}
