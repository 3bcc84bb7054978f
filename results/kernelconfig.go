package results

import (
	"bytes"
	"compress/gzip"
	"io"
	"slices"
	"strings"
)

// kernelConfig is the options that the running kernel was built with, by name;
// nil where the machine does not tell.
type kernelConfig map[string]string

// debugOptions make the network path much slower or its timing different:
// checkers, not what distributions ship enabled but idle: tracing, and PAGE_POISONING,
// which does nothing unless the command line has page_poison=1.
var debugOptions = []string{
	"KASAN", "KCSAN", "KMSAN", "UBSAN", "KCOV", "GCOV_KERNEL",
	"LOCKDEP", "PROVE_LOCKING", "LOCK_STAT", "DEBUG_LOCK_ALLOC", "DEBUG_SPINLOCK", "DEBUG_MUTEXES", "DEBUG_RT_MUTEXES",
	"DEBUG_ATOMIC_SLEEP", "DEBUG_PREEMPT", "PROVE_RCU", "DEBUG_OBJECTS", "DEBUG_KMEMLEAK", "SLUB_DEBUG_ON",
	"DEBUG_PAGEALLOC", "DEBUG_VM", "DEBUG_NET", "DEBUG_SG", "DEBUG_NOTIFIERS", "DEBUG_CREDENTIALS",
	"NET_DEV_REFCNT_TRACKER", "NET_NS_REFCNT_TRACKER", "FAULT_INJECTION", "IRQSOFF_TRACER", "PREEMPT_TRACER",
}

// readKernelConfig looks where kernels and distributions put it. A file that
// cannot be read is as good as none.
func readKernelConfig(files Files, release string) kernelConfig {
	if data, err := files.ReadFile("/proc/config.gz"); err == nil {
		if text, err := gunzip(data); err == nil {
			return parseKernelConfig(text)
		}
	}
	for _, path := range []string{"/boot/config-" + release, "/lib/modules/" + release + "/config", "/usr/lib/modules/" + release + "/config"} {
		if data, err := files.ReadFile(path); err == nil {
			return parseKernelConfig(string(data))
		}
	}
	return nil
}

// maxConfig bounds what a file may unpack to; real ones are below 400 KiB.
const maxConfig = 8 << 20

func gunzip(data []byte) (string, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(r, maxConfig))
	return string(text), err
}

// parseKernelConfig reads lines of CONFIG_X=value; "# CONFIG_X is not set" is
// the same as no line.
func parseKernelConfig(text string) kernelConfig {
	config := make(kernelConfig)
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && strings.HasPrefix(name, "CONFIG_") {
			config[name] = value
		}
	}
	return config
}

// state is yes, no, or unknown.
func (c kernelConfig) state(name string) string {
	switch {
	case c == nil:
		return "unknown"
	case c[name] == "y" || c[name] == "m":
		return "yes"
	}
	return "no"
}

// debug lists the debug options that are on.
func (c kernelConfig) debug() []string {
	var on []string
	for _, name := range debugOptions {
		if c.state("CONFIG_"+name) == "yes" {
			on = append(on, name)
		}
	}
	return on
}

// pathOptions are options that change what a packet goes through or what that costs, by
// the start of their names: the rest of two kernels' configurations differs in hundreds.
var pathOptions = []string{
	"HZ", "NO_HZ", "HIGH_RES_TIMERS", "PREEMPT", "SMP", "NR_CPUS", "NUMA", "SCHED_", "RCU_", "IRQ_", "GENERIC_IRQ",
	"NET=", "NET_RX", "NET_NS", "NET_SCH", "NET_FLOW", "NET_CLS", "NET_L3", "RPS", "RFS", "XPS", "XDP", "BPF", "INET", "IPV6", "TCP_", "DEFAULT_TCP", "NETFILTER", "NF_CONNTRACK", "BRIDGE_NETFILTER", "XFRM", "TLS", "MPTCP", "CGROUP_NET", "SOCK_CGROUP", "PAGE_POOL", "VETH", "VIRTIO",
	"CPU_MITIGATIONS", "SPECULATION_MITIGATIONS", "MITIGATION_", "RETPOLINE", "RETHUNK", "PAGE_TABLE_ISOLATION", "CPU_UNRET", "CPU_IBRS", "SLS", "CALL_DEPTH",
	"SLUB", "SLAB", "RANDOM_KMALLOC", "INIT_ON_", "HARDENED_USERCOPY", "FORTIFY", "STACKPROTECTOR", "INIT_STACK", "ZERO_CALL_USED", "RANDSTRUCT", "CFI", "SHADOW_CALL", "LTO", "CC_OPTIMIZE", "CC_VERSION_TEXT", "TRANSPARENT_HUGEPAGE",
	"AUDITSYSCALL", "SECURITY_NETWORK", "FUNCTION_TRACER", "DEBUG_INFO_BTF",
}

// OptionsApart are the options that change the packet path and are not the same in all of
// several configurations, for Kernel.Config: a map for each, with a value or "" (not set)
// of every such option; nil where a configuration is not known. Names may have CONFIG_
// before them or not.
func OptionsApart(configs []map[string]string) []map[string]string {
	out := make([]map[string]string, len(configs))
	names := map[string]bool{}
	var known map[string]string // the first that is
	for i, c := range configs {
		if c == nil {
			continue
		}
		if out[i] = map[string]string{}; known == nil {
			known = c
		}
		for name := range c {
			names[name] = onPath(name)
		}
	}
	for name, matters := range names {
		if !matters || !slices.ContainsFunc(configs, func(c map[string]string) bool { return c != nil && c[name] != known[name] }) {
			continue
		}
		for i, c := range configs {
			if c != nil {
				out[i][name] = c[name]
			}
		}
	}
	return out
}

func onPath(option string) bool {
	name := strings.TrimPrefix(option, "CONFIG_") + "="
	return slices.Contains(debugOptions, strings.TrimSuffix(name, "=")) || slices.ContainsFunc(pathOptions, func(p string) bool { return strings.HasPrefix(name, p) })
}
