package scenarios

import (
	"fmt"
	"reflect"
	"strings"
)

// A pathError says which part of a path is wrong.
type pathError struct {
	offset    int // bytes into the path
	msg, hint string
}

// splitPath splits "knobs.sysctl.net.core.netdev_budget" into the keys of the
// mappings that it goes through, by the types it meets: all that follows
// knobs.sysctl is one key. leaf is the type that the path names.
func splitPath(t reflect.Type, path string) (keys []string, leaf reflect.Type, err *pathError) {
	offset := 0
	for rest := path; ; {
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		switch {
		case t == reflect.TypeFor[Sizes]():
			return nil, nil, &pathError{offset, fmt.Sprintf("path %q goes on below a distribution", path), "give all of it: {64: 7, 1472: 1}"}
		case t.Kind() == reflect.Struct:
			key, more, deeper := strings.Cut(rest, ".")
			m, ok := memberOf(t, key)
			if !ok {
				return nil, nil, &pathError{offset, fmt.Sprintf("unknown key %q in path %q", key, path), Suggest(key, keysOf(t))}
			}
			keys, t = append(keys, key), m.typ
			if !deeper {
				return keys, t, nil
			}
			rest, offset = more, offset+len(key)+1
		case t.Kind() == reflect.Map:
			key, more := splitMapKey(t.Elem(), rest)
			keys, t = append(keys, key), t.Elem()
			if more == "" {
				return keys, t, nil
			}
			rest, offset = more, offset+len(key)+1
		default:
			return nil, nil, &pathError{offset, fmt.Sprintf("path %q goes on below a single value", path), fmt.Sprintf("leave off %q", "."+rest)}
		}
	}
}

// splitMapKey splits a map's key from the rest of a path. Keys may contain
// dots: of a map of structs (devices: eth0.100) the key ends where a known
// member follows, of other maps (sysctls) it is all.
func splitMapKey(elem reflect.Type, path string) (key, rest string) {
	if elem.Kind() != reflect.Struct {
		return path, ""
	}
	for i := range path {
		if path[i] != '.' {
			continue
		}
		next, _, _ := strings.Cut(path[i+1:], ".")
		if _, ok := memberOf(elem, next); ok {
			return path[:i], path[i+1:]
		}
	}
	// No member follows: let the first part be the key, so that what comes
	// after it is reported.
	key, rest, _ = strings.Cut(path, ".")
	return key, rest
}
