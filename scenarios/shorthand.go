package scenarios

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"netab/results/vocab"
)

// This file holds the types whose YAML form is not that of their Go type.

func (t *Topology) decodeNode(d *decoder, n *node, path string, _ rule) {
	if n.kind == scalar {
		n = wrap([]string{"kind"}, n)
	}
	d.structure(n, reflect.ValueOf(t).Elem(), path)
}

// decodeNode of traffic takes the kind from netperf's name of a workload, and
// replaces each by the other of two that exclude each other.
func (t *Traffic) decodeNode(d *decoder, n *node, path string, _ rule) {
	if n.kind == scalar {
		n = wrap([]string{"protocol"}, n)
	}
	if n.kind == mapping {
		n = t.workload(d, n, path)
		n = bitRate(n)
		n = d.either(n, path, "message", "sizes", func() { t.Message = 0 }, func() { t.Sizes = nil })
		n = d.either(n, path, "rate", "bit_rate", func() { t.Rate = 0 }, func() { t.BitRate = 0 })
		n = d.either(n, path, "rate", "loss_free", func() { t.Rate = 0 }, func() { t.LossFree = nil })
		n = d.either(n, path, "bit_rate", "loss_free", func() { t.BitRate = 0 }, func() { t.LossFree = nil })
	}
	d.structure(n, reflect.ValueOf(t).Elem(), path)
}

// workload sets what a name such as TCP_RR or TCP_MAERTS implies beside the protocol.
func (t *Traffic) workload(d *decoder, n *node, path string) *node {
	protocol, kind := n.field("protocol"), n.field("kind")
	if protocol == nil || protocol.value.kind != scalar {
		return n
	}
	w, ok := workloadNamed(protocol.value.text)
	if !ok {
		return n
	}
	switch {
	case kind == nil:
		t.Kind = w.kind
		d.where[join(path, "kind")] = protocol.value.pos
	case vocab.Kind(kind.value.text) != w.kind:
		d.fail(kind.value.pos, fmt.Sprintf("%s.kind: %s is not the kind of %s", path, kind.value.text, protocol.value.text), "leave kind off, or write protocol: "+string(w.protocol))
	}
	if w.direction != "" && n.field("direction") == nil {
		t.Direction = w.direction
		d.where[join(path, "direction")] = protocol.value.pos
	}
	if w.source == "" {
		return n
	}
	at := join(path, "source")
	implied := &node{kind: scalar, text: w.source, pos: protocol.value.pos, size: 1}
	switch source := n.field("source"); {
	case source == nil:
		out := *n
		out.fields = append(slices.Clone(n.fields), field{key: "source", pos: implied.pos, value: implied})
		return &out
	case longhand(at, source.value).field("path") == nil && source.value.kind == mapping:
		out := *n
		out.fields = slices.Clone(n.fields)
		out.field("source").value = merge(at, wrap([]string{"path"}, implied), source.value)
		return &out
	}
	return n
}

// bitRate is a mapping with bit_rate in place of a rate that is one.
func bitRate(n *node) *node {
	rate := n.field("rate")
	if rate == nil || rate.value.kind != scalar {
		return n
	}
	number, ok := cutBits(rate.value.text)
	if !ok {
		return n
	}
	out := *n
	out.fields = slices.Clone(n.fields)
	value := *rate.value
	value.text = number
	for i, f := range out.fields {
		if f.key == "rate" {
			out.fields[i] = field{key: "bit_rate", pos: f.pos, value: &value}
		}
	}
	return &out
}

// cutBits takes "bit/s" off a rate: 1Gbit/s is 1G of them.
func cutBits(text string) (number string, ok bool) {
	for _, suffix := range []string{"bit/s", "bits/s", "bps"} {
		if number, ok = strings.CutSuffix(text, suffix); ok {
			return number, true
		}
	}
	return text, false
}

// either lets one of two keys that exclude each other clear the other's value.
// The result is n with no more than one of them.
func (d *decoder) either(n *node, path, a, b string, clearA, clearB func()) *node {
	first, second := given(n, a), given(n, b)
	switch {
	case first && second:
		d.fail(n.field(b).pos, path+" has both "+a+" and "+b, "keep one")
		return n.without(b)
	case first:
		clearB()
	case second:
		clearA()
	}
	return n
}

// given says whether a mapping has a key whose value is not "off" or 0.
func given(n *node, key string) bool {
	f := n.field(key)
	if f == nil || f.value.kind != scalar {
		return f != nil
	}
	canonical, err := onOffSyntax().canon(f.value.text)
	return err != nil || canonical != "off"
}

func (s *SourcePath) decodeNode(d *decoder, n *node, path string, _ rule) {
	if n.kind == scalar {
		n = wrap([]string{"path"}, n)
	}
	d.structure(n, reflect.ValueOf(s).Elem(), path)
}

func (s *SinkPath) decodeNode(d *decoder, n *node, path string, _ rule) {
	if n.kind == scalar {
		n = wrap([]string{"path"}, n)
	}
	d.structure(n, reflect.ValueOf(s).Elem(), path)
}

// decodeNode of sizes replaces all of them: a distribution is one value.
func (s *Sizes) decodeNode(d *decoder, n *node, path string, _ rule) {
	const want = "want imix, or a mapping of size to weight, such as {64: 7, 1472: 1}"
	switch {
	case n.kind == scalar && n.text == "imix":
		*s = imix()
		return
	case n.kind == scalar:
		d.fail(n.pos, fmt.Sprintf("%s: %q is not a distribution of sizes", path, n.text), want)
		return
	case n.kind != mapping || len(n.fields) == 0:
		d.fail(n.pos, path+" is "+n.kind.String()+" here", want)
		return
	case len(n.fields) > maxSizes:
		d.fail(n.pos, fmt.Sprintf("%s: %d sizes are too many", path, len(n.fields)), fmt.Sprintf("want at most %d", maxSizes))
		return
	}
	out, total := Sizes{}, int64(0)
	for _, f := range n.fields {
		size, err := ParseSize(f.key)
		key := strconv.Itoa(int(size))
		d.where[join(path, key)] = f.pos
		switch {
		case err != nil:
			d.fail(f.pos, path+": "+err.Error(), want)
		case size < 1 || size > maxMessage:
			d.fail(f.pos, fmt.Sprintf("%s: %d is out of range", path, size), fmt.Sprintf("want 1 to %d bytes", maxMessage))
		case out[key] > 0:
			d.fail(f.pos, fmt.Sprintf("%s: %s is given twice", path, key), "keep one")
		default:
			if weight, ok := d.number(f.value, join(path, f.key), rule{min: 1, max: maxWeights}); ok {
				out[key] = int(weight)
				total += weight
			}
		}
	}
	if total > maxWeights {
		d.fail(n.pos, fmt.Sprintf("%s: the weights come to %d together", path, total), fmt.Sprintf("want at most %d: divide all of them by the same", maxWeights))
		return
	}
	*s = out
}

// imix is the simple mix of packet sizes seen in the internet, 7:4:1.
func imix() Sizes { return Sizes{"64": 7, "570": 4, "1472": 1} }

func (r *Rate) decodeNode(d *decoder, n *node, path string, b rule) {
	const want = "want a number per second such as 5000, 300k or 1.5M (powers of 1000), of traffic.rate also 1Gbit/s"
	rate, ok := measured(d, n, path, want, ParseRate)
	switch {
	case !ok || !d.inRange(n, path, int64(math.Ceil(min(float64(rate), 1<<62))), b):
	case rate > 0 && rate < minRate:
		d.fail(n.pos, fmt.Sprintf("%s: %s is too low", path, n.text), fmt.Sprintf("want at least %v, or 0", minRate))
	default:
		*r = rate
	}
}

// decodeNode of a placement replaces a mode by sets and sets by a mode: the
// two exclude each other.
func (p *Placement) decodeNode(d *decoder, n *node, path string, _ rule) {
	if n.kind == scalar {
		n = wrap([]string{"mode"}, n)
	}
	if n.kind == mapping {
		mode, source, sink := n.field("mode"), n.field("source"), n.field("sink")
		switch {
		case mode != nil && (source != nil || sink != nil):
			d.fail(mode.pos, path+" has both a mode and CPU sets", "keep either mode, or source and sink")
			return
		case mode != nil:
			p.Source, p.Sink = "", ""
		case source != nil || sink != nil:
			p.Mode = ""
		}
	}
	d.structure(n, reflect.ValueOf(p).Elem(), path)
}

func (s *Size) decodeNode(d *decoder, n *node, path string, r rule) {
	const want = "want bytes such as 1472, 64K or 1MiB (K, M and G are powers of 1024)"
	if size, ok := measured(d, n, path, want, ParseSize); ok && d.inRange(n, path, int64(size), r) {
		*s = size
	}
}

func (f *Fraction) decodeNode(d *decoder, n *node, path string, r rule) {
	const want = "want a share such as 0.01 or 1%"
	share, ok := measured(d, n, path, want, ParseFraction)
	switch {
	case !ok:
	case share >= 1 && share < 100 && !strings.HasSuffix(n.text, "%"):
		d.fail(n.pos, fmt.Sprintf("%s: %s is not below 1", path, n.text), fmt.Sprintf("%s%% for percent?", n.text))
	case share == 0 && r.zero:
		*f = 0
	case share <= 0 || share >= 1:
		d.fail(n.pos, fmt.Sprintf("%s: %s is not between 0 and 1", path, n.text), want)
	default:
		*f = share
	}
}

func (t *Duration) decodeNode(d *decoder, n *node, path string, r rule) {
	const want = "want a number with its unit, such as 100ms, 2s or 1m30s"
	length, ok := measured(d, n, path, want, ParseDuration)
	switch {
	case !ok:
	case length == 0 && r.zero:
		*t = 0
	case length <= 0:
		d.fail(n.pos, fmt.Sprintf("%s: %s is not positive", path, n.text), want)
	case length < r.from:
		d.fail(n.pos, fmt.Sprintf("%s: %s is too short", path, n.text), "want at least "+r.from.inWords())
	case length > r.length():
		d.fail(n.pos, fmt.Sprintf("%s: %s is too long", path, n.text), "want at most "+r.length().inWords())
	default:
		*t = length
	}
}

// measured parses the text of a single value with a unit.
func measured[T any](d *decoder, n *node, path, want string, parse func(string) (T, error)) (T, bool) {
	var zero T
	text, ok := d.scalar(n, path, want)
	if !ok {
		return zero, false
	}
	value, err := parse(text)
	if err != nil {
		d.fail(n.pos, path+": "+err.Error(), want)
		return zero, false
	}
	return value, true
}
