package knob

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"netab/runner/host"
)

const cpufreqRoot = "/sys/devices/system/cpu/cpufreq"

// newGovernor makes the knob of one cpufreq policy; Spec.Name is "policy0".
// CPUs that share a clock share a policy, so this reaches every CPU once.
func newGovernor(spec Spec) (Knob, error) {
	number, ok := strings.CutPrefix(spec.Name, "policy")
	if _, err := strconv.ParseUint(number, 10, 31); !ok || err != nil {
		return nil, fmt.Errorf("governor: %q is not a cpufreq policy", spec.Name)
	}
	return &fileKnob{
		codec: textCodec{},
		spec:  spec,
		name:  "governor " + spec.Name,
		path:  path.Join(cpufreqRoot, spec.Name, "scaling_governor"),
		// A governor samples every 1 to 10 ms and steps up and down over several
		// samples; the hardware then needs up to a few milliseconds to follow.
		settle: 50 * time.Millisecond,
		hint:   "see " + path.Join(cpufreqRoot, spec.Name, "scaling_available_governors"),
	}, nil
}

func bindGovernor(h host.Host, a asked) ([]Knob, error) {
	files, err := h.Glob(cpufreqRoot + "/policy*/scaling_governor")
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, errors.New("governor: this machine has no cpufreq (a guest, or the frequency driver is not loaded): " +
			"leave governor out of the scenario")
	}
	policies := make([]string, len(files))
	for i, f := range files {
		policies[i] = path.Base(path.Dir(f))
	}
	sortNatural(policies)
	knobs := make([]Knob, len(policies))
	for i, p := range policies {
		if err := hasGovernor(h, p, a.Value); err != nil {
			return nil, err
		}
		if knobs[i], err = newGovernor(Spec{Family: familyGovernor, Name: p, Scope: Host}); err != nil {
			return nil, err
		}
	}
	return knobs, nil
}

// hasGovernor compares with the list of the driver, where there is one.
func hasGovernor(h host.Host, policy, value string) error {
	data, err := h.ReadFile(path.Join(cpufreqRoot, policy, "scaling_available_governors"))
	if err != nil {
		return nil // the write will tell
	}
	if all := strings.Fields(string(data)); !slices.Contains(all, value) {
		return fmt.Errorf("governor %s: no governor %q; there are %s", policy, value, orNone(all))
	}
	return nil
}
