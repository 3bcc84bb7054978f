package results

import (
	"reflect"
	"testing"
)

// TestHostDeltaAdds sets every number of what a machine did to one, and adds it to
// itself: a field that is left out of the sum stays one.
func TestHostDeltaAdds(t *testing.T) {
	once := func() HostDelta {
		var d HostDelta
		each(reflect.ValueOf(&d).Elem(), "", func(_ string, n reflect.Value) { n.SetInt(1) })
		d.CPUs[0].CPU = 0
		return d
	}
	var sum HostDelta
	for range 2 {
		sum.Add(once())
	}
	if len(sum.CPUs) != 1 || len(sum.ForeignTop) != 1 {
		t.Fatalf("%+v", sum)
	}
	each(reflect.ValueOf(&sum).Elem(), "", func(path string, n reflect.Value) {
		if path != ".CPUs.CPU" && n.Int() != 2 {
			t.Errorf("%s comes to %d, want 2", path, n.Int())
		}
	})
}

// each calls f with every integer below v. What is empty gets an element.
func each(v reflect.Value, path string, f func(string, reflect.Value)) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			each(v.Field(i), path+"."+v.Type().Field(i).Name, f)
		}
	case reflect.Slice:
		if v.Len() == 0 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		for i := range v.Len() {
			each(v.Index(i), path, f)
		}
	case reflect.Map:
		if v.Len() == 0 {
			v.Set(reflect.MakeMap(v.Type()))
			v.SetMapIndex(reflect.ValueOf("x"), reflect.ValueOf(int64(0)))
		}
		for _, key := range v.MapKeys() {
			n := reflect.New(v.Type().Elem()).Elem()
			n.Set(v.MapIndex(key))
			f(path, n)
			v.SetMapIndex(key, n)
		}
	case reflect.Int, reflect.Int64:
		f(path, v)
	}
}
