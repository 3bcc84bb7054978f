package traffic

import (
	"reflect"
	"testing"

	"netab/results"
	"netab/results/vocab"
)

// TestCountsReachTheRecord: a counter that a sum or the record leaves out would be
// silently small.
func TestCountsReachTheRecord(t *testing.T) {
	of := reflect.TypeFor[Counts]()
	for i := range of.NumField() {
		name := of.Field(i).Name
		var one Counts
		reflect.ValueOf(&one).Elem().Field(i).SetInt(3)
		if two := one.Plus(one); reflect.ValueOf(two).Field(i).Int() != 6 || between(sample{Counts: one}, sample{Counts: two}) != one {
			t.Errorf("%s: 3 and 3 are %+v", name, two)
		}
		reached := false
		for _, w := range []*worker{{config: &Config{}}, {config: &Config{}, sink: true}} {
			counts, switches := one.of(w)
			reached = reached || counts != results.Counts{} || switches != results.Switches{}
		}
		if !reached {
			t.Errorf("%s is in no record", name)
		}
	}
}

// TestTransactionsAreCounted: a source of rr counts responses, and sent a request
// for each.
func TestTransactionsAreCounted(t *testing.T) {
	w := &worker{config: &Config{Kind: vocab.RR, Message: 100}}
	got, _ := Counts{Bytes: 7, Msgs: 3}.of(w)
	if want := (results.Counts{TxBytes: 300, TxMsgs: 3, Transactions: 3}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
