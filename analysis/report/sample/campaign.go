package sample

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"netab/results"
	"netab/results/vocab"
)

// Kernels is a campaign of so many boots of each of two kernels, emulated. The second is
// slower by a third, gets more of it back from RPS, and panicked in one boot more, whose
// console says what a stranger may.
func Kernels(boots int) *results.Campaign {
	c := &results.Campaign{
		Header: results.CampaignHeader{ID: "20260314-092653-kernels-local-0007", Source: "builtin:kernels-local", Seed: 7, Started: worldStart,
			Command: []string{"netab", "run", "kernels-local", "--kernels", "apt:linux-image-6.1,apt:linux-image-6.12"},
			Kernels: []results.Kernel{
				{Ref: "apt:linux-image-6.1.0-47-cloud-amd64", Release: "6.1.0-47-cloud-amd64", Digest: "61", Cmdline: "console=ttyS0 quiet", Config: map[string]string{"CONFIG_HZ": "250"}},
				{Ref: "apt:linux-image-6.12.0-cloud-amd64", Release: "6.12.0-cloud-amd64", Digest: "612", Cmdline: "console=ttyS0 quiet", Config: map[string]string{"CONFIG_HZ": "1000", "CONFIG_PREEMPT_LAZY": "y"}},
			},
			Guest: &results.Guest{Accel: results.Emulated, QEMU: "7.2.19", MemoryMiB: 256, CPUs: 2, CPUModel: "max"}},
		End: &results.CampaignEnd{Type: "end", Reason: vocab.AllBooted},
	}
	w := TCPWorld()
	w.Design.Name, w.Design.Question = "kernels-local", "Which kernel is slower for local traffic, and does RPS give it back?"
	w.Design.Arms, w.effects, w.lottery = w.Design.Arms[:2], []float64{0, 0.07}, []bool{false, false}
	w.Trials, w.Blocks = 6, 5
	c.Header.Design = w.Design
	rng := rand.New(rand.NewPCG(7, 31))
	add := func(kernel int, end vocab.BootEnd) {
		n := len(c.Header.Planned)
		c.Header.Planned = append(c.Header.Planned, results.PlannedBoot{Number: n, Block: n / 2, Kernel: kernel, Seed: uint64(n)})
		b := results.Boot{Number: n, Attempt: 1, Kernel: kernel, End: end, Started: worldStart.Add(time.Duration(n) * time.Minute)}
		if end != vocab.Finished {
			b.Text, b.Console = "Kernel panic - not syncing: Fatal exception in interrupt", append(strings.Split(strings.Repeat("[    4.2] RIP: 0010:napi_consume_skb+0x1f/0x90\n", 10), "\n"),
				"[    4.3] \x1b[2J<script>alert(1)</script> \u202e end", "[    4.3] Kernel panic - not syncing: Fatal exception in interrupt")
			c.Boots = append(c.Boots, b)
			return
		}
		v := w
		v.Seed, v.Rate = uint64(100+n), 2.1e9*math.Exp(0.03*rng.NormFloat64())
		if kernel == 1 {
			v.Rate *= 0.7
			v.effects = []float64{0, 0.22}
		}
		b.Run = v.Run()
		h := &b.Run.Header
		h.ID, h.Machine.BootID, h.Machine.Kernel = results.BootID(c.Header.ID, n), fmt.Sprintf("boot-%d", n), c.Header.Kernels[kernel].Release
		h.Machine.Emulated, h.Machine.Hostname, h.Machine.CPUModel = results.Emulated, "(none)", "QEMU TCG CPU version 2.5+"
		h.Machine.KernelBuild = []string{"#1 SMP PREEMPT_DYNAMIC Debian 6.1.170-1", "#1 SMP PREEMPT_DYNAMIC Debian 6.12.117-1"}[kernel]
		c.Boots = append(c.Boots, b)
	}
	for i := range boots {
		add(i%2, vocab.Finished)
		add(1-i%2, vocab.Finished)
	}
	add(1, vocab.Panic)
	add(0, vocab.Finished)
	return c
}
