package scenarios

import (
	"reflect"
	"strings"
)

// A member is a struct field as YAML sees it.
type member struct {
	key   string
	rule  string // its key in the rule book
	index []int  // for reflect.Value.FieldByIndex
	typ   reflect.Type
}

var (
	scenarioType = reflect.TypeFor[Scenario]()
	configType   = reflect.TypeFor[Config]()
	matrixType   = reflect.TypeFor[Matrix]()
)

// membersOf lists the YAML keys of a struct in the order of the fields, those
// of inlined structs included.
func membersOf(t reflect.Type) []member {
	var out []member
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("yaml")
		if tag == "" {
			continue
		}
		if key, options, _ := strings.Cut(tag, ","); options == "inline" {
			for _, m := range membersOf(f.Type) {
				m.index = append([]int{i}, m.index...)
				out = append(out, m)
			}
		} else {
			out = append(out, member{key, t.Name() + "." + key, []int{i}, f.Type})
		}
	}
	return out
}

func memberOf(t reflect.Type, key string) (member, bool) {
	for _, m := range membersOf(t) {
		if m.key == key {
			return m, true
		}
	}
	return member{}, false
}

func keysOf(t reflect.Type) []string {
	var keys []string
	for _, m := range membersOf(t) {
		keys = append(keys, m.key)
	}
	return keys
}
