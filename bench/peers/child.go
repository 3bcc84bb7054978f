package main

import (
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"syscall"
)

// A child is a process in the namespace of another process.
type child struct {
	name   string
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout io.ReadCloser
	stderr bytes.Buffer
}

// startIn starts a program in the network namespace of process pid. nsenter
// becomes the program, so the process started is the one to signal and read.
func startIn(pid int, program string, args ...string) (*child, error) {
	c := &child{name: program}
	c.cmd = exec.Command("nsenter", append([]string{"--net=/proc/" + strconv.Itoa(pid) + "/ns/net", program}, args...)...)
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	c.cmd.Stderr = &c.stderr
	var err error
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if c.stdout, err = c.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	return c, nil
}

func (c *child) signal(s syscall.Signal) error {
	if err := c.cmd.Process.Signal(s); err != nil {
		return c.failed(fmt.Errorf("signal %v: %w", s, err))
	}
	return nil
}

// kill ends the process; it holds nothing that wants an orderly end.
func (c *child) kill() {
	c.cmd.Process.Kill()
	c.cmd.Wait()
}

// failed adds what the child said to an error; the child is ended.
func (c *child) failed(err error) error {
	c.kill()
	return fmt.Errorf("%s: %w (%s) %s", c.name, err, c.cmd.ProcessState, bytes.TrimSpace(c.stderr.Bytes()))
}
