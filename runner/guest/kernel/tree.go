package kernel

import "slices"

// TreeImages are where a build of a kernel puts its image, from its tree: of several that
// are there, Find takes the first.
func TreeImages() []string { return slices.Clone(treeImages) }
