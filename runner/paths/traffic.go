package paths

import (
	"netab/results/vocab"
	"netab/scenarios"
)

// For names the paths that traffic needs, with that beside it, each once and in
// the order of the table: what to Require before anything is set up.
func For(t scenarios.Traffic) []string {
	needed := map[string]bool{}
	addPaths(needed, t)
	var names []string
	for _, p := range table {
		if needed[p.name] {
			names = append(names, p.name)
		}
	}
	return names
}

func addPaths(needed map[string]bool, t scenarios.Traffic) {
	source, sink := t.Source, t.Sink
	for name, used := range map[string]bool{
		orElse(source.Path, "send"): true,
		orElse(sink.Path, "recv"):   true,
		"zerocopy":                  source.ZeroCopy && source.Path != "io_uring", // which has its own
		"segment":                   source.Segment > 0,
		"gro":                       sink.GRO,
		"truncate":                  sink.Truncate,
		"busy_poll":                 sink.BusyPoll > 0,
		"prefer_busy_poll":          sink.PreferBusyPoll,
		"mptcp":                     t.MPTCP,
		"low_water":                 sink.LowWater > 0,
		"pacing_rate":               t.PacingRate > 0,
		"notsent_lowat":             t.NotSentLowat > 0,
		"reuseport":                 sink.Socket == "reuseport",
		"reuseport-cpu":             sink.Socket == "reuseport-cpu",
		"unix-stream":               t.Protocol == vocab.UnixStream,
		"unix-dgram":                t.Protocol == vocab.UnixDgram,
	} {
		if used {
			needed[name] = true
		}
	}
	for _, beside := range t.Beside {
		addPaths(needed, beside)
	}
}

func orElse(path, standard string) string {
	if path == "" {
		return standard
	}
	return path
}
