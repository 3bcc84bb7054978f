package knob

import (
	"encoding/binary"
	"fmt"
	"math"

	"netab/runner/host"
	"netab/scenarios"
)

// Attributes of qdiscs: include/uapi/linux/rtnetlink.h and pkt_sched.h.
const (
	tcaKind         = 1
	tcaOptions      = 2
	tcaIngressBlock = 13

	tbfParams = 1
	tbfRate64 = 4
	tbfBurst  = 6

	netemReorder   = 3
	netemCorrupt   = 4
	netemRate      = 6
	netemRate64    = 8
	netemLatency64 = 10
	netemJitter64  = 11

	sizeofTBF   = 36 // struct tc_tbf_qopt
	sizeofNetem = 24 // struct tc_netem_qopt
	ethernet    = 1  // TC_LINKLAYER_ETHERNET

	tick         = 64   // ns: PSCHED_TICKS2NS, include/net/pkt_sched.h
	defaultNetem = 1000 // packets: what tc gives it
)

// numberAttrs are the kinds whose parameters are attributes of 32 bits.
var numberAttrs = map[string]map[string]uint16{
	"fq":       {"limit": 1, "flow_limit": 2},
	"fq_codel": {"limit": 2, "flows": 5},
	"codel":    {"limit": 2},
}

var native = binary.NativeEndian

// attribute appends an attribute, padded to 4 bytes.
func attribute(to []byte, kind uint16, value []byte) []byte {
	to = native.AppendUint16(to, uint16(4+len(value)))
	to = native.AppendUint16(to, kind)
	to = append(to, value...)
	return append(to, make([]byte, -len(value)&3)...)
}

func number32(to []byte, kind uint16, v uint64) []byte {
	return attribute(to, kind, native.AppendUint32(nil, uint32(min(v, math.MaxUint32))))
}

func number64(to []byte, kind uint16, v uint64) []byte {
	return attribute(to, kind, native.AppendUint64(nil, v))
}

// encodeQdisc is TCA_OPTIONS of a qdisc; nil = none, which leaves all to the kernel.
func encodeQdisc(q scenarios.Qdisc) []byte {
	if len(q.Params) == 0 && q.Kind != "netem" {
		return nil
	}
	value := func(name string) uint64 { v, _ := q.Param(name); return v }
	switch q.Kind {
	case "pfifo", "bfifo", "pfifo_head_drop":
		return native.AppendUint32(nil, uint32(value("limit")))
	case "tbf":
		return encodeTBF(value("rate")/8, value("burst"), value("limit"))
	case "netem":
		return encodeNetem(q)
	}
	var out []byte
	for _, p := range q.Params {
		out = number32(out, numberAttrs[q.Kind][p.Name], p.Value)
	}
	return out
}

func encodeTBF(rate, burst, limit uint64) []byte {
	p := make([]byte, sizeofTBF)
	p[1] = ethernet
	native.PutUint32(p[8:], uint32(min(rate, math.MaxUint32)))
	native.PutUint32(p[24:], uint32(limit))
	native.PutUint32(p[28:], uint32(burst*1e9/rate/tick))
	out := number32(attribute(nil, tbfParams, p), tbfBurst, burst)
	if rate > math.MaxUint32 {
		out = number64(out, tbfRate64, rate)
	}
	return out
}

func encodeNetem(q scenarios.Qdisc) []byte {
	value := func(name string) uint64 { v, _ := q.Param(name); return v }
	limit, given := q.Param("limit")
	if !given {
		limit = defaultNetem
	}
	ticks := func(ns uint64) uint32 { return uint32(min(ns/tick, math.MaxUint32)) }
	out := make([]byte, sizeofNetem)
	native.PutUint32(out[0:], ticks(value("delay"))) // the exact ones are below
	native.PutUint32(out[4:], uint32(limit))
	native.PutUint32(out[8:], uint32(value("loss")))
	if value("reorder") > 0 {
		native.PutUint32(out[12:], 1) // gap: of every packet
	}
	native.PutUint32(out[16:], uint32(value("duplicate")))
	native.PutUint32(out[20:], ticks(value("jitter")))
	out = number64(out, netemLatency64, value("delay"))
	out = number64(out, netemJitter64, value("jitter"))
	if v := value("reorder"); v > 0 {
		out = attribute(out, netemReorder, uncorrelated(v))
	}
	if v := value("corrupt"); v > 0 {
		out = attribute(out, netemCorrupt, uncorrelated(v))
	}
	if rate := value("rate") / 8; rate > 0 {
		if rate > math.MaxUint32 {
			out = number64(out, netemRate64, rate)
		}
		r := native.AppendUint32(nil, uint32(min(rate, math.MaxUint32)))
		out = attribute(out, netemRate, append(r, make([]byte, 12)...))
	}
	return out
}

// uncorrelated is struct tc_netem_reorder and tc_netem_corrupt: probability, correlation.
func uncorrelated(v uint64) []byte {
	return native.AppendUint32(native.AppendUint32(nil, uint32(v)), 0)
}

// describeQdisc is the value of a qdisc that has these options.
func describeQdisc(kind string, options []byte) (string, error) {
	q := scenarios.Qdisc{Kind: kind}
	add := func(name string, v uint64) {
		if v > 0 {
			q.Params = append(q.Params, scenarios.QdiscParam{Name: name, Value: v})
		}
	}
	var err error
	switch kind {
	case "pfifo", "bfifo", "pfifo_head_drop":
		if len(options) < 4 {
			return "", fmt.Errorf("%s: options of %d bytes", kind, len(options))
		}
		add("limit", uint64(native.Uint32(options)))
	case "tbf":
		err = decodeTBF(options, add)
	case "netem":
		err = decodeNetem(options, add)
	default:
		attrs, failed := attributesOf(options)
		for _, name := range scenarios.QdiscParams(kind) {
			add(name, word(attrs[numberAttrs[kind][name]], 0))
		}
		err = failed
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", kind, err)
	}
	return q.String(), nil
}

func decodeTBF(options []byte, add func(string, uint64)) error {
	attrs, err := attributesOf(options)
	p := attrs[tbfParams]
	if err != nil || len(p) < sizeofTBF {
		return fmt.Errorf("parameters of %d bytes, want %d (%v)", len(p), sizeofTBF, err)
	}
	rate := word(p, 8)
	if wide := attrs[tbfRate64]; len(wide) >= 8 {
		rate = native.Uint64(wide)
	}
	add("rate", 8*rate)
	add("burst", uint64(math.Round(float64(word(p, 28))*tick*float64(rate)/1e9)))
	add("limit", word(p, 24))
	return nil
}

func decodeNetem(options []byte, add func(string, uint64)) error {
	if len(options) < sizeofNetem {
		return fmt.Errorf("options of %d bytes, want %d", len(options), sizeofNetem)
	}
	attrs, err := attributesOf(options[sizeofNetem:])
	if err != nil {
		return err
	}
	exact := func(attr uint16, offset int) uint64 {
		if v := attrs[attr]; len(v) >= 8 {
			return native.Uint64(v)
		}
		return word(options, offset) * tick
	}
	add("delay", exact(netemLatency64, 0))
	add("jitter", exact(netemJitter64, 20))
	add("loss", word(options, 8))
	add("duplicate", word(options, 16))
	add("reorder", word(attrs[netemReorder], 0))
	add("corrupt", word(attrs[netemCorrupt], 0))
	rate := word(attrs[netemRate], 0)
	if wide := attrs[netemRate64]; len(wide) >= 8 {
		rate = native.Uint64(wide)
	}
	add("rate", 8*rate)
	add("limit", word(options, 4))
	return nil
}

// word is the 32-bit number at an offset; 0 where there is none.
func word(b []byte, offset int) uint64 {
	if len(b) < offset+4 {
		return 0
	}
	return uint64(native.Uint32(b[offset:]))
}

func attributesOf(b []byte) (map[uint16][]byte, error) {
	out := map[uint16][]byte{}
	err := host.Attributes(b, func(kind uint16, value []byte) error {
		out[kind] = value
		return nil
	})
	return out, err
}
