package knob

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netab/runner/host"
)

const testBoot = "12b151df-7abe-4306-994d-9abdd195746e"

func testOwner() Owner {
	return Owner{Run: "r1", PID: 4711, Start: 99, Version: "v1", BootID: testBoot, Began: time.Unix(1700000000, 0).UTC()}
}

func testOptions(h host.Host) Options {
	return Options{Here: Site{Boot: testBoot}, Host: func(place string) (host.Host, error) {
		if place != "" {
			return nil, fs.ErrNotExist
		}
		return h, nil
	}}
}

func openJournal(t testing.TB, dir string, o Options) *Journal {
	t.Helper()
	j, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func begin(t testing.TB, dir string, o Options) *Journal {
	t.Helper()
	j := openJournal(t, dir, o)
	if err := j.Begin(testOwner()); err != nil {
		t.Fatal(err)
	}
	return j
}

var (
	budget = Spec{Family: familySysctl, Name: "net/core/netdev_budget", Scope: Host}
	weight = Spec{Family: familySysctl, Name: "net/core/dev_weight", Scope: Host}
	rps1   = Spec{Family: familyRPSCPUs, Device: "eth1", Queue: "rx-1", Scope: Device}
	tso    = Spec{Family: familyOffload, Device: "eth1", Name: "tso", Scope: Device}
	sg     = Spec{Family: familyOffload, Device: "eth1", Name: "sg", Scope: Device}
)

func TestJournalRestoresAfterALostProcess(t *testing.T) {
	h, dir := nic(t), filepath.Join(t.TempDir(), "state")
	before := h.dump(t)
	j := begin(t, dir, testOptions(h))
	for _, c := range []struct {
		spec  Spec
		value string
	}{
		{budget, "600"}, {rps1, "0"}, {budget, "900"}, {weight, "32"}, {sg, "off"}, {tso, "off"},
		{Spec{Family: familyMTU, Device: "eth1", Scope: Device}, "9000"},
		{Spec{Family: familyThreaded, Device: "eth1", Scope: Device}, "on"},
		{Spec{Family: familyIRQ, Device: "eth1", Name: "41", Scope: Device}, "1"},
		{Spec{Family: familyGovernor, Name: "policy0", Scope: Host}, "performance"},
		{Spec{Family: familyChannels, Device: "eth1", Name: "combined", Scope: Device}, "1"},
	} {
		if _, err := j.Set(h, bind(t, c.spec), c.value); err != nil {
			t.Fatal(err)
		}
	}
	if cmp.Equal(before, h.dump(t)) {
		t.Fatal("nothing was changed")
	}

	later := openJournal(t, dir, testOptions(h))
	if err := later.Begin(testOwner()); !errors.Is(err, ErrPending) {
		t.Errorf("Begin over leftovers: %v, want ErrPending", err)
	}
	for _, r := range later.Restore(context.Background()) {
		if r.Err != nil {
			t.Error(r)
		}
		if strings.Contains(r.Note, "somebody else") {
			t.Errorf("%s: blames somebody else", r)
		}
	}
	if diff := cmp.Diff(before, h.dump(t)); diff != "" {
		t.Errorf("not as before (-before +after):\n%s", diff)
	}
	if _, err := os.Stat(later.Path()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("journal is still there: %v", err)
	}
	if err := later.Begin(testOwner()); err != nil {
		t.Error(err)
	}
}
