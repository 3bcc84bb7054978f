package trend

import (
	"slices"

	"netab/results"
)

// SameQuestion says whether a digest is of a run that asked what another one
// does, of the same machine under the same kernel, and in figures that mean the
// same. What anything else of that differs must not explain: it is what the
// machine did.
func SameQuestion(d *results.Digest, h *results.Header) bool {
	if d.Asked == "" || d.Asked != h.Design.Asked() || d.Semantics != h.Netab.Semantics || d.Run == h.ID {
		return false
	}
	now := facts(h)
	alike := append(slices.Clone(comparableFacts), factKernel, factBuild, factEmulated)
	if slices.ContainsFunc(alike, func(name string) bool { return d.Facts[name] != now[name] }) {
		return false
	}
	return identityOf(d.Facts).Same(h.Machine.Identity())
}
