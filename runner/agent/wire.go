// Package agent is the process that works inside a namespace, and the
// runner's handle on it.
//
// An agent is the same binary, started as `netab agent`. It speaks JSON lines
// (net/rpc's jsonrpc codec) on stdin and stdout, serves the files, devices and
// sockets of its own namespace, and ends when stdin closes or the thread that
// started it dies. Its namespaces are anonymous: they vanish with it, so
// SIGKILL of everything leaves no link and no namespace behind.
package agent

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"netab/runner/host"
	"netab/runner/traffic"
)

// A Reply carries a value or the error that came instead of it. net/rpc would
// flatten an error to its text; a Fault keeps what errors.Is asks for.
type Reply[T any] struct {
	Value T
	Fault *Fault `json:",omitempty"`
}

// Nothing is the value of a Reply that only says whether it worked.
type Nothing struct{}

// A Fault is an error on its way through a pipe.
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

// set fills a reply and never fails itself: a call that returns an error to
// net/rpc would lose the errno.
func (r *Reply[T]) set(v T, err error) error {
	r.Value, r.Fault = v, fault(err)
	return nil
}

func (r *Reply[T]) done(err error) error {
	r.Fault = fault(err)
	return nil
}

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
	// FeatureArgs is which ethtool features to set.
	FeatureArgs struct {
		Device   string
		Features map[string]bool
	}
	// ChannelArgs is which queue counts to set.
	ChannelArgs struct {
		Device   string
		Channels host.Channels
	}
	// RunArgs is what a set of sockets shall do.
	RunArgs struct {
		Windows []traffic.Window
		End     int64 // of the whole schedule
	}
	// RunReply keeps the counts beside the error: a broken flow does not
	// unmake what the others did.
	RunReply struct {
		Report *traffic.Report
		Broken *Fault `json:",omitempty"`
	}
)

func errDied(what string, err error) error { return fmt.Errorf("agent: %s: %w", what, err) }
