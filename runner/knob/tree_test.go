package knob

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netab/runner/host"
)

// A tree is a host.Host over a directory: real files, so that a child process
// that kills itself leaves a state to find. Links, features and channels are
// JSON files in it.
type tree struct {
	root string
	// take, when set, is what the kernel makes of a value written to a path.
	take map[string]func(data string) (string, error)
}

var _ host.Host = (*tree)(nil)

// newTree makes a tree of files; a path that ends in a slash is a directory.
func newTree(t testing.TB, files map[string]string) *tree {
	t.Helper()
	h := &tree{root: memoryDir(t), take: map[string]func(string) (string, error){}}
	for path, text := range files {
		h.put(t, path, text)
	}
	return h
}

// memoryDir is a temporary directory in memory where there is one: what the
// tests check is the order of things, and waiting for a disk at every step of
// every rehearsal would take most of a minute.
func memoryDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "netab-knob-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func (h *tree) put(t testing.TB, path, text string) {
	t.Helper()
	p := h.at(path)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(path, "/") {
		return
	}
	if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (h *tree) get(t testing.TB, path string) string {
	t.Helper()
	data, err := h.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

func (h *tree) at(path string) string { return h.root + path }

func (h *tree) ReadFile(path string) ([]byte, error) { return os.ReadFile(h.at(path)) }

func (h *tree) WriteFile(path string, data []byte) error {
	if take := h.take[path]; take != nil {
		text, err := take(string(data))
		if err != nil {
			return &fs.PathError{Op: "write", Path: path, Err: err}
		}
		data = []byte(text)
	}
	f, err := os.OpenFile(h.at(path), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

func (h *tree) Mode(path string) (fs.FileMode, error) {
	info, err := os.Stat(h.at(path))
	if err != nil {
		return 0, err
	}
	return info.Mode().Perm(), nil
}

func (h *tree) Glob(pattern string) ([]string, error) {
	found, err := filepath.Glob(h.at(pattern))
	for i := range found {
		found[i] = strings.TrimPrefix(found[i], h.root)
	}
	return found, err
}

func (h *tree) load(name string, into any) error {
	data, err := os.ReadFile(filepath.Join(h.root, name))
	if errors.Is(err, fs.ErrNotExist) {
		return unix.ENODEV
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

func (h *tree) save(name string, from any) error {
	data, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(h.root, name), data, 0o644)
}

func (h *tree) Links() (links []host.Link, err error) { return links, h.load("links.json", &links) }

func (h *tree) SetLink(name string, change host.LinkChange) error {
	links, err := h.Links()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(links, func(l host.Link) bool { return l.Name == name })
	if i < 0 {
		return unix.ENODEV
	}
	if change.MTU != nil {
		links[i].MTU = *change.MTU
	}
	return h.save("links.json", links)
}

// Ethtool has the features and channels of JSON files.
func (h *tree) Ethtool(device string, request []uint32) ([]uint32, error) {
	var features map[string]host.Feature
	var channels []uint32
	switch request[0] {
	case channelCounts.get:
		return channels, h.load("channels-"+device+".json", &channels)
	case channelCounts.set:
		return request, h.setChannels(device, request)
	}
	if err := h.load("features-"+device+".json", &features); err != nil {
		return nil, err
	}
	return askFeatures(request, features, func(change map[string]bool) error {
		return h.setFeatures(device, features, change)
	})
}

// Rtnetlink has the root qdisc of each device in a JSON file.
func (h *tree) Rtnetlink(r host.NetlinkRequest) ([][]byte, error) {
	if r.Type == unix.RTM_GETQDISC {
		links, err := h.Links()
		var out [][]byte
		for _, l := range links {
			var attrs []byte
			if err := h.load(fmt.Sprintf("qdisc-%d.json", l.Index), &attrs); err == nil && attrs != nil {
				head := rootOf(int32(l.Index))
				native.PutUint32(head[8:], 0x80010000)
				out = append(out, append(head, attrs...))
			}
		}
		return out, err
	}
	file, attrs := fmt.Sprintf("qdisc-%d.json", native.Uint32(r.Body[4:])), r.Body[host.SizeofQdiscHead:]
	if r.Type == unix.RTM_DELQDISC {
		attrs = nil
	}
	return nil, h.save(file, attrs)
}

// setFeatures knows one dependency of the kernel's: TSO is active only while
// scatter-gather is (netdev_fix_features in net/core/dev.c).
func (h *tree) setFeatures(device string, features map[string]host.Feature, change map[string]bool) error {
	for name, on := range change {
		f := features[name]
		if f.Fixed {
			return unix.EINVAL
		}
		f.Requested, f.Active = on, on
		features[name] = f
	}
	sg, known := features["tx-scatter-gather"]
	for name, f := range features {
		if known && strings.HasPrefix(name, "tx-tcp") && f.Requested {
			f.Active = sg.Active
			features[name] = f
		}
	}
	return h.save("features-"+device+".json", features)
}

// setChannels does what drivers do: with new queues XPS is set up anew.
func (h *tree) setChannels(device string, words []uint32) error {
	maps, err := h.Glob(netClass + "/" + device + "/queues/tx-*/xps_cpus")
	if err != nil {
		return err
	}
	for _, m := range maps {
		if err := h.WriteFile(m, []byte("f\n")); err != nil {
			return err
		}
	}
	stored := slices.Clone(words)
	stored[0] = 0 // the command
	return h.save("channels-"+device+".json", stored)
}

func (h *tree) Close(context.Context) error { return nil }

// dump is every file of the tree with its text, blanks trimmed: what must be
// the same before and after.
func (h *tree) dump(t testing.TB) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(h.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, h.root)] = strings.TrimSpace(string(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// nic is the tree of a machine with one device, eth1, of two queues each way.
func nic(t testing.TB) *tree {
	t.Helper()
	h := newTree(t, map[string]string{
		"/proc/sys/net/core/netdev_budget":              "300\n",
		"/proc/sys/net/core/dev_weight":                 "64\n",
		"/proc/sys/net/ipv4/tcp_rmem":                   "4096\t131072\t33554432\n",
		"/proc/interrupts":                              interruptsOf("eth1"),
		"/proc/irq/41/smp_affinity_list":                "0-3\n",
		"/proc/irq/42/smp_affinity_list":                "0-3\n",
		netClass + "/eth1/gro_flush_timeout":            "0\n",
		netClass + "/eth1/napi_defer_hard_irqs":         "0\n",
		netClass + "/eth1/threaded":                     "0\n",
		netClass + "/eth1/tx_queue_len":                 "1000\n",
		netClass + "/eth1/queues/rx-0/rps_cpus":         "0\n",
		netClass + "/eth1/queues/rx-0/rps_flow_cnt":     "0\n",
		netClass + "/eth1/queues/rx-1/rps_cpus":         "c\n",
		netClass + "/eth1/queues/rx-1/rps_flow_cnt":     "0\n",
		netClass + "/eth1/queues/tx-0/xps_cpus":         "1\n",
		netClass + "/eth1/queues/tx-1/xps_cpus":         "2\n",
		cpufreqRoot + "/policy0/scaling_governor":       "schedutil\n",
		cpufreqRoot + "/policy2/scaling_governor":       "schedutil\n",
		cpufreqRoot + "/policy0/" + availableGovernors:  "performance schedutil\n",
		cpufreqRoot + "/policy2/" + availableGovernors:  "performance schedutil\n",
		netClass + "/lo/queues/rx-0/rps_cpus":           "0\n",
		"/proc/sys/net/ipv4/conf/all/forwarding":        "0\n",
		"/proc/sys/net/ipv4/conf/eth1/forwarding":       "1\n",
		"/proc/sys/net/ipv4/conf/eth1/accept_redirects": "1\n",
		"/proc/sys/net/ipv4/ip_forward":                 "0\n",
		"/proc/sys/net/ipv6/conf/all/disable_ipv6":      "0\n",
		"/proc/sys/net/ipv4/tcp_available_ulp":          "\n",
	})
	save := func(name string, v any) {
		if err := h.save(name, v); err != nil {
			t.Fatal(err)
		}
	}
	save("links.json", []host.Link{{Name: "eth1", Index: 3, MTU: 1500}})
	save("qdisc-3.json", []byte(nil))
	save("channels-eth1.json", []uint32{0, 0, 0, 0, 4, 0, 0, 0, 2})
	on := host.Feature{Active: true, Requested: true}
	save("features-eth1.json", map[string]host.Feature{
		"rx-gro": on, "rx-lro": {Fixed: true}, "rx-checksum": on,
		"tx-scatter-gather": on, "tx-scatter-gather-fraglist": {Fixed: true},
		"tx-tcp-segmentation": on, "tx-tcp6-segmentation": on, "tx-tcp-mangleid-segmentation": {},
		"tx-checksum-ip-generic": on, "tx-checksum-ipv4": {Fixed: true},
	})
	return h
}

const availableGovernors = "scaling_available_governors"

func interruptsOf(device string) string {
	return fmt.Sprintf("      CPU0 CPU1\n 40: 1 0 PCI-MSIX-0000:00:03.0 0-edge other\n"+
		" 41: 1 0 PCI-MSIX-0000:00:04.0 0-edge %[1]s-rx-0\n 42: 0 9 PCI-MSIX-0000:00:04.0 1-edge %[1]s-tx-0\n"+
		" 43: 0 9 PCI-MSIX-0000:00:05.0 1-edge %[1]s0\nNMI: 0 0 %[1]s\n", device)
}

// bind is FromSpec for tests that expect no error.
func bind(t testing.TB, spec Spec) Knob {
	t.Helper()
	k, err := FromSpec(spec)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
