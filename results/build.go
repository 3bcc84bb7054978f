package results

import (
	"runtime"
	"runtime/debug"
)

// Semantics is what the figures of a record mean. It is raised by a change of
// netab after which the same scenario gives other figures on the same kernel
// (another traffic loop, another place to count at): runs before and after it
// are not comparable.
const Semantics = 1

// ReadBuild says which netab this is. version is what the linker was told
// (-ldflags -X); "" takes the module's version, "devel" for a plain go build.
// Revision and Modified come from the version control stamp, which a build
// with -buildvcs=false lacks.
func ReadBuild(version string) Build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{GoVersion: runtime.Version()}
	}
	return makeBuild(version, info)
}

func makeBuild(version string, info *debug.BuildInfo) Build {
	b := Build{Version: version, Go: info.GoVersion, Semantics: Semantics}
	if b.Version == "" {
		b.Version = info.Main.Version
	}
	if b.Version == "" || b.Version == "(devel)" {
		b.Version = "devel"
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}
