package results

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"netab/results/vocab"
)

// SchemaCampaign names the format of a campaign's record.
const SchemaCampaign = "netab/campaign/1"

// CampaignFile is the name of the record in a campaign's directory, which has it in
// place of a run file.
const CampaignFile = "campaign.jsonl"

// bootsDir holds the boots' runs, in the campaign's directory.
const bootsDir = "boots"

// A Campaign is boots of several kernels in turns, each of which measured a run. Its
// record says what was planned and how each boot ended; the boots' runs are run files
// like any other, beside it. So it is judged from what is there, whenever it ended,
// and goes on from there too.
type Campaign struct {
	Dir    string
	Header CampaignHeader
	Boots  []Boot       // in the order of their lines: a boot that was tried again has several
	End    *CampaignEnd // the last; nil = it was cut off, or goes on
	// More are boots that were added to the plan later; Header.Planned has them too.
	More []MoreBoots
	// ReadWarnings are what reading found, not stored.
	ReadWarnings []Warning
	// Foreign lines are of types that this version does not know; Trials counts the
	// boots before each.
	Foreign []ForeignLine
}

// A CampaignHeader is the first line.
type CampaignHeader struct {
	Type     string          `json:"type"` // "campaign"
	Schema   string          `json:"schema"`
	ID       string          `json:"id"`
	Scenario json.RawMessage `json:"scenario"` // as parsed, overrides applied
	Source   string          `json:"source"`
	Design   Design          `json:"design"`  // of the runs, but for what the kernels' own arms add
	Kernels  []Kernel        `json:"kernels"` // the first is what the others are compared with
	Planned  []PlannedBoot   `json:"boots"`
	Seed     uint64          `json:"seed"`
	Netab    Build           `json:"netab"`
	Command  []string        `json:"command"`
	Started  time.Time       `json:"started"`
	// Host is the machine that netab ran on.
	Host *Machine `json:"host,omitempty"`
	// Guest is the machine that the kernels were booted on; nil = real machines, which
	// each run describes.
	Guest    *Guest    `json:"guest,omitempty"`
	Warnings []Warning `json:"warnings,omitempty"`

	Unknown Unknown `json:"-"`
}

// A Kernel is one that a campaign boots.
type Kernel struct {
	Ref     string `json:"ref"` // as it was asked for
	Release string `json:"release"`
	Build   string `json:"build,omitempty"` // version string of uname
	Arch    string `json:"arch,omitempty"`
	Digest  string `json:"digest,omitempty"` // SHA-256 of the image
	Cmdline string `json:"cmdline,omitempty"`
	// Config are options of its configuration that differ between the kernels, by
	// name; "" = not set (OptionsApart). nil = its configuration is not known.
	Config map[string]string `json:"config,omitempty"`
}

// A Guest is the virtual machine of a campaign.
type Guest struct {
	Accel     string `json:"accel"` // "kvm", or "tcg", which is no hardware
	QEMU      string `json:"qemu,omitempty"`
	MemoryMiB int    `json:"memory_mib,omitempty"`
	CPUs      int    `json:"guest_cpus,omitempty"`
	CPUModel  string `json:"cpu_model,omitempty"`
	// TurnMS: guests may be up at once, and then execute in turns of so many milliseconds;
	// 0 = one after the other. Boot.Together says which did.
	TurnMS int `json:"turn_ms,omitempty"`
}

// Emulated is the Guest's Accel where its CPUs are computed by a program: what
// time they take is not what hardware takes.
const Emulated = "tcg"

// A PlannedBoot is one of the plan: Number counts from 0, Block holds every kernel
// once.
type PlannedBoot struct {
	Number int    `json:"number"`
	Block  int    `json:"block"`
	Kernel int    `json:"kernel"` // index
	Seed   uint64 `json:"seed"`
}

// A Boot is one attempt at a boot of the plan.
type Boot struct {
	Type    string        `json:"type"` // "boot"
	Number  int           `json:"number"`
	Attempt int           `json:"attempt"` // from 1
	Kernel  int           `json:"kernel"`
	End     vocab.BootEnd `json:"end"`
	Text    string        `json:"text,omitempty"`    // what happened, in a line
	Console []string      `json:"console,omitempty"` // its last lines, of a boot that failed
	Started time.Time     `json:"started"`
	Ended   time.Time     `json:"ended"`
	File    string        `json:"run,omitempty"` // its run file, from the campaign's directory; "" = it sent none
	// Together is how many boots took turns with each other, this one among them; 0 = it had
	// the machine for itself, or did not come that far.
	Together int `json:"together,omitempty"`

	Unknown Unknown `json:"-"`

	// Run is what the boot measured, with the campaign's id and the boot's number for
	// its own; nil = nothing that can be used, for the reason in Fault.
	Run   *Run   `json:"-"`
	Fault string `json:"-"`
}

// MoreBoots are a line that adds boots to the plan, of a campaign that somebody wants to
// know more of.
type MoreBoots struct {
	Type    string        `json:"type"` // "more-boots"
	Planned []PlannedBoot `json:"boots"`
	Added   time.Time     `json:"added"`
	// Seen says that the campaign had come to its end before, and what it came to was
	// shown: boots that are added then are a second chance of finding something.
	Seen bool `json:"seen,omitempty"`

	Unknown Unknown `json:"-"`

	after int // boots before it in the file
}

// A CampaignEnd is a line that says why boots ended. One that was resumed has several,
// the last of which counts.
type CampaignEnd struct {
	Type     string    `json:"type"` // "end"
	Ended    time.Time `json:"ended"`
	Reason   vocab.End `json:"reason"`
	Warnings []Warning `json:"warnings,omitempty"`

	Unknown Unknown `json:"-"`
}

// A BootState is what is known of a boot of the plan.
type BootState int

// The states of planned boots.
const (
	Missing BootState = iota // it was not booted, or no attempt says anything of its kernel
	Whole                    // it measured a run to its end
	Failed                   // by its kernel
)

// An Outcome is what became of a boot of the plan.
type Outcome struct {
	PlannedBoot
	State    BootState
	Boot     *Boot // the attempt that counts, or the last; nil = there was none
	Attempts int
}

// Outcomes are those of all boots of the plan, in its order. The first attempt that
// says something of the kernel counts: a boot that failed is not tried until it works.
func (c *Campaign) Outcomes() []Outcome {
	out := make([]Outcome, len(c.Header.Planned))
	at := map[int]int{}
	for i, p := range c.Header.Planned {
		out[i].PlannedBoot, at[p.Number] = p, i
	}
	for i := range c.Boots {
		b := &c.Boots[i]
		k, ok := at[b.Number]
		if !ok {
			continue // reading has said so
		}
		o := &out[k]
		o.Attempts++
		if o.State != Missing {
			continue
		}
		o.State, o.Boot = b.state(), b
	}
	return out
}

func (b *Boot) state() BootState {
	switch {
	case b.End == vocab.Finished && b.Run != nil:
		return Whole
	case b.End.OfKernel():
		return Failed
	}
	return Missing
}

// Runs are those of the whole boots, in the order of the plan.
func (c *Campaign) Runs() []*Run {
	var out []*Run
	for _, o := range c.Outcomes() {
		if o.State == Whole {
			out = append(out, o.Boot.Run)
		}
	}
	return out
}

// Reason is why it ended, as of a run.
func (c *Campaign) Reason() vocab.End {
	if c.End == nil {
		return vocab.CutOff
	}
	return c.End.Reason
}

// IsEmulated says whether its times are those of emulated CPUs.
func (h *CampaignHeader) IsEmulated() bool { return h.Guest != nil && h.Guest.Accel == Emulated }

// GoesOnWith is the command that goes on with the campaign, wherever it was cut off.
func (h *CampaignHeader) GoesOnWith() string {
	if h.Guest == nil {
		return "netab boots plan --resume " + h.ID
	}
	return "netab run --resume " + h.ID
}

// BootID names the run of a boot in the store: Resolve takes it.
func BootID(campaign string, number int) string { return fmt.Sprintf("%s/%d", campaign, number) }

// IsBoot says whether an id is that of a boot of a campaign.
func IsBoot(id string) bool {
	at := strings.LastIndexByte(id, '/')
	_, err := strconv.ParseUint(id[at+1:], 10, 31)
	return at >= 0 && err == nil
}

// bootFile is where the run of an attempt at a boot is.
func bootFile(number, attempt int) string {
	return filepath.Join(bootsDir, fmt.Sprintf("%03d-a%d", number, attempt), RunFile)
}

// UnmarshalJSON keeps members that are not of this version in h.Unknown.
func (h *CampaignHeader) UnmarshalJSON(data []byte) error {
	type plain CampaignHeader
	return unmarshalKeeping(data, (*plain)(h), &h.Unknown)
}

// MarshalJSON writes h and what is in h.Unknown.
func (h CampaignHeader) MarshalJSON() ([]byte, error) {
	type plain CampaignHeader
	return marshalWith(plain(h), h.Unknown)
}

// UnmarshalJSON keeps members that are not of this version in b.Unknown.
func (b *Boot) UnmarshalJSON(data []byte) error {
	type plain Boot
	return unmarshalKeeping(data, (*plain)(b), &b.Unknown)
}

// MarshalJSON writes b and what is in b.Unknown.
func (b Boot) MarshalJSON() ([]byte, error) {
	type plain Boot
	return marshalWith(plain(b), b.Unknown)
}

// UnmarshalJSON keeps members that are not of this version in m.Unknown.
func (m *MoreBoots) UnmarshalJSON(data []byte) error {
	type plain MoreBoots
	return unmarshalKeeping(data, (*plain)(m), &m.Unknown)
}

// MarshalJSON writes m and what is in m.Unknown.
func (m MoreBoots) MarshalJSON() ([]byte, error) {
	type plain MoreBoots
	return marshalWith(plain(m), m.Unknown)
}

// UnmarshalJSON keeps members that are not of this version in e.Unknown.
func (e *CampaignEnd) UnmarshalJSON(data []byte) error {
	type plain CampaignEnd
	return unmarshalKeeping(data, (*plain)(e), &e.Unknown)
}

// MarshalJSON writes e and what is in e.Unknown.
func (e CampaignEnd) MarshalJSON() ([]byte, error) {
	type plain CampaignEnd
	return marshalWith(plain(e), e.Unknown)
}
