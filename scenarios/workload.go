package scenarios

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"netab/results/vocab"
)

// A workload is what netperf's and neper's name for it means here.
type workload struct {
	protocol          vocab.Protocol
	kind              vocab.Kind
	direction, source string // "" = as ever
}

// workloads are by name in capitals.
var workloads = map[string]workload{
	"TCP_STREAM":    {protocol: vocab.TCP, kind: vocab.Stream},
	"TCP_MAERTS":    {protocol: vocab.TCP, kind: vocab.Stream, direction: "reverse"},
	"TCP_SENDFILE":  {protocol: vocab.TCP, kind: vocab.Stream, source: "sendfile"},
	"UDP_STREAM":    {protocol: vocab.UDP, kind: vocab.Stream},
	"TCP_RR":        {protocol: vocab.TCP, kind: vocab.RR},
	"UDP_RR":        {protocol: vocab.UDP, kind: vocab.RR},
	"TCP_CRR":       {protocol: vocab.TCP, kind: vocab.CRR},
	"STREAM_STREAM": {protocol: vocab.UnixStream, kind: vocab.Stream},
	"STREAM_RR":     {protocol: vocab.UnixStream, kind: vocab.RR},
	"DG_STREAM":     {protocol: vocab.UnixDgram, kind: vocab.Stream},
	"DG_RR":         {protocol: vocab.UnixDgram, kind: vocab.RR},
}

// Workloads are the names of what --traffic takes in a word.
func Workloads() []string {
	return append(slices.Sorted(maps.Keys(workloads)), vocab.Words(vocab.Protocols())...)
}

// IsWorkload says whether a word is such a name.
func IsWorkload(word string) bool {
	_, ok := workloadNamed(word)
	return ok || slices.Contains(vocab.Words(vocab.Protocols()), strings.ToLower(word))
}

// workloadNamed finds a workload in capitals or small letters, with dashes too.
func workloadNamed(word string) (workload, bool) {
	w, ok := workloads[strings.ReplaceAll(strings.ToUpper(word), "-", "_")]
	return w, ok
}

// protocolSyntax takes netperf's names for a workload beside the protocols.
func protocolSyntax() *syntax {
	protocols := vocab.Words(vocab.Protocols())
	var patterns []string
	for _, word := range append(protocols, slices.Sorted(maps.Keys(workloads))...) {
		patterns = append(patterns, strings.ReplaceAll(anyCase(word), "_", "[_-]"))
	}
	return &syntax{
		want:    "want tcp, udp, unix-stream, unix-dgram, or netperf's TCP_STREAM, TCP_MAERTS, TCP_SENDFILE, UDP_STREAM, TCP_RR, UDP_RR, TCP_CRR",
		pattern: "^(" + strings.Join(patterns, "|") + ")$",
		canon: func(text string) (string, error) {
			if w, ok := workloadNamed(text); ok {
				return string(w.protocol), nil
			}
			if protocol := strings.ToLower(text); slices.Contains(protocols, protocol) {
				return protocol, nil
			}
			return "", fmt.Errorf("%q is not a kind of traffic", text)
		},
	}
}

// anyCase is the regular expression of a word in capitals or small letters.
func anyCase(word string) string {
	var b strings.Builder
	for _, r := range word {
		upper, lower := strings.ToUpper(string(r)), strings.ToLower(string(r))
		if upper == lower {
			b.WriteRune(r)
		} else {
			b.WriteString("[" + upper + lower + "]")
		}
	}
	return b.String()
}
