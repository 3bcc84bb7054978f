// Package lasting writes the settings of an arm as a machine keeps them over a reboot:
// a file of sysctl.d, rules of udev, or a script that sets and undoes them, each with
// the evidence in its comments. "Changes made by hand do not survive a reboot" is what
// people who tune write of each other.
//
// Only what was read back as it was asked for is written, and of that only what the
// scenario asked for: what netab sets in its namespaces for the sake of measuring is no
// advice. A run file may be a stranger's, and what comes of it is run as root: names
// and values are taken apart and put together again, sysctls are those that a scenario
// may set unasked, and everything else is left out with its reason.
package lasting

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"netab/analysis"
	"netab/analysis/escape"
	"netab/analysis/prose"
	"netab/results"
	"netab/results/cpulist"
	"netab/scenarios"
)

// Formats are what settings are written as.
func Formats() []string { return []string{"script", "sysctl.d", "udev"} }

// A Setting is one that is to last.
type Setting struct {
	What   string // as it was recorded
	Sysctl string // its path below /proc/sys; else it is a device's
	Device string
	Queue  string // rx-0
	Family string // rps_cpus, mtu, offload, ...
	Name   string // of offload and channels
	Value  string
	Before string // "" where it is not known
	// Own: it was measured in a namespace of netab's own.
	Own bool
}

// A Left is a setting that is not written, and why.
type Left struct{ What, Why string }

var (
	deviceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$`)
	queueName  = regexp.MustCompile(`^(rx|tx)-[0-9]{1,4}$`)
	plainValue = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ,._-]{0,200}$`)
	notPlain   = regexp.MustCompile(`[^A-Za-z0-9-]+`)
	plainWord  = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)
)

// Of are the settings of an arm. devices says which of the machine's devices stands for
// one that was measured.
func Of(run *results.Run, arm int, devices map[string]string) (out []Setting, left []Left) {
	asked := run.Header.Design.Arms[arm].Knobs
	seen := map[string]results.Setting{}
	var order []string
	differs := map[string]bool{}
	for _, t := range run.Trials {
		if t.Invalid != "" {
			continue
		}
		for _, a := range t.Arms {
			if a.Arm != arm {
				continue
			}
			for _, k := range a.Knobs {
				before, known := seen[k.Knob]
				if !known {
					order = append(order, k.Knob)
				}
				differs[k.Knob] = differs[k.Knob] || !k.Took() || known && before.After != k.After
				if !known {
					seen[k.Knob] = k
				}
			}
		}
	}
	for _, name := range order {
		s, why := parse(seen[name], devices)
		switch {
		case why == "" && s.Sysctl != "" && !slices.ContainsFunc(asked, func(a string) bool { return strings.HasPrefix(a, "sysctl "+s.Sysctl+" = ") }):
			continue // netab's own
		case why == "" && differs[name]:
			why = "what was read back was not always what was asked for"
		}
		if why != "" {
			left = append(left, Left{name, why})
			continue
		}
		out = append(out, s)
	}
	return out, left
}

// parse takes a recorded setting apart; why says what keeps it from being written.
func parse(k results.Setting, devices map[string]string) (s Setting, why string) {
	s = Setting{What: k.Knob, Value: k.After, Before: k.Before, Own: k.Scope == "netns"}
	if !plainValue.MatchString(s.Value) {
		return s, "its value is no plain one"
	}
	if !plainValue.MatchString(s.Before) {
		s.Before = ""
	}
	if name, ok := strings.CutPrefix(k.Knob, "sysctl "); ok {
		path, err := scenarios.ParseSysctl(name)
		if err != nil {
			return s, err.Error()
		}
		if faults := scenarios.Unasked([]scenarios.Knob{{Family: "sysctl", Name: path}}, nil); len(faults) > 0 {
			return s, faults[0].Msg
		}
		s.Sysctl = path
		return s, ""
	}
	words := strings.Fields(k.Knob)
	if len(words) < 2 {
		return s, "netab knows no lasting form of it"
	}
	s.Device, words = words[0], words[1:]
	if to, ok := devices[s.Device]; ok {
		s.Device = to
	} else if s.Own && s.Device != "lo" {
		return s, "the device is one of netab's own: --device " + s.Device + "=DEVICE says which of the machine's stands for it"
	}
	if !deviceName.MatchString(s.Device) {
		return s, "the device has no plain name"
	}
	if queueName.MatchString(words[0]) {
		s.Queue, words = words[0], words[1:]
	}
	if len(words) == 0 {
		return s, "netab knows no lasting form of it"
	}
	s.Family = words[0]
	switch {
	case s.Queue != "" && len(words) == 1 && slices.Contains([]string{"rps_cpus", "xps_cpus", "rps_flow_cnt"}, s.Family):
		if s.Family != "rps_flow_cnt" {
			if k.ReadBack == "" {
				return s, "an older netab recorded it, as a list of CPUs or as a mask"
			}
			s.Value, why = mask(s.Value)
			s.Before, _ = mask(s.Before)
		}
	case s.Queue == "" && len(words) == 1 && slices.Contains([]string{"mtu", "tx_queue_len", "gro_flush_timeout", "napi_defer_hard_irqs", "threaded"}, s.Family):
	case s.Queue == "" && len(words) == 2 && (s.Family == "offload" || s.Family == "channels") && plainWord.MatchString(words[1]):
		s.Name = words[1]
	default:
		why = "netab knows no lasting form of it"
	}
	return s, why
}

// mask is a set of CPUs as sysfs takes it, of a list as the record has it.
func mask(value string) (string, string) {
	if value == "none" {
		return "0", ""
	}
	cpus, err := cpulist.Parse(value)
	if err != nil {
		return "", "its value is no set of CPUs"
	}
	return cpulist.FormatMask(cpus), ""
}

// dotted is a sysctl as sysctl.d takes it: with slashes where its name has dots.
func (s Setting) dotted() string {
	if strings.Contains(s.Sysctl, ".") {
		return s.Sysctl
	}
	return strings.ReplaceAll(s.Sysctl, "/", ".")
}

// file is where the device's setting is in sysfs, below its folder.
func (s Setting) file() string {
	switch {
	case s.Queue != "":
		return "queues/" + s.Queue + "/" + s.Family
	case s.Family == "offload" || s.Family == "channels":
		return ""
	}
	return s.Family
}

func (s Setting) sysfsValue(value string) string {
	if s.Family == "threaded" {
		return strings.NewReplacer("on", "1", "off", "0").Replace(value)
	}
	return value
}

// ethtool is the command for what sysfs has no file for.
func (s Setting) ethtool(value string) []string {
	flag := map[string]string{"offload": "-K", "channels": "-L"}[s.Family]
	return []string{"ethtool", flag, s.Device, s.Name, value}
}

// A File is all that is written.
type File struct {
	Format   string
	Settings []Setting
	Left     []Left
	Evidence []string // lines
	// Of names the run and its arm: what a script keeps for its undo has that name.
	Of string
}

// Evidence is what speaks for an arm, a line each.
func Evidence(run *results.Run, s *analysis.Summary, arm int) []string {
	name := run.Header.Design.Arms[arm].Name
	lines := []string{
		fmt.Sprintf("Settings of arm %s of run %s (%s), as netab %s read them back.", name, run.Header.ID, run.Header.Design.Name, run.Header.Netab.Version),
	}
	found := false
	for _, c := range s.Comparisons {
		if c.Arm != name || !c.Judged {
			continue
		}
		found = true
		lines = append(lines, fmt.Sprintf("Against %s: %s %s (%s), %s; %s confidence, %s.", c.Baseline, c.Metric, prose.Change(c.Change, c.Difference), prose.Interval(c.Lo, c.Hi, c.Difference), c.Verdict,
			prose.ShortPercent(s.Confidence), prose.Counted(s.Trials, "trial")))
		if c.Verdict != analysis.Improvement {
			lines = append(lines, fmt.Sprintf("NOTE: that is no improvement of %s.", c.Metric))
		}
	}
	if !found {
		lines = append(lines, "NOTE: nothing was found that speaks for it: it is the baseline, or was compared with nothing.")
	}
	m := run.Header.Machine
	return append(lines, fmt.Sprintf("Measured %s with kernel %s on %s.", run.Header.Started.UTC().Format("2006-01-02"), m.Kernel, m.CPUModel),
		"A verdict is of the traffic and the machine that it was measured with.")
}

// Text is the file.
func (f File) Text() (string, error) {
	var b strings.Builder
	line := func(format string, args ...any) { b.WriteString(fmt.Sprintf(format, args...) + "\n") }
	comment := func(text string) { line("# %s", strings.TrimSpace(escape.Line(text))) }
	if f.Format == "script" {
		line("#!/bin/sh")
	}
	for _, text := range f.Evidence {
		comment(text)
	}
	line("#")
	written := 0
	for _, s := range f.Settings {
		if s.Own && f.Format != "script" {
			comment(s.What + " was measured in a namespace of netab's own, whose values before were the kernel's, not this machine's.")
			break
		}
	}
	switch f.Format {
	case "sysctl.d":
		written = f.sysctls(line, comment)
	case "udev":
		written = f.udev(line, comment)
	case "script":
		written = f.script(line, comment)
	default:
		return "", fmt.Errorf("no format of settings is named %q: want %s", f.Format, strings.Join(Formats(), ", "))
	}
	for _, l := range f.Left {
		comment("not written: " + l.What + ": " + l.Why)
	}
	if written == 0 {
		why := "the arm sets nothing"
		if len(f.Left) > 0 {
			why = f.Left[0].What + ": " + f.Left[0].Why
		} else if len(f.Settings) > 0 {
			other := "udev" // every setting is one or the other
			if f.Format == other {
				other = "sysctl.d"
			}
			why = f.Settings[0].What + " is nothing that " + f.Format + " has; " + other + " and script have it"
		}
		return "", fmt.Errorf("there is nothing to write: %s", why)
	}
	return b.String(), nil
}

func (f File) sysctls(line func(string, ...any), comment func(string)) (n int) {
	comment("Put it in /etc/sysctl.d/ and run sysctl --system. To undo: delete it, and write what stood before, which is below each line.")
	for _, s := range f.Settings {
		if s.Sysctl == "" {
			comment("not written: " + s.What + " is no sysctl (--format udev has it)")
			continue
		}
		n++
		line("%s = %s", s.dotted(), s.Value)
		comment("before: " + s.dotted() + " = " + orUnknown(s.Before))
	}
	return n
}

func (f File) udev(line func(string, ...any), comment func(string)) (n int) {
	comment("Put it in /etc/udev/rules.d/ (90-netab.rules) and run udevadm trigger -s net -c add. To undo: delete it, and write what stood before, which is below each line.")
	for _, s := range f.Settings {
		if s.Sysctl != "" {
			comment("not written: " + s.What + " is no device's (--format sysctl.d has it)")
			continue
		}
		n++
		match := fmt.Sprintf(`ACTION=="add", SUBSYSTEM=="net", KERNEL=="%s", `, s.Device)
		if file := s.file(); file != "" {
			line(`%sATTR{%s}="%s"`, match, file, s.sysfsValue(s.Value))
		} else {
			line(`%sRUN+="/usr/sbin/%s"`, match, strings.Join(s.ethtool(s.Value), " "))
		}
		comment("before: " + orUnknown(s.sysfsValue(s.Before)))
	}
	return n
}

// script sets files of the kernel's as they are asked, and keeps what stands in them when
// it does, which no record of another namespace, day or machine knows. What ethtool sets
// has no such file, and goes back to what the record has, where that was the device's own.
func (f File) script(line func(string, ...any), comment func(string)) (n int) {
	comment("sh FILE sets it until the next boot; sh FILE undo puts back what stood before, which is kept in /run until then.")
	line("set -eu")
	line("kept=/run/netab-%s", notPlain.ReplaceAllString(f.Of, "_"))
	line(`put() { # FILE VALUE`)
	line(`	mkdir -p "$kept"`)
	line(`	was=$kept/$(printf %%s "$1" | tr / :)`)
	line(`	if [ ! -e "$was" ]; then`)
	line(`		cat "$1" >"$was.new"`)
	line(`		mv "$was.new" "$was"`)
	line(`	fi`)
	line(`	printf '%%s\n' "$2" >"$1"`)
	line(`}`)
	line(`back() { # FILE`)
	line(`	was=$kept/$(printf %%s "$1" | tr / :)`)
	line(`	[ -e "$was" ] || { echo "$1 is as it was: this script has not set it since the last boot" >&2; return 0; }`)
	line(`	cat "$was" >"$1" && rm "$was"`)
	line(`}`)
	line("case ${1:-apply} in")
	line("apply)")
	for _, s := range f.Settings {
		n++
		if path := s.path(); path != "" {
			line("\tput %s %s", escape.Shell(path), escape.Shell(s.sysfsValue(s.Value)))
		} else {
			line("\t%s", strings.Join(s.ethtool(escape.Shell(s.Value)), " "))
		}
	}
	line("\t;;")
	line("undo)")
	line("\tfailed=0 # what cannot be put back keeps nothing else from it")
	list := slices.Clone(f.Settings)
	slices.Reverse(list)
	for _, s := range list {
		switch path := s.path(); {
		case path != "":
			line("\tback %s || failed=1", escape.Shell(path))
		case s.Before == "" || s.Own:
			line("\techo %s >&2", escape.Shell("what "+escape.Line(s.What)+" was before is not known"))
		default:
			line("\t%s || failed=1", strings.Join(s.ethtool(escape.Shell(s.Before)), " "))
		}
	}
	line("\trmdir \"$kept\" 2>/dev/null || :")
	line("\texit $failed")
	line("\t;;")
	line("*)")
	line("\techo \"usage: $0 [apply|undo]\" >&2")
	line("\texit 2")
	line("\t;;")
	line("esac")
	return n
}

// path is the file that sets it; "" = ethtool does.
func (s Setting) path() string {
	switch file := s.file(); {
	case s.Sysctl != "":
		return "/proc/sys/" + s.Sysctl
	case file != "":
		return "/sys/class/net/" + s.Device + "/" + file
	}
	return ""
}

func orUnknown(value string) string {
	if value == "" {
		return "not known"
	}
	return value
}
