package guest

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A process is a QEMU that was started.
type process struct {
	cmd    *exec.Cmd
	stderr *tail
	exited chan struct{}
}

// start starts QEMU with these files as descriptors 3 and up. It dies with this
// process, whatever ends that: the parent-death signal is bound to the thread that
// started it (prctl(2)), so a thread is kept for as long as it runs.
func start(args []string, files ...*os.File) (*process, error) {
	p := &process{cmd: exec.Command(args[0], args[1:]...), stderr: &tail{}, exited: make(chan struct{})}
	p.cmd.ExtraFiles = files
	p.cmd.Stdout, p.cmd.Stderr = p.stderr, p.stderr
	p.cmd.WaitDelay = time.Second
	p.cmd.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig: syscall.SIGKILL,
		Setpgid:   true, // a terminal's Ctrl-C is for this process, which then ends it
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait() // its state says how it ended
			close(p.exited)
		}
	}()
	return p, <-started
}

// kill ends it at once: nothing in a guest wants an orderly end that has not said so.
func (p *process) kill() { _ = p.cmd.Process.Kill() }

// state is how it ended, after that.
func (p *process) state() qemuState {
	status, _ := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return qemuState{signal: status.Signal()}
	}
	return qemuState{status: status.ExitStatus()}
}

// said is what it said itself, in one line.
func (p *process) said() string { return p.stderr.line() }

// A tail keeps the last of what QEMU says.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const maxTail = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - maxTail; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(p), nil
}

func (t *tail) line() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var lines []string
	for line := range strings.Lines(string(t.text)) {
		if text := strings.TrimSpace(shown([]byte(line))); text != "" {
			lines = append(lines, text)
		}
	}
	return strings.Join(lines, "; ")
}
