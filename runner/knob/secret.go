package knob

import (
	"path"
	"slices"

	"netab/runner/host"
)

// Kept is told in place of a value that only root may read (stable_secret, a key):
// run files and reports go to others. The journal, which is root's alone, has the
// value.
const Kept = "(kept: only root may read it)"

// secretSysctls are known to be secret whatever their files' modes.
var secretSysctls = []string{"stable_secret", "tcp_fastopen_key"}

// IsSecret says whether only root may read a knob's value. Bind looks at its file
// for that, and so does Restore.
func IsSecret(k Knob) bool {
	f, ok := k.(interface{ isSecret() bool })
	return ok && f.isSecret()
}

func (k *fileKnob) isSecret() bool {
	return k.secret || slices.Contains(secretSysctls, path.Base(k.path))
}

// lookSecret finds out whether others may read the knob's file.
func (k *fileKnob) lookSecret(h host.Host) {
	if mode, err := h.Mode(k.path); err == nil && mode&0o004 == 0 {
		k.secret = true
	}
}

// told is a value as it is shown.
func told(k Knob, value string) string {
	if IsSecret(k) && value != "" {
		return Kept
	}
	return value
}
