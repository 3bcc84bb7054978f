package scenarios

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"netab/results/vocab"
)

// What a device has that nobody gave an MTU: a veth's is Ethernet's
// (ether_setup), lo's is that of loopback_setup. A nic's is the machine's.
const (
	vethMTU     = 1500
	loopbackMTU = 64 << 10
)

// Describe says what a complete configuration (Arm.Config) is, as facts by their
// paths: "traffic.direction" is "reverse", "topology.mtu" is "9000". It holds
// what was asked, CPU sets as they were written, and not what that came to on a
// machine. One configuration has one description, however it was written: each
// value has one form, defaults count as if they had been written out, and what is
// off or left to the kernel (a field's zero value) is no fact.
//
// Descriptions are recorded, and compared with those of later versions. So the
// zero value of a new field must mean what was there before it.
func (c Config) Describe() map[string]string {
	switch c.Topology.Kind {
	case vocab.Veth:
		fill(&c.Topology.MTU, vethMTU)
	case vocab.Loopback:
		fill(&c.Topology.MTU, loopbackMTU)
	}
	f := facts{rules(), map[string]string{}}
	f.add("", reflect.ValueOf(c), rule{})
	return f.out
}

// facts are a description in the making: by the members and rules that files
// are decoded by, so that no field is left out.
type facts struct {
	rules ruleBook
	out   map[string]string
}

func (f facts) add(path string, v reflect.Value, r rule) {
	switch v.Kind() {
	case reflect.Struct:
		for _, m := range membersOf(v.Type()) {
			f.add(join(path, m.key), v.FieldByIndex(m.index), f.rules[m.rule])
		}
		return
	case reflect.Map:
		for _, key := range v.MapKeys() {
			at, entry := join(path, key.String()), v.MapIndex(key)
			if entry.Kind() == reflect.Struct {
				f.add(at, entry, rule{})
				continue
			}
			f.out[at] = factOf(entry, r.ofValues()) // no channel is a number of channels too
		}
		return
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		f.out[path] = "on" // though nothing of it be set
		f.add(path, v.Elem(), r)
		return
	}
	if !v.IsZero() {
		f.out[path] = factOf(v, r)
	}
}

// factOf is the one form of a single value.
func factOf(v reflect.Value, r rule) string {
	if text, ok := v.Interface().(fmt.Stringer); ok {
		return text.String()
	}
	switch v.Kind() {
	case reflect.String:
		if r.text != nil && r.text.braces {
			return canonicalCPUSet(v.String())
		}
		return v.String()
	case reflect.Bool:
		return "on"
	case reflect.Int:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	panic("scenarios: no way to describe a " + v.Type().String()) // a field was added without one
}

// canonicalCPUSet is a CPU set in the spelling that needs no quotes.
func canonicalCPUSet(text string) string {
	if text == "off" {
		return "none"
	}
	return strings.Join(strings.Fields(strings.NewReplacer("{", "", "}", "").Replace(text)), " ")
}
