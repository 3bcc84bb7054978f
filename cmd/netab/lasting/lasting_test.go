package lasting

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netab/analysis"
	"netab/results"
)

func runWith(knobs ...results.Setting) *results.Run {
	arm := results.Arm{Name: "b"}
	for _, k := range knobs {
		if name, ok := strings.CutPrefix(k.Knob, "sysctl "); ok && !strings.Contains(name, "slow_start") {
			arm.Knobs = append(arm.Knobs, "sysctl "+strings.ReplaceAll(name, ".", "/")+" = "+k.Asked)
		}
	}
	run := &results.Run{Header: results.Header{ID: "20260101-000000-x", Design: results.Design{Name: "x", Arms: []results.Arm{{Name: "a"}, arm}}, Started: time.Unix(0, 0),
		Machine: results.Machine{Kernel: "6.1", CPUModel: "CPU\n; rm -rf /"}}}
	run.Trials = []results.Trial{{Arms: []results.ArmTrial{{Arm: 1, Knobs: knobs}}}}
	return run
}

func took(knob, scope, before, after string) results.Setting {
	return results.Setting{Knob: knob, Scope: scope, Before: before, Asked: after, After: after, ReadBack: results.AsAsked}
}

func textOf(t *testing.T, format string, devices map[string]string, knobs ...results.Setting) (string, error) {
	t.Helper()
	run := runWith(knobs...)
	s := analysis.Summary{Confidence: 0.95, Trials: 9, Comparisons: []analysis.Comparison{{Arm: "b", Baseline: "a", Metric: "goodput", Change: 0.05, Lo: 0.04, Hi: 0.06, Judged: true, Verdict: analysis.Improvement}}}
	f := File{Format: format, Evidence: Evidence(run, &s, 1), Of: run.Header.ID + "-b/../c"}
	f.Settings, f.Left = Of(run, 1, devices)
	return f.Text()
}

func TestFormats(t *testing.T) {
	knobs := []results.Setting{
		took("sysctl net.ipv4.tcp_slow_start_after_idle", "netns", "1", "0"), // netab's own
		took("sysctl net.ipv4.tcp_rmem", "netns", "4096 131072 6291456", "4096 131072 4194304"),
		took("lo rx-0 rps_cpus", "netns", "none", "1,3"),
		took("eth0 offload gro", "device", "on", "off"),
		took("eth0 mtu", "device", "1500", "9000"),
		took("eth0 threaded", "device", "off", "on"),
		took("eth0 channels combined", "device", "8", "4"),
		took("governor of all CPUs", "host", "powersave", "performance"),
	}
	for format, want := range map[string][]string{
		"sysctl.d": {"net.ipv4.tcp_rmem = 4096 131072 4194304\n", "# before: net.ipv4.tcp_rmem = 4096 131072 6291456\n", "# not written: eth0 mtu is no sysctl", "# Against a: goodput +5.0 % (+4.0 to +6.0 %), improvement; 95 % confidence, 9 trials.\n"},
		"udev":     {`KERNEL=="lo", ATTR{queues/rx-0/rps_cpus}="a"` + "\n# before: 0\n", `KERNEL=="eth0", RUN+="/usr/sbin/ethtool -K eth0 gro off"`, `ATTR{mtu}="9000"`, `ATTR{threaded}="1"`, `/usr/sbin/ethtool -L eth0 combined 4`, "# not written: governor of all CPUs: "},
		"script":   {"\tput /proc/sys/net/ipv4/tcp_rmem '4096 131072 4194304'\n", "\tput /sys/class/net/lo/queues/rx-0/rps_cpus a\n", "\tethtool -K eth0 gro off\n", "\tback /sys/class/net/lo/queues/rx-0/rps_cpus || failed=1\n", "\tethtool -L eth0 combined 8 || failed=1\n", "kept=/run/netab-20260101-000000-x-b_c\n"},
	} {
		text, err := textOf(t, format, nil, knobs...)
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s lacks %q:\n%s", format, w, text)
			}
		}
		if strings.Contains(text, "slow_start") || strings.Contains(text, "\n; rm") {
			t.Errorf("%s:\n%s", format, text)
		}
		if format == "script" {
			cmd := exec.Command("sh", "-n")
			cmd.Stdin = strings.NewReader(text)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s\n%s", err, out, text)
			}
		}
	}
	if text, err := textOf(t, "udev", map[string]string{"lo": "eth1"}, knobs...); err != nil || !strings.Contains(text, `KERNEL=="eth1", ATTR{queues/rx-0/rps_cpus}="a"`) {
		t.Errorf("--device: %v\n%s", err, text)
	}
}

// TestScript: what stood there comes back, whatever the record says of before, and however
// often it was set.
func TestScript(t *testing.T) {
	text, err := textOf(t, "script", nil, took("sysctl net.ipv4.tcp_rmem", "netns", "1 2 3", "4096 131072 4194304"), took("lo rx-0 rps_cpus", "netns", "none", "1,3"))
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	files := map[string][2]string{"/proc/sys/net/ipv4/tcp_rmem": {"4\t5\t6\n", "4096 131072 4194304\n"}, "/sys/class/net/lo/queues/rx-0/rps_cpus": {"3\n", "a\n"}}
	for file, values := range files {
		if err := os.MkdirAll(root+filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(root+file, []byte(values[0]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text = strings.NewReplacer("/proc/", root+"/proc/", "/sys/class", root+"/sys/class", "=/run/", "="+root+"/run/").Replace(text)
	for _, step := range []struct {
		args []string
		want int // of each file's values
		says string
	}{{nil, 1, ""}, {[]string{"apply"}, 1, ""}, {[]string{"undo"}, 0, ""}, {[]string{"undo"}, 0, "rps_cpus is as it was: this script has not set it since the last boot"}} {
		out, err := exec.Command("sh", append([]string{"-c", text, "sh"}, step.args...)...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), step.says) || step.says == "" && len(out) > 0 {
			t.Errorf("%v: %v\n%s", step.args, err, out)
		}
		for file, values := range files {
			if got, err := os.ReadFile(root + file); err != nil || string(got) != values[step.want] {
				t.Errorf("%v: %s is %q, want %q (%v)", step.args, file, got, values[step.want], err)
			}
		}
	}
	if left, _ := filepath.Glob(root + "/run/*"); len(left) > 0 {
		t.Errorf("%q is left", left)
	}
	// A device that has gone meanwhile keeps nothing else from coming back, and what cannot be
	// read is not set.
	sh := func(args ...string) error {
		return exec.Command("sh", append([]string{"-c", text, "sh"}, args...)...).Run()
	}
	const steering, memory = "/sys/class/net/lo/queues/rx-0/rps_cpus", "/proc/sys/net/ipv4/tcp_rmem"
	if err := sh("apply"); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(root + filepath.Dir(steering)); err != nil {
		t.Fatal(err)
	}
	err = sh("undo")
	if got, _ := os.ReadFile(root + memory); err == nil || string(got) != files[memory][0] {
		t.Errorf("without the device: %v, %q", err, got)
	}
	if err := os.Remove(root + memory); err != nil {
		t.Fatal(err)
	}
	if err := sh("apply"); err == nil {
		t.Error("what is not there is set")
	}
	if _, err := os.Stat(root + memory); err == nil {
		t.Error("what could not be read is set")
	}
}

// TestLeftOut: what is not to be relied on, or may do harm, is told and not written.
func TestLeftOut(t *testing.T) {
	different := took("sysctl net.core.rmem_max", "host", "1", "2")
	different.ReadBack = results.Different
	older := took("lo rx-0 rps_cpus", "netns", "", "2")
	older.ReadBack = ""
	for _, tt := range []struct {
		knob results.Setting
		want string
	}{
		{different, "not always what was asked for"},
		{older, "an older netab recorded it"},
		{took("sysctl kernel.core_pattern", "host", "core", "|/tmp/x"), "its value is no plain one"},
		{took("sysctl kernel.core_pattern", "host", "core", "x"), "none of those that a scenario may set unasked"},
		{took("sysctl ../../etc/passwd", "host", "x", "x"), "is not the name of a sysctl"},
		{took("sysctl net.core.rmem_max", "host", "1", "2; reboot"), "its value is no plain one"},
		{took("sysctl net.core.rmem_max", "host", "1", "$(reboot)"), "its value is no plain one"},
		{took("nv-source mtu", "netns", "1500", "9000"), "--device nv-source=DEVICE"},
		{took(`lo"; mtu`, "device", "1500", "9000"), "no plain name"},
		{took("eth0 offload x;y", "device", "on", "off"), "no lasting form"},
		{took("eth0", "device", "on", "off"), "no lasting form"},
		{took("eth0 rx-0", "device", "on", "off"), "no lasting form"},
	} {
		for _, format := range Formats() {
			text, err := textOf(t, format, nil, tt.knob)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s %s: %v, want %q\n%s", tt.knob.Knob, format, err, tt.want, text)
			}
		}
	}
	if _, err := textOf(t, "ini", nil, took("eth0 mtu", "device", "1500", "9000")); err == nil {
		t.Error("a format that does not exist")
	}
}
