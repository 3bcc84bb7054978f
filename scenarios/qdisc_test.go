package scenarios

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseQdisc(t *testing.T) {
	for text, want := range map[string]string{
		"fq":                       "fq",
		"  pfifo   limit 100":      "pfifo limit 100",
		"bfifo limit 64K":          "bfifo limit 64K",
		"fq flow_limit 7 limit 99": "fq limit 99 flow_limit 7",
		"tbf burst 32768 rate 100000kbit/s limit 128K":                      "tbf rate 100Mbit/s burst 32K limit 128K",
		"tbf rate 1.5Gbit burst 1M limit 1M":                                "tbf rate 1.5Gbit/s burst 1M limit 1M",
		"netem delay 10ms 1500us loss 0.1% limit 5000":                      "netem delay 10ms jitter 1500us loss 0.1% limit 5000",
		"netem loss 0.001 delay 0.5s":                                       "netem delay 500ms loss 0.1%",
		"netem delay 5ms reorder 25% duplicate 1% corrupt 3e-5 rate 8bit/s": "netem delay 5ms duplicate 1% reorder 25% corrupt 0.003% rate 8bit/s",
		"netem":                     "netem",
		"default":                   "default",
		"netem delay 0ms loss 100%": "netem delay 0s loss 100%",
	} {
		q, err := ParseQdisc(text)
		if err != nil || q.String() != want {
			t.Errorf("%q is %q, %v; want %q", text, q, err, want)
		}
		if again, err := ParseQdisc(q.String()); err != nil || !cmp.Equal(q, again) {
			t.Errorf("%q reads back as %q, %v", q, again, err)
		}
	}
	for text, want := range map[string]string{
		"":                                  "no qdisc that netab sets",
		"htb":                               "no qdisc that netab sets",
		"fq limit":                          "fq: \"limit\" has no value",
		"fq limit 1 limit 2":                "limit is given twice",
		"fq pacing on":                      "no parameter \"pacing\" that netab sets; there are limit, flow_limit",
		"noqueue limit 1":                   "there are none",
		"pfifo limit 64K":                   "no number of packets",
		"tbf rate 1Mbit/s burst 1K":         "tbf needs limit",
		"tbf rate 0bit/s burst 1K limit 1K": "a rate of 0 lets nothing through",
		"tbf rate 1M burst 1K limit 1K":     "want bits per second",
		"netem delay 10":                    "has no unit",
		"netem delay 61s":                   "want 0ms to 60s",
		"netem delay -1ms":                  "want 0ms to 60s",
		"netem loss 101%":                   "want 0% to 100%",
		"netem jitter 1ms":                  "a jitter beyond the delay",
		"netem reorder 1%":                  "it needs one",
		"netem rate 100mbps":                "is not a rate",
		"netem rate 5bit/s":                 "want 8bit/s to",
	} {
		if q, err := ParseQdisc(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is %q, %v; want %q", text, q, err, want)
		}
	}
}

// TestNetemOfDevices: the parameters come to one qdisc, those of a side over those of
// both, and what waits for packets that netem holds back knows for how long.
func TestNetemOfDevices(t *testing.T) {
	arms := mustExpand(t, server(), `
topology: veth
knobs: {device: {both: {netem: {delay: 5ms, limit: 5000}}}}
matrix:
  knobs.device.source.netem.loss: [0%, 0.1%]
  queue: {path: ., levels: {netem: {}, fq: {knobs: {device: {sink: {qdisc: fq limit 10}}}}}}
`)
	var got []string
	for _, k := range arms[3].Knobs {
		got = append(got, k.Device+" "+k.Family+" = "+k.Value)
	}
	want := []string{"both qdisc = netem delay 5ms limit 5000", "source qdisc = netem delay 5ms loss 0.1% limit 5000", "sink qdisc = fq limit 10"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if k := arms[3].Config.Knobs; k.RoundTrip() < 10*time.Millisecond || !cmp.Equal(k.Qdiscs(), []string{"netem", "fq"}) {
		t.Errorf("%v, %v", k.RoundTrip(), k.Qdiscs())
	}
	for _, tt := range []struct{ src, want string }{
		{"knobs: {device: {sink: {qdisc: fq, netem: {loss: 1%}}}}", "both qdisc and netem are given"},
		{"knobs: {device: {sink: {netem: {jitter: 1ms}}}}", "a jitter beyond the delay"},
		{"knobs: {device: {sink: {netem: {delay: 10ms}}}}\nmeasure: {slice: 10ms, settle: 4ms}", "measure.settle: 4ms is shorter than the 10ms for which netem holds back"},
		{"knobs: {device: {sink: {netem: {rate: 100}}}}", "want bits per second"},
	} {
		s, err := Parse("x.yaml", []byte("topology: veth\n"+tt.src))
		if err == nil {
			_, err = Expand(s, server())
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v; want %q", tt.src, err, tt.want)
		}
	}
}
