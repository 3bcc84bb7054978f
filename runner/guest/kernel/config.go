package kernel

import "strings"

// A Config is how a kernel was configured: values ("y", "m", "250", a text in
// quotes) by option ("CONFIG_VETH"). What is not set is not in it.
type Config map[string]string

// parseConfig reads a .config. Lines that set nothing are comments.
func parseConfig(text []byte) Config {
	c := Config{}
	for line := range strings.Lines(string(text)) {
		option, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && strings.HasPrefix(option, "CONFIG_") {
			c[option] = value
		}
	}
	if len(c) == 0 {
		return nil
	}
	return c
}

// Options whose names do not follow from their modules' by a rule.
var moduleOptions = map[string]string{
	"virtio_ring":           "VIRTIO",
	"virtio_pci_modern_dev": "VIRTIO_PCI_LIB",
	"virtio_pci_legacy_dev": "VIRTIO_PCI_LIB_LEGACY",
	"virtio_rng":            "HW_RANDOM_VIRTIO",
	"rng_core":              "HW_RANDOM",
	"failover":              "FAILOVER",
	"pktgen":                "NET_PKTGEN",
	"8021q":                 "VLAN_8021Q",
	"af_packet":             "PACKET",
	"sch_fq_codel":          "NET_SCH_FQ_CODEL",
	"9pnet":                 "NET_9P",
	"9pnet_virtio":          "NET_9P_VIRTIO",
	"9p":                    "9P_FS",
	"ipv6":                  "IPV6",
}

// Beginnings of names, and of the options of such modules.
var modulePrefixes = []struct{ module, option string }{
	{"tcp_", "TCP_CONG_"}, {"sch_", "NET_SCH_"}, {"cls_", "NET_CLS_"}, {"act_", "NET_ACT_"}, {"em_", "NET_EMATCH_"},
}

// optionOf is the option that a module is built by. Where no rule is known it is the
// module's name, which is right for most drivers.
func optionOf(module string) string {
	if option := moduleOptions[module]; option != "" {
		return "CONFIG_" + option
	}
	for _, p := range modulePrefixes {
		if rest, ok := strings.CutPrefix(module, p.module); ok {
			return "CONFIG_" + p.option + strings.ToUpper(rest)
		}
	}
	return "CONFIG_" + strings.ToUpper(module)
}
