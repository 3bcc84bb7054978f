// Package translate reads command lines of iperf3, netperf, neper, sockperf, nuttcp and
// udp_sink, and says what netab run would be asked instead.
//
// Nothing is dropped in silence: of each option it says what it became, or why netab
// needs nothing for it, or that netab cannot do it, and why. So an option that the
// tables do not know is refused too. What a tool does by default and netab does
// otherwise (16 KiB a call of netperf, 1 Mbit/s of iperf3 -u) is a setting like any
// other.
package translate

import (
	"fmt"
	"slices"
	"strings"

	"netab/scenarios"
)

// A Fate is what became of an option.
type Fate string

const (
	Mapped  Fate = "mapped"
	Moot    Fate = "not needed"
	Refused Fate = "refused"
)

// A Part is one option of the command line, or a default of its tool.
type Part struct {
	Typed string `json:"typed"` // "-b 1G"
	Fate  Fate   `json:"fate"`
	Text  string `json:"text"` // what it became, or why not
}

// A Translation is what a command line means to netab.
type Translation struct {
	Tool  string            `json:"tool"`
	Parts []Part            `json:"options"`
	Flags []scenarios.Typed `json:"-"`
}

// Refused are the options that netab has nothing for.
func (t *Translation) Refused() (out []Part) {
	for _, p := range t.Parts {
		if p.Fate == Refused {
			out = append(out, p)
		}
	}
	return out
}

// Line translates a command line as a shell reads it.
func Line(line string) (*Translation, error) {
	words, err := Split(line)
	if err != nil {
		return nil, err
	}
	return Words(words)
}

// Words translates a command line of several words.
func Words(words []string) (*Translation, error) {
	if len(words) == 0 {
		return nil, fmt.Errorf("no command line: want one of %s", strings.Join(names(), ", "))
	}
	name := words[0][strings.LastIndexByte(words[0], '/')+1:]
	for _, tool := range tools() {
		if slices.Contains(tool.names, name) {
			r := &reader{tool: tool, name: name, settings: map[string]string{}, t: &Translation{Tool: tool.names[0]}}
			tool.read(r, words[1:])
			r.finish()
			return r.t, nil
		}
	}
	return nil, fmt.Errorf("%q is no tool that netab knows: %s", name, scenarios.Suggest(name, names()))
}

func names() (out []string) {
	for _, tool := range tools() {
		out = append(out, tool.names...)
	}
	return out
}

// A tool is one that people come from.
type tool struct {
	names []string
	read  func(r *reader, words []string)
}

func tools() []tool {
	return []tool{
		{[]string{"iperf3"}, iperf3},
		{[]string{"netperf"}, netperf},
		{[]string{"super_netperf"}, superNetperf},
		{[]string{"tcp_stream", "tcp_rr", "tcp_crr", "udp_stream", "udp_rr"}, neper},
		{[]string{"sockperf"}, sockperf},
		{[]string{"nuttcp"}, nuttcp},
		{[]string{"udp_sink"}, udpSink},
	}
}

// An option of a tool: its spellings, whether a value follows, and what it comes to.
type option struct {
	names []string
	value bool
	// maybe: a value may be attached (--debug=4), and is none of the next word's.
	maybe bool
	// perhaps: the next word is its value unless it is an option.
	perhaps bool
	does    func(r *reader, value string)
}

// A reader goes through one command line.
type reader struct {
	tool     tool
	name     string
	settings map[string]string // by path
	typed    string            // the option at hand
	t        *Translation
	// What a tool's options leave to be put together at the end.
	rate  float64 // bit/s of each flow
	packs float64 // or messages a second of all
	flows int
	udp   bool
	last  func() // tool's own
}

func (r *reader) say(fate Fate, text string) {
	r.t.Parts = append(r.t.Parts, Part{r.typed, fate, text})
}

// set maps the option at hand to a path.
func (r *reader) set(path, value string, more ...string) {
	if before, ok := r.settings[path]; ok && before != value {
		r.replaced(path + ": " + before)
	}
	r.settings[path] = value
	r.say(Mapped, strings.Join(append([]string{path + ": " + value}, more...), "; "))
}

// replaced says of the option that something came of that the one at hand says otherwise:
// the tools take the last one, too.
func (r *reader) replaced(what string) {
	for i := range r.t.Parts {
		if p := &r.t.Parts[i]; p.Fate == Mapped && (p.Text == what || strings.HasPrefix(p.Text, what+"; ")) {
			p.Text += "; replaced by the later " + r.typed
		}
	}
}

// unless sets what a tool does where no option says otherwise.
func (r *reader) unless(path, value, why string) {
	if _, ok := r.settings[path]; !ok {
		r.typed = "(default)"
		r.set(path, value, why)
	}
}

func (r *reader) moot(why string)   { r.say(Moot, why) }
func (r *reader) refuse(why string) { r.say(Refused, why) }

// sized maps a number of bytes, of which netperf and iperf3 write K for 1024.
func sized(paths ...string) func(*reader, string) {
	return func(r *reader, value string) {
		if size, ok := r.bytes(value); ok {
			r.setAll(size, paths...)
		}
	}
}

// setAll maps the option at hand to several paths.
func (r *reader) setAll(value string, paths ...string) {
	var said []string
	for _, path := range paths {
		r.settings[path] = value
		said = append(said, path+": "+value)
	}
	r.say(Mapped, strings.Join(said, "; "))
}

// cubic says what congestion control is, where no option does.
func (r *reader) cubic(tool string) {
	if r.settings["traffic.congestion"] == "" {
		r.typed = "(default)"
		r.say(Mapped, "traffic.congestion: cubic, where "+tool+" takes the host's default (sysctl net.ipv4.tcp_congestion_control)")
	}
}

// bytes is a number of bytes as netab writes it.
func (r *reader) bytes(value string) (string, bool) {
	size, err := scenarios.ParseSize(strings.TrimSuffix(value, "B"))
	if err != nil {
		r.refuse(fmt.Sprintf("%q is no number of bytes", value))
		return "", false
	}
	return size.String(), true
}

// Reasons that several options have.
const (
	oneMachine = "both ends are on this machine; netab starts and ends the other one itself"
	stops      = "netab repeats trials until it is sure enough"
)

// reasons are those that options.txt names.
var reasons = strings.NewReplacer(
	"@one-machine", oneMachine,
	"@stops", stops,
	"@ports", "the kernel chooses free ports in namespaces of netab's own",
	"@outputs", "how it is shown is said to netab by --json and --format, and everything is kept in the store",
	"@measured", "netab measures it in every run",
	"@slices", "netab keeps every slice of 25 ms; netab results export --format csv shows them",
)

// host maps where the other end is.
func host(r *reader, value string) {
	value, device, _ := strings.Cut(value, "%")
	switch {
	case device != "":
		r.refuse("a device: name both ends in a scenario, topology: {kind: nic, source_device: ..., sink_device: ...}")
	case value == "localhost" || strings.HasPrefix(value, "127.") || value == "::1":
		r.set("topology", "loopback", oneMachine)
	default:
		r.set("topology", "veth", "two namespaces of this machine, whoever the host is; two NICs of it would be {kind: nic, source_device: ..., sink_device: ...}")
	}
}

// flowsOf sets the number of flows.
func flowsOf(r *reader, value string) {
	if _, err := fmt.Sscan(value, &r.flows); err != nil || r.flows < 1 {
		r.refuse(fmt.Sprintf("%q is no number of flows", value))
		return
	}
	r.set("traffic.flows", value)
}

// seconds maps how long to measure.
func seconds(r *reader, value string) {
	if value == "0" {
		r.refuse("netab measures no longer than it is told: give --max-time")
		return
	}
	if strings.Trim(value, "0123456789.") == "" {
		value += "s"
	}
	r.set("measure.max_time", value, "at most: "+stops)
}

// cpus maps an affinity "source,sink".
func cpus(r *reader, source, sink string) {
	r.settings["placement.source"], r.settings["placement.sink"] = source, sink
	r.say(Mapped, "placement: {source: "+source+", sink: "+sink+"}")
}

// finish puts together what no option says alone.
func (r *reader) finish() {
	if r.last != nil {
		r.last()
	}
	flows := max(r.flows, 1)
	switch {
	case r.rate > 0:
		r.settings["traffic.rate"] = scenarios.Rate(r.rate*float64(flows)).String() + "bit/s"
	case r.packs > 0:
		r.settings["traffic.rate"] = scenarios.Rate(r.packs * float64(flows)).String()
	}
	// The whole before its parts, and what has flags of its own by these.
	order := []struct{ path, flag string }{
		{"topology", "--topology"}, {"topology.family", ""}, {"traffic", "--traffic"}, {"traffic.message", "--message"}, {"traffic.flows", "--flows"},
		{"traffic.rate", "--rate"}, {"placement.source", "--cpu-source"}, {"placement.sink", "--cpu-sink"},
	}
	done := map[string]bool{}
	add := func(flag, path string) {
		value, ok := r.settings[path]
		if !ok || done[path] {
			return
		}
		done[path] = true
		if flag == "" {
			r.t.Flags = append(r.t.Flags, scenarios.Typed{Flag: "--set", Text: path + "=" + value})
			return
		}
		r.t.Flags = append(r.t.Flags, scenarios.Typed{Flag: flag, Path: path, Text: value})
	}
	for _, o := range order {
		add(o.flag, o.path)
	}
	var rest []string
	for path := range r.settings {
		rest = append(rest, path)
	}
	slices.Sort(rest)
	for _, path := range rest {
		flag := map[string]string{"measure.max_time": "--max-time", "measure.confidence": "--confidence", "measure.width": "--width"}[path]
		add(flag, path)
	}
}

// Split splits a line into words as a shell does, without what it would replace.
func Split(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	begun := false
	var quote rune
	escaped := false
	for _, c := range line {
		switch {
		case escaped:
			word.WriteRune(c)
			escaped = false
		case c == '\\' && quote != '\'':
			escaped, begun = true, true
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, begun = c, true
		case c == ' ' || c == '\t' || c == '\n':
			if begun {
				words = append(words, word.String())
				word.Reset()
				begun = false
			}
		case strings.ContainsRune("|&;<>$`(){}", c):
			return nil, fmt.Errorf("%q in the command line: want one command, without redirections and variables", c)
		default:
			word.WriteRune(c)
			begun = true
		}
	}
	if quote != 0 || escaped {
		return nil, fmt.Errorf("a quote in the command line has no end")
	}
	if begun {
		words = append(words, word.String())
	}
	return words, nil
}
