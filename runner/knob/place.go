package knob

import "netab/runner/host"

// placed is a host that lies in a named namespace.
type placed struct {
	host.Host
	netns string
}

// Place names the namespace.
func (p placed) Place() string { return p.netns }

// At says that a host lies in the named network namespace /run/netns/NAME, for
// the journal: Restore asks Options.Host for that name. A host without it
// counts as this machine's initial namespace.
func At(h host.Host, netns string) host.Host { return placed{h, netns} }

func placeOf(h host.Host) string {
	if p, ok := h.(interface{ Place() string }); ok {
		return p.Place()
	}
	return ""
}
