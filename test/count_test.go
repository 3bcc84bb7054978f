package test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"netab/test/guests"
)

// TestGuestCount: a count with functions, of a boot of the binary itself.
func TestGuestCount(t *testing.T) {
	folder, _ := guests.Find(t)
	p := newPlace(t)
	p.write(t, "udp.yaml", "name: udp\nquestion: What does a datagram cost?\ntopology: loopback\ntraffic: {protocol: udp, message: 64}\narms: {plain: {}}\n")
	o := p.netab(t, "count", "./udp.yaml", "--kernels", folder, "--seeds", "1", "--messages", "400", "--json", "--store", p.store())
	if o.status != 0 {
		t.Fatal(o)
	}
	out := o.stdout
	var s struct {
		Schema, Unit string
		Arms         []struct {
			Mean   float64
			Boots  []struct{ Instructions float64 }
			ByRole struct{ Source, Sink, Elsewhere float64 } `json:"by_role"`
		}
	}
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatal(err)
	}
	if s.Schema != "netab/count/1" || s.Unit != "message" || len(s.Arms) != 1 || len(s.Arms[0].Boots) != 1 || s.Arms[0].Mean < 2000 || s.Arms[0].Mean > 100_000 {
		t.Errorf("%s", out)
	}
	records, err := filepath.Glob(filepath.Join(p.store(), ".counts", "*.json"))
	if err != nil || len(records) != 1 {
		t.Fatalf("%q, %v", records, err)
	}
	var r struct {
		Boots []struct {
			Functions []struct {
				Role, Context, Function string
				N                       int64
			}
		} `json:"count_boots"`
	}
	data, err := os.ReadFile(records[0])
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int64{}
	for _, f := range r.Boots[0].Functions {
		seen[f.Role+" "+f.Context+" "+f.Function] = f.N
	}
	// Names that every kernel since 5.10 has.
	for _, want := range []string{"source task udp_sendmsg", "source softirq __udp4_lib_rcv", "sink task udp_recvmsg"} {
		if seen[want] < 400 {
			t.Errorf("%s: %d instructions of 400 messages", want, seen[want])
		}
	}
}
