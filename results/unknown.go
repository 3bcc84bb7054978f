package results

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Unknown are the JSON members of a line that this version of netab has no
// field for, by JSON pointer (RFC 6901: "/slices/3/mood"). They were written by
// a newer version and are written back where they came from, so that an old
// netab can copy a new record without loss.
//
// One map a line, and not a field in every type: the small types stay
// comparable with ==, and a line without unknown members costs nothing. The
// price: pointers count elements, so who removes elements of a list must clear
// the map.
type Unknown map[string]json.RawMessage

// UnmarshalJSON keeps members that are not of this version in h.Unknown.
func (h *Header) UnmarshalJSON(data []byte) error {
	type plain Header
	return unmarshalKeeping(data, (*plain)(h), &h.Unknown)
}

// MarshalJSON writes h and what is in h.Unknown.
func (h Header) MarshalJSON() ([]byte, error) {
	type plain Header
	return marshalWith(plain(h), h.Unknown)
}

// UnmarshalJSON keeps members that are not of this version in t.Unknown.
func (t *Trial) UnmarshalJSON(data []byte) error {
	type plain Trial
	return unmarshalKeeping(data, (*plain)(t), &t.Unknown)
}

// MarshalJSON writes t and what is in t.Unknown.
func (t Trial) MarshalJSON() ([]byte, error) {
	type plain Trial
	return marshalWith(plain(t), t.Unknown)
}

// UnmarshalJSON keeps members that are not of this version in e.Unknown.
func (e *End) UnmarshalJSON(data []byte) error {
	type plain End
	return unmarshalKeeping(data, (*plain)(e), &e.Unknown)
}

// MarshalJSON writes e and what is in e.Unknown.
func (e End) MarshalJSON() ([]byte, error) {
	type plain End
	return marshalWith(plain(e), e.Unknown)
}

// unmarshalKeeping decodes data into v and collects the members that v has no
// field for. The second, slow pass is only for lines that have any.
func unmarshalKeeping[T any](data []byte, v *T, unknown *Unknown) error {
	strict := json.NewDecoder(bytes.NewReader(data))
	strict.DisallowUnknownFields()
	var known T
	if err := strict.Decode(&known); err == nil {
		*v, *unknown = known, nil
		return nil
	}
	var all T
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	found := make(Unknown)
	if err := collectUnknown(data, reflect.TypeFor[T](), "", found); err != nil {
		return err
	}
	*v = all
	if len(found) > 0 {
		*unknown = found
	}
	return nil
}

var (
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// collectUnknown walks a JSON text along the type t that it decodes to and
// puts what t has no field for into found.
func collectUnknown(data []byte, t reflect.Type, at string, found Unknown) error {
	// What decodes itself (raw JSON, times) has no fields of ours to look at.
	if p := reflect.PointerTo(t); p.Implements(jsonUnmarshaler) || p.Implements(textUnmarshaler) {
		return nil
	}
	if bytes.Equal(bytes.TrimSpace(data), []byte("null")) {
		return nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return collectUnknown(data, t.Elem(), at, found)
	case reflect.Struct:
		members, err := splitObject(data)
		if err != nil {
			return err
		}
		for _, m := range members {
			path := at + "/" + escapePointer(m.name)
			field, ok := fieldByJSON(t, m.name)
			if !ok {
				found[path] = m.value
			} else if err := collectUnknown(m.value, field, path, found); err != nil {
				return err
			}
		}
	case reflect.Slice:
		if t.Elem().Kind() != reflect.Struct {
			return nil
		}
		var elements []json.RawMessage
		if err := json.Unmarshal(data, &elements); err != nil {
			return err
		}
		for i, e := range elements {
			if err := collectUnknown(e, t.Elem(), at+"/"+strconv.Itoa(i), found); err != nil {
				return err
			}
		}
	}
	return nil
}

// fieldByJSON finds a field as encoding/json does: by its tag, in any case; those of an
// embedded struct stand beside its own.
func fieldByJSON(t reflect.Type, name string) (reflect.Type, bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && tag == "" && f.Type.Kind() == reflect.Struct {
			if of, ok := fieldByJSON(f.Type, name); ok {
				return of, true
			}
			continue
		}
		if tag == "" {
			tag = f.Name
		}
		if tag != "-" && strings.EqualFold(tag, name) {
			return f.Type, true
		}
	}
	return nil, false
}

// marshalWith encodes v and lays the unknown members over it.
func marshalWith(v any, unknown Unknown) ([]byte, error) {
	data, err := encodeLine(v)
	data = bytes.TrimSuffix(data, []byte("\n"))
	if err != nil || len(unknown) == 0 {
		return data, err
	}
	for _, pointer := range slices.Sorted(maps.Keys(unknown)) {
		data, err = addMember(data, strings.Split(pointer, "/")[1:], unknown[pointer])
		if err != nil {
			return nil, fmt.Errorf("unknown member %s: %w", pointer, err)
		}
	}
	return data, nil
}

// addMember puts value at path, a list of escaped pointer tokens. Where an
// object or element on the way is no longer there, the member goes with it.
func addMember(data []byte, path []string, value json.RawMessage) ([]byte, error) {
	if len(path) == 0 {
		return nil, errors.New("not a JSON pointer")
	}
	if len(data) > 0 && data[0] == '[' {
		return addInList(data, path, value)
	}
	members, err := splitObject(data)
	if err != nil {
		return data, nil // null, or no object any more
	}
	name := unescapePointer(path[0])
	if len(path) == 1 {
		return joinObject(append(members, member{name, value}))
	}
	for i, m := range members {
		if strings.EqualFold(m.name, name) {
			if members[i].value, err = addMember(m.value, path[1:], value); err != nil {
				return nil, err
			}
			break
		}
	}
	return joinObject(members)
}

func addInList(data []byte, path []string, value json.RawMessage) ([]byte, error) {
	var elements []json.RawMessage
	if err := json.Unmarshal(data, &elements); err != nil {
		return nil, err
	}
	i, err := strconv.Atoi(path[0])
	if err != nil || i < 0 || i >= len(elements) || len(path) < 2 {
		return data, nil // the element is gone
	}
	if elements[i], err = addMember(elements[i], path[1:], value); err != nil {
		return nil, err
	}
	return json.Marshal(elements)
}

// A member is one name and value of a JSON object.
type member struct {
	name  string
	value json.RawMessage
}

// splitObject splits an object into its members in the order written.
func splitObject(data []byte) ([]member, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	var members []member
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		m := member{name: key.(string)}
		if err := dec.Decode(&m.value); err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	return members, nil
}

func joinObject(members []member) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range members {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(m.value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func escapePointer(s string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(s)
}

func unescapePointer(s string) string {
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(s)
}
