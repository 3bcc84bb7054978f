package results

import (
	"slices"
	"strings"
)

// packetModules change what a packet goes through, by name or by the start of
// it: filters, connection tracking, bridges, tunnels, traffic control, and
// agents' hooks.
var packetModules = []string{
	"nf_", "nft_", "ip_tables", "ip6_tables", "iptable_", "ip6table_", "arptable_", "ebtable", "ipt_", "ip6t_", "xt_", "x_tables", "ip_set", "ip_vs",
	"br_netfilter", "bridge", "bonding", "team", "macvlan", "ipvlan", "vxlan", "geneve", "openvswitch", "wireguard", "ip_gre", "ipip", "sit", "8021q",
	"sch_", "cls_", "act_", "ifb", "tcp_", "xfrm", "esp4", "esp6", "tls", "vrf", "dummy",
}

// ReadModules reads the names of all loaded modules, sorted: the first column
// of /proc/modules (m_show, kernel/module/procfs.c). A kernel without modules
// has none.
func ReadModules(files Files) ([]string, error) {
	text, err := readText(files, "/proc/modules")
	if isNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) > 0 {
			names = append(names, fields[0])
		}
	}
	slices.Sort(names)
	return names, nil
}

// readModules reads the loaded modules that change what becomes of packets.
func readModules(files Files) []string {
	names, err := ReadModules(files)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(names, func(name string) bool { return !handlesPackets(name) })
}

func handlesPackets(module string) bool {
	return slices.ContainsFunc(packetModules, func(p string) bool {
		return module == p || strings.HasSuffix(p, "_") && strings.HasPrefix(module, p)
	})
}
