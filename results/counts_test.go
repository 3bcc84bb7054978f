package results

import (
	"reflect"
	"testing"
)

// eachField calls f with a T in which one field is set, for each of them.
func eachField[T any](t *testing.T, f func(name string, one T)) {
	t.Helper()
	of := reflect.TypeFor[T]()
	for i := range of.NumField() {
		if k := of.Field(i).Type.Kind(); k != reflect.Int64 {
			t.Fatalf("%s.%s is a %v: sums are of int64", of.Name(), of.Field(i).Name, k)
		}
		var one T
		reflect.ValueOf(&one).Elem().Field(i).SetInt(int64(i) + 3)
		f(of.Field(i).Name, one)
	}
}

// TestCountsAddUp: a counter that a sum leaves out would be silently small.
func TestCountsAddUp(t *testing.T) {
	eachField(t, func(name string, one Counts) {
		two, field := one.Plus(one), reflect.ValueOf(one).FieldByName(name).Int()
		if got := reflect.ValueOf(two).FieldByName(name).Int(); got != 2*field {
			t.Errorf("%s: twice %d is %d", name, field, got)
		}
		reflect.ValueOf(&two).Elem().FieldByName(name).SetInt(0)
		if two != (Counts{}) {
			t.Errorf("%s alone was set, and the sum has %+v beside it", name, two)
		}
	})
	eachField(t, func(name string, one Switches) {
		if two := one.Plus(one); reflect.ValueOf(two).FieldByName(name).Int() != 2*reflect.ValueOf(one).FieldByName(name).Int() {
			t.Errorf("%s: %+v twice is %+v", name, one, two)
		}
	})
}
