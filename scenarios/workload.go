package scenarios

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"netab/results/vocab"
)

// workloads are netperf's names for what is measured here too, in capitals.
var workloads = map[string]struct {
	protocol vocab.Protocol
	kind     vocab.Kind
}{
	"TCP_STREAM": {vocab.TCP, vocab.Stream},
	"UDP_STREAM": {vocab.UDP, vocab.Stream},
	"TCP_RR":     {vocab.TCP, vocab.RR},
	"UDP_RR":     {vocab.UDP, vocab.RR},
	"TCP_CRR":    {vocab.TCP, vocab.CRR},
}

// protocolSyntax takes netperf's names for a workload beside the protocols.
func protocolSyntax() *syntax {
	protocols := vocab.Words(vocab.Protocols())
	var patterns []string
	for _, word := range append(protocols, slices.Sorted(maps.Keys(workloads))...) {
		patterns = append(patterns, anyCase(word))
	}
	return &syntax{
		want:    "want tcp, udp, unix-stream, unix-dgram, or netperf's TCP_STREAM, UDP_STREAM, TCP_RR, UDP_RR, TCP_CRR",
		pattern: "^(" + strings.Join(patterns, "|") + ")$",
		canon: func(text string) (string, error) {
			if w, ok := workloads[strings.ToUpper(text)]; ok {
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
