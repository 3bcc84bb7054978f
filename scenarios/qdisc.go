package scenarios

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Qdisc is a queueing discipline at the root of a device: its kind, and what of it
// is not the kernel's default. Its text is what tc(8) takes behind "root": "fq",
// "pfifo limit 100", "netem delay 10ms loss 0.1%". "default" is what the kernel gives
// a device by itself.
type Qdisc struct {
	Kind   string
	Params []QdiscParam // in the order of the kind's
}

// A QdiscParam is one parameter, in the unit of its measure: packets, bytes, bit/s, ns,
// the share in 1/(2^32-1) as the kernel has it.
type QdiscParam struct {
	Name  string
	Value uint64
}

// DefaultQdisc is the kind of what the kernel gives a device by itself.
const DefaultQdisc = "default"

// A measure is what kind of number a parameter is.
type measure int

const (
	inPackets measure = iota
	inBytes
	inBits // per second
	inNanos
	inShares
)

// A qdiscParam is what is known of a parameter.
type qdiscParam struct {
	name    string
	measure measure
	needed  bool
}

// qdiscParams are the parameters of the kinds that have some here, in the order in
// which they are written. Other kinds are taken by their name alone.
var qdiscParams = map[string][]qdiscParam{
	"pfifo":           {{name: "limit"}},
	"bfifo":           {{name: "limit", measure: inBytes}},
	"pfifo_head_drop": {{name: "limit"}},
	"codel":           {{name: "limit"}},
	"fq_codel":        {{name: "limit"}, {name: "flows"}},
	"fq":              {{name: "limit"}, {name: "flow_limit"}},
	"tbf":             {{name: "rate", measure: inBits, needed: true}, {name: "burst", measure: inBytes, needed: true}, {name: "limit", measure: inBytes, needed: true}},
	"netem": {{name: "delay", measure: inNanos}, {name: "jitter", measure: inNanos}, {name: "loss", measure: inShares},
		{name: "duplicate", measure: inShares}, {name: "reorder", measure: inShares}, {name: "corrupt", measure: inShares},
		{name: "rate", measure: inBits}, {name: "limit"}},
}

// qdiscKinds are the default, and those of the kernel that queue packets and need no classes or filters
// of the user's; tc(8) has the others.
var qdiscKinds = []string{DefaultQdisc, "noqueue", "pfifo", "bfifo", "pfifo_fast", "pfifo_head_drop", "mq", "fq", "fq_codel", "codel", "cake", "sfq", "pie", "fq_pie", "tbf", "netem"}

// builtInQdiscs are in every kernel that has qdiscs.
var builtInQdiscs = []string{DefaultQdisc, "noqueue", "pfifo", "bfifo", "pfifo_fast", "pfifo_head_drop", "mq"}

// QdiscModule is the module that a kind may be in; "" = none.
func QdiscModule(kind string) string {
	if kind == "" || slices.Contains(builtInQdiscs, kind) {
		return ""
	}
	return "sch_" + kind
}

// QdiscKinds are the kinds that netab sets.
func QdiscKinds() []string { return slices.Clone(qdiscKinds[1:]) }

// maxNetem is the longest delay: netem's queue would hold a second of packets.
const maxNetem = time.Minute

// Param is a parameter's value.
func (q Qdisc) Param(name string) (value uint64, ok bool) {
	for _, p := range q.Params {
		if p.Name == name {
			return p.Value, true
		}
	}
	return 0, false
}

// String is the canonical text, which ParseQdisc reads.
func (q Qdisc) String() string {
	words := []string{q.Kind}
	for _, p := range q.Params {
		words = append(words, p.Name, formatParam(measureOf(q.Kind, p.Name), p.Value))
	}
	return strings.Join(words, " ")
}

func measureOf(kind, name string) measure {
	for _, p := range qdiscParams[kind] {
		if p.name == name {
			return p.measure
		}
	}
	return inPackets
}

// ParseQdisc reads a kind and its parameters. As tc does, it takes the jitter right
// behind the delay.
func ParseQdisc(text string) (Qdisc, error) {
	words := strings.Fields(text)
	if len(words) == 0 || !slices.Contains(qdiscKinds, words[0]) {
		return Qdisc{}, fmt.Errorf("%.40q is no qdisc that netab sets", text)
	}
	q, words := Qdisc{Kind: words[0]}, words[1:]
	given := map[string]string{}
	for len(words) > 0 {
		name := words[0]
		if len(words) < 2 {
			return Qdisc{}, fmt.Errorf("%s: %.40q has no value", q.Kind, name)
		}
		if given[name] != "" {
			return Qdisc{}, fmt.Errorf("%s: %s is given twice", q.Kind, name)
		}
		given[name], words = words[1], words[2:]
		if q.Kind == "netem" && name == "delay" && len(words) > 0 && strings.Trim(words[0][:1], "0123456789") == "" {
			given["jitter"], words = words[0], words[1:]
		}
	}
	return q.with(given)
}

// with gives q its parameters.
func (q Qdisc) with(given map[string]string) (Qdisc, error) {
	for _, p := range qdiscParams[q.Kind] {
		text := given[p.name]
		delete(given, p.name)
		if text == "" {
			if p.needed {
				return Qdisc{}, fmt.Errorf("%s needs %s", q.Kind, p.name)
			}
			continue
		}
		value, err := parseParam(p.measure, text)
		if err != nil {
			return Qdisc{}, fmt.Errorf("%s %s: %w", q.Kind, p.name, err)
		}
		q.Params = append(q.Params, QdiscParam{p.name, value})
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		return Qdisc{}, fmt.Errorf("%s: no parameter %.40q that netab sets; there are %s", q.Kind, name, cmp.Or(strings.Join(QdiscParams(q.Kind), ", "), "none"))
	}
	return q, q.check()
}

// QdiscParams are the names of the parameters that a kind has here, in the order in
// which they are written.
func QdiscParams(kind string) (names []string) {
	for _, p := range qdiscParams[kind] {
		names = append(names, p.name)
	}
	return names
}

// check refuses what the kernel would not do as it is asked.
func (q Qdisc) check() error {
	if q.Kind == "tbf" {
		for _, p := range q.Params {
			if p.Value == 0 {
				return fmt.Errorf("tbf: a %s of 0 lets nothing through", p.Name)
			}
		}
	}
	if q.Kind != "netem" {
		return nil
	}
	delay, _ := q.Param("delay")
	jitter, _ := q.Param("jitter")
	reorder, _ := q.Param("reorder")
	switch {
	case jitter > delay:
		return errors.New("netem: a jitter beyond the delay: packets cannot leave before they came")
	case reorder > 0 && delay == 0:
		return errors.New("netem: reorder sends packets at once instead of after the delay: it needs one")
	}
	return nil
}

// shares is the kernel's probability 1 (netem_change, net/sched/sch_netem.c).
const shares = math.MaxUint32

func parseParam(m measure, text string) (uint64, error) {
	switch m {
	case inBytes:
		size, err := ParseSize(text)
		if err == nil && size > math.MaxInt32 {
			err = fmt.Errorf("%q is more than 2G", text)
		}
		return uint64(size), err
	case inBits:
		number, bits := cutBits(text)
		if !bits {
			if number, bits = strings.CutSuffix(text, "bit"); !bits {
				return 0, fmt.Errorf("%q: want bits per second, such as 100Mbit/s", text)
			}
		}
		rate, err := ParseRate(number)
		if err == nil && (rate > maxPacing || rate > 0 && rate < 8) {
			err = fmt.Errorf("%q: want 8bit/s to %sbit/s", text, Rate(maxPacing))
		}
		return uint64(math.Round(float64(rate))), err
	case inNanos:
		d, err := ParseDuration(text)
		if err == nil && (d < 0 || time.Duration(d) > maxNetem) {
			err = fmt.Errorf("%q: want 0ms to %s", text, Duration(maxNetem))
		}
		return uint64(d), err
	case inShares:
		f, err := ParseFraction(text)
		if err == nil && (f < 0 || f > 1) {
			err = fmt.Errorf("%q: want 0%% to 100%%", text)
		}
		return uint64(math.Round(float64(f) * shares)), err
	default:
		n, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return 0, fmt.Errorf("%q is no number of packets", text)
		}
		return n, nil
	}
}

func formatParam(m measure, v uint64) string {
	switch m {
	case inBytes:
		return Size(v).String()
	case inBits:
		return Rate(v).String() + "bit/s"
	case inNanos:
		return Duration(v).String()
	case inShares:
		return formatShare(float64(v)/shares) + "%"
	default:
		return strconv.FormatUint(v, 10)
	}
}

// formatShare is a share in percent, of as many digits as tell probabilities apart.
func formatShare(f float64) string {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(100*f, 'g', 6, 64), 64)
	if err != nil {
		return "?" // FormatFloat wrote it
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

// qdiscSyntax is the text of a qdisc.
func qdiscSyntax() *syntax {
	return &syntax{
		want: "want " + strings.Join(qdiscKinds, ", ") + ", with parameters as tc takes them: pfifo limit 100, tbf rate 100Mbit/s burst 32K limit 128K",
		canon: func(text string) (string, error) {
			q, err := ParseQdisc(text)
			return q.String(), err
		},
	}
}

// paramSyntax is a parameter of netem.
func paramSyntax(name, want, pattern string) *syntax {
	m := measureOf("netem", name)
	return &syntax{want: want, pattern: pattern, canon: func(text string) (string, error) {
		v, err := parseParam(m, text)
		return formatParam(m, v), err
	}}
}

// Netem is a qdisc that delays, loses and holds up packets on their way out of a
// device. What is empty is not set.
type Netem struct {
	Delay     string `yaml:"delay,omitempty" json:"delay,omitempty"`
	Jitter    string `yaml:"jitter,omitempty" json:"jitter,omitempty"`
	Loss      string `yaml:"loss,omitempty" json:"loss,omitempty"`
	Duplicate string `yaml:"duplicate,omitempty" json:"duplicate,omitempty"`
	Reorder   string `yaml:"reorder,omitempty" json:"reorder,omitempty"`
	Corrupt   string `yaml:"corrupt,omitempty" json:"corrupt,omitempty"`
	Rate      string `yaml:"rate,omitempty" json:"rate,omitempty"`
	Limit     string `yaml:"limit,omitempty" json:"limit,omitempty"`
}

// netemRules are the rules of these fields.
func netemRules() ruleBook {
	span := func(name string) *syntax {
		return paramSyntax(name, "want a length of time such as 10ms", `^[0-9]+(\.[0-9]+)?(ns|us|µs|ms|s)$`)
	}
	share := func(name string) *syntax {
		return paramSyntax(name, "want a share such as 0.1% or 0.001", `^[0-9]*\.?[0-9]+(e-?[0-9]+)?%?$`)
	}
	return ruleBook{
		"Netem.delay":     {doc: "How long each packet is held back.", text: span("delay")},
		"Netem.jitter":    {doc: "By how much that varies, up and down; packets overtake each other by it, unless rate is set.", text: span("jitter")},
		"Netem.loss":      {doc: "Share of the packets that are dropped at random. With segmentation offload a packet is up to 64 KB.", text: share("loss")},
		"Netem.duplicate": {doc: "Share of the packets that are sent twice.", text: share("duplicate")},
		"Netem.reorder":   {doc: "Share of the packets that are sent at once, before those that wait for their delay.", text: share("reorder")},
		"Netem.corrupt":   {doc: "Share of the packets in which a bit is flipped.", text: share("corrupt")},
		"Netem.rate":      {doc: "Rate of the link in bits per second, headers of IP and of the link counted.", text: paramSyntax("rate", "want bits per second such as 100Mbit/s", "")},
		"Netem.limit":     {doc: "Packets that the queue holds, those that are held back included; what comes beyond is dropped. Default: 1000.", text: countSyntax(1, maxPackets)},
	}
}

// text is it as one qdisc; "" where nothing is set.
func (n Netem) text() (string, error) {
	given := n.given()
	if len(given) == 0 {
		return "", nil
	}
	q, err := Qdisc{Kind: "netem"}.with(given)
	return q.String(), err
}

func (n Netem) given() map[string]string {
	all := map[string]string{"delay": n.Delay, "jitter": n.Jitter, "loss": n.Loss, "duplicate": n.Duplicate,
		"reorder": n.Reorder, "corrupt": n.Corrupt, "rate": n.Rate, "limit": n.Limit}
	maps.DeleteFunc(all, func(_, text string) bool { return text == "" })
	return all
}

// over is n where it says something, and what lies below where it does not.
func (n Netem) over(below Netem) Netem {
	return Netem{cmp.Or(n.Delay, below.Delay), cmp.Or(n.Jitter, below.Jitter), cmp.Or(n.Loss, below.Loss), cmp.Or(n.Duplicate, below.Duplicate),
		cmp.Or(n.Reorder, below.Reorder), cmp.Or(n.Corrupt, below.Corrupt), cmp.Or(n.Rate, below.Rate), cmp.Or(n.Limit, below.Limit)}
}

// qdisc is the qdisc that the settings of a device come to; "" = they name none.
func (d DeviceKnobs) qdisc(both DeviceKnobs) (string, error) {
	switch {
	case d.Qdisc != "" && d.Netem != Netem{}:
		return "", errors.New("a device has one qdisc at its root, and both qdisc and netem are given")
	case d.Netem != Netem{}:
		return d.Netem.over(both.Netem).text()
	}
	return d.Qdisc, nil
}

// Qdiscs are the kinds of qdiscs that the settings ask for.
func (k Knobs) Qdiscs() (kinds []string) {
	for _, name := range slices.Sorted(maps.Keys(k.Device)) {
		kind, _, _ := strings.Cut(k.Device[name].Qdisc, " ")
		if (k.Device[name].Netem != Netem{}) {
			kind = "netem"
		}
		if kind != "" && !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// RoundTrip is for how long netem holds back a packet and its answer.
func (k Knobs) RoundTrip() (d time.Duration) {
	both := k.Device["both"]
	for name, dev := range k.Device {
		text, err := dev.qdisc(both)
		q, bad := ParseQdisc(text)
		if err != nil || bad != nil {
			continue // said where the knobs are made
		}
		delay, _ := q.Param("delay")
		jitter, _ := q.Param("jitter")
		if name == "both" || name == "lo" { // each way
			delay, jitter = 2*delay, 2*jitter
		}
		d += time.Duration(delay + jitter)
	}
	return d
}
