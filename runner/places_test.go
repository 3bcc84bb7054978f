package runner

import (
	"slices"
	"strings"
	"testing"
	"time"

	"netab/results"
	"netab/runner/place"
	"netab/test/need"
)

// A twin is this machine under another name, with a clock that is ahead: what another
// place would be, as far as the runner sees.
type twin struct{ *place.Local }

func (twin) Name() string { return "twin" }
func (twin) Clock() place.Clock {
	return place.Clock{Offset: 3 * time.Millisecond, Bound: time.Microsecond}
}

// TestRunAtAnotherPlace: a run whose sides are elsewhere says where, and measures by
// the clock there.
func TestRunAtAnotherPlace(t *testing.T) {
	need.Root(t)
	at := twin{place.NewLocal()}
	defer at.Close(t.Context())
	o, run := measured(t, "arms: {a: {}, b: {traffic: {message: 1000}}}", 1, func(o *Options) { o.Places = place.Both(at) })
	trial := onTime(run.Trials)[0]
	stored, err := results.ReadFile(o.Store + "/test/run.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if trial.Host.Place != "twin" || len(trial.Host.CPUs) == 0 || stored.Header.Machine.Place != "twin" || stored.Header.Machine.Kernel == "" || len(stored.Header.Others) > 0 {
		t.Errorf("the record does not say where: %+v, %+v", trial.Host, stored.Header.Machine)
	}
	if !slices.ContainsFunc(trial.Warnings, func(w results.Warning) bool { return w.Code == "no-canaries" }) {
		t.Errorf("canaries of another place's CPUs: %+v", trial.Warnings)
	}
	var received int64 // one slice may have nothing on a busy machine
	for _, s := range trial.Slices {
		received += s.RxBytes
	}
	if received == 0 {
		t.Errorf("nothing was received in %+v", trial.Slices)
	}
}

// TestPathsAcrossPlaces: what cannot lie across two machines is said before anything
// is built, and so is what could not be put back.
func TestPathsAcrossPlaces(t *testing.T) {
	need.Root(t)
	here := place.NewLocal()
	defer here.Close(t.Context())
	there := twin{here}
	for text, want := range map[string]string{
		"topology: veth": "topology veth lies in one machine, and its sides are to be on this machine and on twin",
		"topology: {kind: nic, source_device: a0, sink_device: a1}": "topology nic moves devices of this machine",
	} {
		_, err := discover(t.Context(), armsOf(t, text), place.Pair{Source: here, Sink: there})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	_, err := discover(t.Context(), armsOf(t, "knobs: {sysctl: {net.core.netdev_budget: 301}}"), place.Both(there))
	if err == nil || !strings.Contains(err.Error(), "could not be put back") {
		t.Errorf("a setting of another machine: %v", err)
	}
}
