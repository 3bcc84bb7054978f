package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"netab/results"
	"netab/scenarios"
)

// TestInit: what is written is a scenario on every kind of machine, and of this one
// only what holds there.
func TestInit(t *testing.T) {
	for _, tt := range []struct {
		name       string
		machine    results.Machine
		privileged bool
		arms       int
		want, not  string
	}{
		{"root", results.Machine{CPUs: 2, CPUsOnline: "0-1", CPUModel: "X", Kernel: "6.1", Virtualization: "kvm"}, true, 3, "virtual machine (kvm)", "needs root"},
		{"hardware", results.Machine{CPUs: 2, Virtualization: "none"}, true, 3, "of an unknown model", "sessions"},
		{"ordinary user", results.Machine{CPUs: 2, Virtualization: "none"}, false, 2, "# needs root", "  rps: {knobs"},
		{"one CPU", results.Machine{CPUs: 4, CPUsAllowed: "3", Virtualization: "none"}, true, 2, "placement: same", "placement: distinct"},
		{"bbr", results.Machine{CPUs: 2, Virtualization: "none", Sysctls: map[string]string{"net.ipv4.tcp_congestion_control": "bbr"}}, true, 3, "  # congestion: bbr", "virtual"},
		{"a hostile model", results.Machine{CPUs: 2, CPUModel: "X\narms: {evil: }\x1b[2J", Virtualization: "none"}, true, 3, "X arms: {evil: }", "\x1b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := newFirst(tt.machine, tt.privileged)
			if err != nil {
				t.Fatal(err)
			}
			text, err := f.text("dir/nightly.yaml")
			if err != nil {
				t.Fatal(err)
			}
			s, err := scenarios.Parse("nightly.yaml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if len(s.Arms) != tt.arms || s.Name != "nightly" || s.Gate["goodput"] == 0 {
				t.Errorf("%d arms, name %s, gate %v", len(s.Arms), s.Name, s.Gate)
			}
			// What is in comments to be taken is a scenario's, too.
			whole := regexp.MustCompile(`(?m)^( *)# ((?:rate|congestion|sessions|spread|rps|knobs|  sysctl): ?.*)$`).ReplaceAllString(text, "$1$2")
			if _, err := scenarios.Parse("nightly.yaml", []byte(whole)); err != nil || strings.Count(whole, "\n# ") == strings.Count(text, "\n# ") {
				t.Errorf("with what is in comments: %v\n%s", err, whole)
			}
			nic := regexp.MustCompile(`(?m)^#   (topology: .*nic.*)$`).FindStringSubmatch(text)
			if _, err := scenarios.Parse("nightly.yaml", []byte(strings.Replace(text, "topology: veth", nic[1], 1))); err != nil {
				t.Errorf("with two NICs: %v", err)
			}
			if !strings.Contains(text, tt.want) || strings.Contains(text, tt.not) {
				t.Errorf("want %q and not %q in\n%s", tt.want, tt.not, text)
			}
		})
	}
}

// TestInitKeeps: a file that is there is somebody's work, whatever it is.
func TestInitKeeps(t *testing.T) {
	dir := t.TempDir()
	if code, out, stderr := netab("init", dir+"/new/a.yaml"); code != exitFine || !strings.Contains(out, "next: netab run ") {
		t.Fatalf("status %d: %s%s", code, out, stderr)
	}
	if code, out, stderr := netab("validate", dir+"/new/a.yaml"); code != exitFine {
		t.Errorf("status %d: %s%s", code, out, stderr)
	}
	if err := os.WriteFile(dir+"/mine.yaml", []byte("mine\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"link.yaml": "mine.yaml", "dangling.yaml": "nothing"} {
		if err := os.Symlink(to, dir+"/"+link); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"", "/", "/no/"} {
		if code, _, stderr := netab("init", dir+name); code != exitUsage || !strings.Contains(stderr, "is a directory: name a file in it") {
			t.Errorf("%s: status %d: %s", name, code, stderr)
		}
	}
	for _, name := range []string{"mine.yaml", "link.yaml", "dangling.yaml"} {
		if code, _, stderr := netab("init", dir+"/"+name); code != exitUsage || !strings.Contains(stderr, name+" is there already") {
			t.Errorf("%s: status %d: %s", name, code, stderr)
		}
	}
	if text, err := os.ReadFile(dir + "/mine.yaml"); err != nil || string(text) != "mine\n" {
		t.Errorf("%v: %q", err, text)
	}
	if _, err := os.Lstat(dir + "/nothing"); err == nil {
		t.Error("it was written through a link")
	}
	if code, _, stderr := netab("init", dir+"/scenario"); code != exitUsage || !strings.Contains(stderr, "name it "+dir+"/scenario.yaml") {
		t.Errorf("status %d: %s", code, stderr)
	}
}
