package knob_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"netab/runner/host"
	"netab/runner/knob"
	"netab/scenarios"
)

// files is a place that has nothing but files, below a directory.
type files struct {
	host.Host
	root string
}

func (f files) ReadFile(path string) ([]byte, error) { return os.ReadFile(f.root + path) }

func (f files) WriteFile(path string, data []byte) error {
	return os.WriteFile(f.root+path, data, 0o644)
}

func (f files) Mode(path string) (fs.FileMode, error) {
	info, err := os.Stat(f.root + path)
	if err != nil {
		return 0, err
	}
	return info.Mode(), nil
}

func (f files) Close(context.Context) error { return nil }

// machine makes a place with one sysctl.
func machine() (files, error) {
	root, err := os.MkdirTemp("", "knob-example-")
	if err != nil {
		return files{}, err
	}
	dir := filepath.Join(root, "proc/sys/net/core")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return files{}, err
	}
	return files{root: root}, os.WriteFile(filepath.Join(dir, "netdev_budget"), []byte("300\n"), 0o644)
}

// A run borrows a knob and is lost; the next netab puts it back.
func ExampleJournal() {
	m, err := machine()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(m.root)
	state := filepath.Join(m.root, "state")
	options := knob.Options{Host: func(string) (host.Host, error) { return m, nil }}

	// The run.
	journal, err := knob.Open(state, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	owner, err := knob.Self("20261121-loopback", "v1.0.0", time.Now())
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := journal.Begin(owner); err != nil {
		fmt.Println(err)
		return
	}
	asked := scenarios.Knob{Family: "sysctl", Name: "net/core/netdev_budget", Value: "600"}
	knobs, err := knob.Bind(m, asked, "", knob.Host)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, k := range knobs {
		set, err := journal.Set(m, k, asked.Value)
		fmt.Println(set.Knob, set.Before, "->", set.After, err)
	}
	// Here it is killed. netab restore:
	later, err := knob.Open(state, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("pending:", later.Pending())
	for _, result := range later.Restore(context.Background()) {
		fmt.Println(result)
	}
	// Output:
	// sysctl net.core.netdev_budget 300 -> 600 <nil>
	// pending: [sysctl net.core.netdev_budget]
	// sysctl net.core.netdev_budget: restored to 300
}

// A device that lacks a knob says what it has.
func ExampleBind() {
	m, err := machine()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(m.root)
	_, err = knob.Bind(m, scenarios.Knob{Family: "sysctl", Name: "net/core/netdev_bugdet"}, "", knob.Host)
	fmt.Println(err)
	// Output:
	// sysctl net.core.netdev_bugdet: this kernel lacks it, or the module that brings it is not loaded (see: ls /proc/sys/net/core)
}
