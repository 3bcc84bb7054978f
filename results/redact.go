package results

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Redactor takes out of records what tells strangers of a house: what its
// machines, users and networks are called. What a verdict rests on stays.
//
// Names are replaced by others, the same for the same name: runs of one machine
// stay together, and boots apart. The name of a machine that has a machine-id is
// the same in every file, and is made of that id, which nobody guesses; of one
// that has none it is made of the boot in which it is seen first.
type Redactor struct {
	names map[string]string // what is known to be a name, and what stands for it
	salt  string            // of the machine that was learned last
	// kernels are releases, which may look like addresses ("5.15.167.4").
	kernels []string
}

// NewRedactor knows no name yet.
func NewRedactor() *Redactor { return &Redactor{names: map[string]string{}} }

// Redacted is a copy of a run that may leave the house.
func Redacted(run *Run) *Run { return NewRedactor().Run(run) }

// Learn makes the names of a machine known, for texts that hold them. Machines
// and their runs may be learned in any order, but all before the first text.
func (r *Redactor) Learn(m *Machine) {
	r.salt = cmp.Or(m.MachineID, m.BootID, m.Hostname)
	host := "host-" + r.short(m.Hostname)
	r.kernels = append(r.kernels, m.Kernel)
	short, _, _ := strings.Cut(m.Hostname, ".")
	for _, name := range []string{m.Hostname, short} {
		r.name(name, host)
	}
	r.name(m.Name, "machine-"+r.short(m.Name))
	r.name(m.MachineID, hash("machine-id", m.MachineID)[:32])
	if len(m.MachineID) >= 8 {
		r.name(m.MachineID[:8], hash("machine-id", m.MachineID)[:8]) // as people see it
	}
	r.name(m.BootID, "boot-"+hash("boot", m.BootID)[:12])
	r.name(m.Board, "board-"+r.short(m.Board))
	r.name(m.KernelCmdline, "redacted-"+r.short(m.KernelCmdline))
}

func (r *Redactor) name(name, other string) {
	if _, known := r.names[name]; !known && name != "" {
		r.names[name] = other
	}
}

// short is of what may be guessed, so it is salted with what may not.
func (r *Redactor) short(s string) string { return hash(r.salt, s)[:6] }

func hash(key, s string) string {
	mac := hmac.New(sha256.New, []byte("netab redact "+key))
	mac.Write([]byte(s))
	return hex.EncodeToString(mac.Sum(nil))
}

// Run is a redacted copy. What this version does not know of a record is left
// out, for it may hold anything.
func (r *Redactor) Run(run *Run) *Run {
	r.Learn(&run.Header.Machine)
	for i := range run.Header.Others {
		r.Learn(&run.Header.Others[i])
	}
	for _, x := range run.Resumed {
		r.name(x.BootID, "boot-"+hash("boot", x.BootID)[:12])
	}
	out := Redact(r, run)
	r.machine(&out.Header.Machine, &run.Header.Machine)
	for i := range run.Header.Others {
		r.machine(&out.Header.Others[i], &run.Header.Others[i])
	}
	out.Header.Unknown, out.Foreign = nil, nil
	for i := range out.Trials {
		out.Trials[i].Unknown = nil
	}
	for i := range out.Explains {
		out.Explains[i].Unknown = nil
	}
	for i := range out.Resumed {
		out.Resumed[i].Unknown, out.Resumed[i].BootID = nil, r.of(run.Resumed[i].BootID)
		r.command(out.Resumed[i].Command, run.Resumed[i].Command)
	}
	if out.End != nil {
		out.End.Unknown = nil
	}
	if source := run.Header.Source; source != "" && !strings.HasPrefix(source, "builtin:") {
		out.Header.Source = r.Text(path.Base(source))
	}
	r.command(out.Header.Command, run.Header.Command)
	return out
}

// command replaces what a command line names, in its copy.
func (r *Redactor) command(out, words []string) {
	for i, word := range words {
		out[i] = r.Text(pathsWithin().ReplaceAllString(word, "${1}…/${2}"))
	}
}

// Campaign is a redacted copy, its boots' runs too.
func (r *Redactor) Campaign(c *Campaign) *Campaign {
	if c.Header.Host != nil {
		r.Learn(c.Header.Host)
	}
	for i := range c.Boots {
		if run := c.Boots[i].Run; run != nil {
			r.Learn(&run.Header.Machine)
		}
	}
	for i := range c.Header.Kernels {
		k := &c.Header.Kernels[i]
		r.kernels = append(r.kernels, k.Release)
		r.name(k.Cmdline, "redacted-"+r.short(k.Cmdline))
	}
	runs := make([]*Run, len(c.Boots))
	bare := *c
	bare.Boots = slices.Clone(c.Boots)
	for i := range bare.Boots {
		runs[i], bare.Boots[i].Run = bare.Boots[i].Run, nil
	}
	out := Redact(r, &bare)
	if c.Header.Host != nil {
		r.machine(out.Header.Host, c.Header.Host)
	}
	h := &out.Header
	h.Unknown, out.Foreign = nil, nil
	for i := range out.Boots {
		b := &out.Boots[i]
		b.Unknown, b.File = nil, c.Boots[i].File
		if runs[i] != nil {
			b.Run = r.Run(runs[i])
		}
	}
	if out.End != nil {
		out.End.Unknown = nil
	}
	if source := c.Header.Source; source != "" && !strings.HasPrefix(source, "builtin:") {
		h.Source = r.Text(path.Base(source))
	}
	r.command(h.Command, c.Header.Command)
	return out
}

// machine replaces the names of a machine in its copy.
func (r *Redactor) machine(out, m *Machine) {
	out.Hostname, out.Name, out.MachineID, out.BootID = r.of(m.Hostname), r.of(m.Name), r.of(m.MachineID), r.of(m.BootID)
	out.Board, out.KernelCmdline = r.of(m.Board), r.of(m.KernelCmdline)
}

// of is what stands for a name that was learned.
func (r *Redactor) of(name string) string { return r.names[name] }

// Redact is a copy of any value whose texts are redacted, keys of maps too.
func Redact[T any](r *Redactor, v T) T {
	in := reflect.ValueOf(&v).Elem()
	out, _ := r.copy(in, "").Interface().(T) // not of a nil interface
	return out
}

// vocabulary are the fields whose words are netab's or the kernel's own: they
// are read by programs, and a host that is called "udp" changes none of them.
var vocabulary = map[string]bool{
	"Type": true, "Schema": true, "Kind": true, "Protocol": true, "BesideProtocols": true, "Topology": true, "Metrics": true, "Metric": true, "Gate": true,
	"Grain": true, "Scope": true, "Code": true, "Netab": true, "Kernel": true, "KernelBuild": true, "Arch": true, "CPUModel": true, "Microcode": true,
	"CPUsOnline": true, "CPUsAllowed": true, "CPUsIsolated": true, "Mitigations": true, "Clocksource": true, "Governor": true, "Virtualization": true,
	"IRQTime": true, "Debug": true, "Release": true, "Accel": true, "Emulated": true, "Modules": true, "Congestion": true, "TCP": true, "Softirqs": true, "Events": true, "SourceNet": true, "SinkNet": true,
	"Dropped": true, "DescriptionHash": true, "Outcome": true, "Verdict": true, "Unit": true, "State": true, "Better": true,
}

func (r *Redactor) copy(v reflect.Value, field string) reflect.Value {
	if vocabulary[field] {
		return v
	}
	out := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.String:
		out.SetString(r.Text(v.String()))
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return v
		}
		if v.Kind() == reflect.Interface {
			out.Set(r.copy(v.Elem(), field))
			break
		}
		out.Set(reflect.New(v.Type().Elem()))
		out.Elem().Set(r.copy(v.Elem(), field))
	case reflect.Slice:
		if raw, ok := v.Interface().(json.RawMessage); ok {
			out.SetBytes(r.document(raw))
			break
		}
		if v.IsNil() || v.Type().Elem().Kind() <= reflect.Complex128 { // numbers
			return v
		}
		out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			out.Index(i).Set(r.copy(v.Index(i), field))
		}
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		out.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
		for it := v.MapRange(); it.Next(); {
			out.SetMapIndex(r.copy(it.Key(), ""), r.copy(it.Value(), ""))
		}
	case reflect.Struct:
		out.Set(v) // what is not exported is shared
		if v.Type() == reflect.TypeFor[time.Time]() {
			break
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				out.Field(i).Set(r.copy(v.Field(i), f.Name))
			}
		}
	default:
		return v
	}
	return out
}

// document redacts the texts of a document of JSON; one that is none is left out.
func (r *Redactor) document(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return raw
	}
	var v any
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	if dec.Decode(&v) != nil {
		return nil
	}
	out, err := json.Marshal(Redact(r, v))
	if err != nil {
		return nil
	}
	return out
}

// Text is a text without the names that were learned, without addresses, and
// without the directories of paths other than the kernel's.
func (r *Redactor) Text(s string) string {
	if s == "" {
		return s
	}
	if other, whole := r.names[s]; whole {
		return other
	}
	s = r.replaceNames(s)
	s = paths().ReplaceAllStringFunc(s, func(m string) string {
		lead, p := m[:strings.IndexByte(m, '/')], m[strings.IndexByte(m, '/'):]
		for _, kernel := range []string{"/proc/", "/sys/", "/dev/", "/run/netns/"} {
			if strings.HasPrefix(p, kernel) {
				return m
			}
		}
		return lead + "…/" + path.Base(p)
	})
	s = macs().ReplaceAllStringFunc(s, func(m string) string { return "mac-" + r.short(strings.ToLower(m)) })
	s = macDevices().ReplaceAllStringFunc(s, func(m string) string { return m[:3] + r.short(m) })
	return addresses().ReplaceAllStringFunc(s, func(m string) string {
		bare, _, _ := strings.Cut(m, "/")
		if slices.ContainsFunc(r.kernels, func(k string) bool { return strings.Contains(k, bare) }) {
			return m
		}
		if a, err := netip.ParseAddr(bare); err != nil || a.IsLoopback() || a.IsUnspecified() {
			return m
		}
		return "ip-" + r.short(m)
	})
}

// replaceNames replaces names that stand as words in a text, long ones first.
func (r *Redactor) replaceNames(s string) string {
	names := make([]string, 0, len(r.names))
	for name := range r.names {
		if len(name) > 1 && strings.Contains(strings.ToLower(s), strings.ToLower(name)) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(len(b)-len(a), cmp.Compare(a, b)) })
	for _, name := range names {
		word := regexp.MustCompile(`(?i)(^|[^0-9A-Za-z])` + regexp.QuoteMeta(name) + `($|[^0-9A-Za-z])`)
		for range 2 { // two that share a blank
			s = word.ReplaceAllString(s, "${1}"+r.names[name]+"${2}")
		}
	}
	return s
}

func lazyExpr(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

var (
	paths       = lazyExpr(`(?:^|[\s"'=:(,])/[^\s"',;:)]+/[^\s"',;:)/]+`)
	pathsWithin = lazyExpr(`(^|=)[^=\s]*[^=\s.]+/([^/\s=]+)$`) // of a command line, relative ones too
	macs        = lazyExpr(`(?i)\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}\b`)
	macDevices  = lazyExpr(`\b(?:enx|wlx)[0-9a-f]{12}`)
	addresses   = lazyExpr(`(?i)\b\d{1,3}(?:\.\d{1,3}){3}(?:/\d+)?\b|\b[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,7}(?:/\d+)?\b`)
)
