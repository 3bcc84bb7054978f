package test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netab/test/guests"
	"netab/test/need"
)

const countedScenario = "name: udp\nquestion: What does a datagram cost?\ntopology: loopback\ntraffic: {protocol: udp, message: 64}\narms: {plain: {}}\n"

// TestGuestCount: a count with functions, of a boot of the binary itself; and another boot
// beside it, of which nothing is logged, gives the same number.
func TestGuestCount(t *testing.T) {
	folder, _ := guests.Find(t)
	p := newPlace(t)
	p.write(t, "udp.yaml", countedScenario)
	counted(t, p, p.start(t, "count", "./udp.yaml", "--kernels", folder, "--seeds", "1", "--repeats", "2", "--messages", "400", "--json", "--store", p.store()).waitFor(t, 10*patience))
}

// TestGuestCountARM: likewise in guests of arm64, with Debian's kernel for that, by a
// netab for it.
func TestGuestCountARM(t *testing.T) {
	longBoots(t)
	need.Program(t, "qemu-system-aarch64")
	need.Program(t, "apt-get")
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	p := newPlace(t)
	p.write(t, "udp.yaml", countedScenario)
	count := func() outcome {
		return p.start(t, "count", "./udp.yaml", "--arch", "arm64", "--kernels", "apt:linux-image-cloud-arm64", "--seeds", "1", "--repeats", "2", "--messages", "400", "--json", "--store", p.store()).waitFor(t, 5*time.Minute)
	}
	if o := count(); o.status == 0 || !strings.Contains(o.stderr, "there is no netab-arm64 beside ") || strings.Count(o.stderr, "\n") != 1 {
		t.Errorf("without a netab for it: %s", o)
	}
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(bin, "netab-arm64"), "netab/cmd/netab")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH=arm64")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("XDG_CACHE_HOME", filepath.Join(cache, "netab-tests")) // the kernel is fetched once
	counted(t, p, count())
}

// counted looks at what a count of 400 datagrams came to, in two boots of one seed.
func counted(t *testing.T, p place, o outcome) {
	t.Helper()
	if o.status != 0 {
		t.Fatal(o)
	}
	out := o.stdout
	var s struct {
		Schema, Unit string
		Arms         []struct {
			Mean    float64
			Boots   []struct{ Instructions float64 }
			Repeats struct{ Seeds, Identical int }
			ByRole  struct{ Source, Sink, Elsewhere float64 } `json:"by_role"`
		}
	}
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatal(err)
	}
	if s.Schema != "netab/count/1" || s.Unit != "message" || len(s.Arms) != 1 || len(s.Arms[0].Boots) != 2 || s.Arms[0].Mean < 2000 || s.Arms[0].Mean > 100_000 {
		t.Fatalf("%s", out)
	}
	if r := s.Arms[0].Repeats; r.Seeds != 1 || r.Identical != 1 {
		t.Errorf("one seed gave %v", s.Arms[0].Boots)
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
