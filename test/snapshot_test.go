package test

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"

	"netab/runner/host"
)

// A snapshot is what a run could have changed of a machine, a line each: links
// with their addresses and routes, namespaces, sysctls, queue masks, offloads,
// interrupt affinities, governors, and the netab processes.
type snapshot map[string]string

// snapshotSandbox is everything there is: nobody else is in the sandbox.
func snapshotSandbox() snapshot {
	s := snapshotHost()
	s.addNamespaces()
	s.addLinks()
	s.addQueues()
	s.addFeatures()
	return s
}

// snapshotHost is what is shared with the rest of the machine, of which other
// tests may be making links and namespaces at the same time: of those, only
// what netab names.
func snapshotHost() snapshot {
	s := snapshot{}
	s.addFiles("/proc/sys/net", regexp.MustCompile(`/(conf|neigh)/|`+volatile))
	s.addFiles("/proc/sys/kernel", regexp.MustCompile(`/(random|pty|keys|ns_last_pid|spl)|`+volatile))
	s.addFiles("/proc/sys/vm", regexp.MustCompile(`stat_refresh|`+volatile))
	s.addGlob("/proc/irq/*/smp_affinity_list")
	s.addGlob("/sys/devices/system/cpu/cpufreq/policy*/scaling_governor")
	s.addProcesses()
	s.addNamed("/run/netns", func(name string) bool { return strings.HasPrefix(name, "netab-") })
	s.addNamed("/sys/class/net", func(name string) bool { return strings.HasPrefix(name, "veth-s") })
	return s
}

// volatile are sysctls that count or are drawn, or that act when read.
const volatile = `nf_conntrack_count|fastopen_key|route/flush|sunrpc|/fs/|compact_memory|drop_caches|nr_hugepages|random`

// addFiles notes the content of all files below a directory but those skipped.
func (s snapshot) addFiles(dir string, skip *regexp.Regexp) {
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && !skip.MatchString(path) {
			s.addFile(path)
		}
		return nil // what cannot be read is no part of the snapshot
	})
}

func (s snapshot) addGlob(pattern string) {
	paths, _ := filepath.Glob(pattern)
	for _, path := range paths {
		s.addFile(path)
	}
}

func (s snapshot) addFile(path string) {
	if data, err := os.ReadFile(path); err == nil {
		s[path] = strings.TrimSpace(string(data))
	}
}

func (s snapshot) addNamed(dir string, ours func(string) bool) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if ours(e.Name()) {
			s[dir+"/"+e.Name()] = "exists"
		}
	}
}

// addProcesses notes the living netabs of this test binary: the command under
// test and its agents, which run the same file.
func (s snapshot) addProcesses() {
	for _, pid := range netabs() {
		command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		s[fmt.Sprintf("process %d", pid)] = string(bytes.ReplaceAll(command, []byte{0}, []byte{' '}))
	}
}

// netabs are the processes that run the binary under test. A zombie runs
// nothing: its link to the binary is gone.
func netabs() []int {
	binary, err := os.Stat(os.Getenv(envBinary))
	if err != nil {
		return nil
	}
	var out []int
	procs, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, exe := range procs {
		if running, err := os.Stat(exe); err == nil && os.SameFile(binary, running) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(exe)))
			out = append(out, pid)
		}
	}
	return out
}

// addNamespaces notes the network namespaces that a name or a process keeps.
func (s snapshot) addNamespaces() {
	s.addNamed("/run/netns", func(string) bool { return true })
	procs, _ := filepath.Glob("/proc/[0-9]*/ns/net")
	for _, p := range procs {
		if id, err := os.Readlink(p); err == nil {
			s["namespace "+id] = "exists"
		}
	}
}

// addLinks notes all devices, and their own sysctls, which come and go with
// them. Indexes change when a device is moved and are no part of it.
func (s snapshot) addLinks() {
	links, err := netlink.LinkList()
	if err != nil {
		s["links"] = err.Error()
		return
	}
	for _, link := range links {
		a := link.Attrs()
		s["link "+a.Name] = fmt.Sprintf("%s mtu %d txqueuelen %d up %v master %d %s", link.Type(), a.MTU, a.TxQLen,
			a.Flags&1 != 0, a.MasterIndex, a.HardwareAddr)
		addrs, _ := netlink.AddrList(link, netlink.FAMILY_ALL)
		for _, addr := range addrs {
			s[fmt.Sprintf("address %s %s", a.Name, addr.IPNet)] = fmt.Sprintf("broadcast %s label %q", addr.Broadcast, addr.Label)
		}
		routes, _ := netlink.RouteList(link, netlink.FAMILY_ALL)
		for _, r := range routes {
			s[fmt.Sprintf("route %s %s", a.Name, r.Dst)] = fmt.Sprintf("via %s src %s proto %d scope %d table %d", r.Gw, r.Src, r.Protocol, r.Scope, r.Table)
		}
		qdiscs, _ := netlink.QdiscList(link)
		for _, q := range qdiscs {
			s[fmt.Sprintf("qdisc %s %x", a.Name, q.Attrs().Parent)] = q.Type()
		}
		s.addGlob("/proc/sys/net/ipv4/*/" + a.Name + "/*")
		s.addGlob("/proc/sys/net/ipv6/*/" + a.Name + "/*")
	}
	maps.DeleteFunc(s, func(path, _ string) bool { return strings.HasSuffix(path, "/stable_secret") })
}

func (s snapshot) addQueues() {
	for _, file := range []string{"queues/*/rps_cpus", "queues/*/rps_flow_cnt", "queues/*/xps_cpus",
		"gro_flush_timeout", "napi_defer_hard_irqs", "threaded"} {
		s.addGlob("/sys/class/net/*/" + file)
	}
}

func (s snapshot) addFeatures() {
	links, _ := netlink.LinkList()
	for _, link := range links {
		name := link.Attrs().Name
		features, _ := host.Features(host.Local{}, name)
		for feature, state := range features {
			s["feature "+name+" "+feature] = strconv.FormatBool(state.Active)
		}
		const getChannels = 0x3c // include/uapi/linux/ethtool.h
		if c, err := (host.Local{}).Ethtool(name, []uint32{getChannels, 8: 0}); err == nil {
			s["channels "+name] = fmt.Sprint(c)
		}
	}
}

// settledDiff compares with what take sees, and waits a little while they
// differ: the kernel takes namespaces and their devices down in the background.
func (s snapshot) settledDiff(take func() snapshot) string {
	for deadline := time.Now().Add(5 * time.Second); ; {
		diff := s.diff(take())
		if diff == "" || time.Now().After(deadline) {
			return diff
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// diff lists the differing lines; cmp.Diff of two maps of thousands would show
// what is the same, too.
func (s snapshot) diff(after snapshot) string {
	if cmp.Equal(s, after) {
		return ""
	}
	var b strings.Builder
	keys := map[string]bool{}
	for k := range s {
		keys[k] = true
	}
	for k := range after {
		keys[k] = true
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		was, had := s[k]
		is, has := after[k]
		if had && (!has || was != is) {
			fmt.Fprintf(&b, "- %s: %s\n", k, was)
		}
		if has && (!had || was != is) {
			fmt.Fprintf(&b, "+ %s: %s\n", k, is)
		}
	}
	return b.String()
}
