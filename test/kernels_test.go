package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netab/results"
	"netab/test/guests"
	"netab/test/need"
)

// TestKernels: kernels of every kind boot and measure, by every name that a kernel may
// have: of three releases, for cloud machines and for all, packages of both kinds, a
// vmlinux, a build tree.
func TestKernels(t *testing.T) {
	longBoots(t)
	cloud, image := guests.Find(t)
	full, _ := guests.FindFull(t)
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	cache = filepath.Join(cache, "netab-tests")
	release := strings.TrimPrefix(filepath.Base(image), "vmlinuz-")
	for _, tt := range []struct {
		name   string
		kernel func(*testing.T, place) []string // its name, and more arguments
		starts string                           // its release
	}{
		{"5.10 cloud", debian("bullseye", "linux-image-cloud-amd64"), "5.10."},
		{"5.10", debian("bullseye", "linux-image-amd64"), "5.10."},
		{"6.1 cloud", named(cloud), "6.1."},
		{"6.1", named(full), "6.1."},
		{"6.12 cloud", named("apt:linux-image-6.12-cloud-amd64"), "6.12."},
		{"6.12", named("apt:linux-image-6.12-amd64"), "6.12."},
		{"the newest, in parts", debian("sid", "linux-image-cloud-amd64"), ""},
		{"rpm", func(t *testing.T, p place) []string { return []string{rpmOf(t, p, cloud, release)} }, release},
		{"built here", func(t *testing.T, _ place) []string { return []string{builtHere(t, cache)} }, "6.1."},
		{"vmlinux", func(t *testing.T, _ place) []string { return []string{builtHere(t, cache) + "/vmlinux"} }, "6.1."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlace(t)
			t.Setenv("XDG_CACHE_HOME", cache) // a kernel is fetched once
			of := tt.kernel(t, p)
			o := p.start(t, append([]string{"run", "veth-rps", "--store", "store", "--boots", "1", "--max-time", "8s", "--kernels"}, of...)...).waitFor(t, 5*time.Minute)
			if o.status != 0 {
				t.Fatal(o)
			}
			c := onlyCampaign(t, p)
			if len(c.Runs()) != 1 {
				t.Fatalf("%+v\n%s", c.Boots, o)
			}
			run, k := c.Runs()[0], c.Header.Kernels[0]
			valid, received := 0, int64(0)
			for i := range run.Trials {
				if run.Trials[i].Invalid != "" {
					continue
				}
				valid++
				for _, s := range run.Trials[i].Slices {
					received += s.RxBytes
				}
			}
			m := &run.Header.Machine
			if !strings.HasPrefix(m.Kernel, tt.starts) || k.Release != m.Kernel || k.Digest == "" || valid == 0 || received == 0 || m.Emulated != results.Emulated && c.Header.Guest.Accel == results.Emulated {
				t.Errorf("%s booted %s (%+v): %d valid trials, %d bytes", of[0], m.Kernel, k, valid, received)
			}
			b := c.Boots[0]
			t.Logf("%s, %s: %d trials, boot over after %v", k.Release, m.KernelBuild, valid, b.Ended.Sub(b.Started).Round(100*time.Millisecond))
		})
	}
}

// TestGuestFourCPUs: RPS spreads what a veth pair receives over the CPUs of a guest that
// has four of them, and does not without.
func TestGuestFourCPUs(t *testing.T) {
	longBoots(t)
	cloud, _ := guests.Find(t)
	p := newPlace(t)
	o := p.start(t, "run", "veth-rps", "--store", "store", "--boots", "1", "--max-time", "10s", "--set", "guest.cpus=4", "--kernels", cloud).waitFor(t, 5*time.Minute)
	c := onlyCampaign(t, p)
	if o.status != 0 || len(c.Runs()) != 1 {
		t.Fatal(o)
	}
	run := c.Runs()[0]
	steered := make([]map[int]int64, len(run.Header.Design.Arms)) // packets, by CPU
	for i := range run.Trials {
		for _, a := range run.Trials[i].Arms {
			if run.Trials[i].Invalid != "" || a.Counters == nil {
				continue
			}
			if steered[a.Arm] == nil {
				steered[a.Arm] = map[int]int64{}
			}
			for _, cpu := range a.Counters.CPUs {
				steered[a.Arm][cpu.CPU] += cpu.ReceivedRPS
			}
		}
	}
	busy := func(arm int) (n int) {
		for _, packets := range steered[arm] {
			if packets > 10 { // one or two are another arm's, which came late
				n++
			}
		}
		return n
	}
	t.Logf("steered: %v", steered)
	// Not every arm's slices are counted in each trial.
	if run.Header.Machine.CPUs != 4 || busy(0) != 0 || busy(1)+busy(2) == 0 {
		t.Errorf("%d CPUs; steered, of arms off, sink, all: %v", run.Header.Machine.CPUs, steered)
	}
}

func named(args ...string) func(*testing.T, place) []string {
	return func(*testing.T, place) []string { return args }
}

// debian is a package of another release of Debian, of the mirror that this machine's apt
// has.
func debian(suite, name string) func(*testing.T, place) []string {
	return func(t *testing.T, p place) []string {
		t.Helper()
		out, err := exec.Command(need.Program(t, "apt-get"), "indextargets", "--format", "$(REPO_URI) $(COMPONENT) $(ORIGIN)", "Created-By: Packages").Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			if mirror, rest, _ := strings.Cut(strings.TrimSpace(line), " "); rest == "main Debian" {
				p.write(t, "debian.list", fmt.Sprintf("deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n", mirror, suite))
				return []string{"apt:" + name, "--apt-config", "debian.list"}
			}
		}
		need.Missing(t, "a mirror of Debian's", "apt-get update, on Debian")
		return nil
	}
}

// builtHere is the build tree that bench/kernel.sh leaves.
func builtHere(t *testing.T, cache string) string {
	t.Helper()
	out, err := exec.Command("../bench/kernel.sh", filepath.Join(cache, "kernel-own")).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// rpmOf makes an .rpm of an unpacked kernel, by rpm's own program.
func rpmOf(t *testing.T, p place, folder, release string) string {
	t.Helper()
	p.write(t, "kernel.spec", fmt.Sprintf(`Name: kernel-netab
Version: 1
Release: 1
Summary: a kernel
License: GPLv2
AutoReqProv: no
%%global __os_install_post %%{nil}
%%global debug_package %%{nil}
%%global _build_id_links none
%%define _binary_payload w3.gzdio
%%description
A kernel for a test.
%%install
mkdir -p %%{buildroot}/lib/modules/%[2]s/kernel %%{buildroot}/boot
cp %[1]s/boot/vmlinuz-%[2]s %%{buildroot}/lib/modules/%[2]s/vmlinuz
cp %[1]s/boot/config-%[2]s %%{buildroot}/lib/modules/%[2]s/config
cp %[1]s/lib/modules/%[2]s/modules.* %%{buildroot}/lib/modules/%[2]s/
cd %[1]s/lib/modules/%[2]s && cp --parents -r kernel/net kernel/drivers/net kernel/drivers/virtio kernel/drivers/char %%{buildroot}/lib/modules/%[2]s/
%%files
/lib/modules/%[2]s
`, folder, release))
	cmd := exec.Command(need.Program(t, "rpmbuild"), "-bb", "--quiet", "--define", "_topdir "+filepath.Join(p.dir, "rpm"), "--target", "x86_64", filepath.Join(p.dir, "kernel.spec"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	made, err := filepath.Glob(filepath.Join(p.dir, "rpm", "RPMS", "x86_64", "*.rpm"))
	if err != nil || len(made) != 1 {
		t.Fatalf("%v, %v", made, err)
	}
	return made[0]
}
