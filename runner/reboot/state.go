package reboot

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"netab/results/disk"
)

// StateFile is the name of the state in the machine's state directory. It is there
// while a campaign is planned and not over, which is what the unit goes by.
const StateFile = "boots.json"

const (
	schema   = "netab/boots/1"
	maxState = 1 << 20
)

// A State is what the machine knows of the campaign that is planned on it. It says what
// is booted as root, so it counts only as a file that nobody else can have written.
type State struct {
	Schema   string   `json:"schema"`
	ID       string   `json:"id"`       // of the campaign
	Campaign string   `json:"campaign"` // its directory
	By       Way      `json:"by"`
	Env      string   `json:"grub_environment,omitempty"` // GRUB's environment block
	Kernels  []Kernel `json:"kernels"`                    // as the campaign numbers them
	Allow    []string `json:"allow_sysctl,omitempty"`
	Machine  string   `json:"machine,omitempty"` // its name, if it was given one
	// CameUp says that an armed kernel has come up: arming works here.
	CameUp bool `json:"came_up,omitempty"`
	Step   Step `json:"step"`
}

// A Way is how a kernel is made to come up next.
type Way string

// The ways that there are.
const (
	ByKexec Way = "kexec"
	ByGRUB  Way = "grub"
)

// A Kernel is one that this machine can boot, as it was when the campaign was planned.
type Kernel struct {
	Ref       string `json:"ref"`
	Release   string `json:"release"`
	Build     string `json:"build,omitempty"` // its banner
	Image     string `json:"image"`
	ImageSum  string `json:"image_sha256"`
	Initrd    string `json:"initrd,omitempty"` // "" = it boots without
	InitrdSum string `json:"initrd_sha256,omitempty"`
	Cmdline   string `json:"cmdline,omitempty"`    // all of it by kexec, and what is known of it by GRUB
	Entry     string `json:"grub_entry,omitempty"` // by GRUB
}

// A Phase is how far a boot has come.
type Phase string

// The phases: what is armed is to come up, what is begun is being measured.
const (
	Idle  Phase = ""
	Armed Phase = "armed"
	Begun Phase = "begun"
)

// A Step is the last thing that was about to happen.
type Step struct {
	Phase   Phase     `json:"phase,omitempty"`
	Number  int       `json:"number"`            // of the boot
	Attempt int       `json:"attempt,omitempty"` // at it, of one that was begun
	BootID  string    `json:"boot_id,omitempty"` // in which boot of the machine that was
	Since   time.Time `json:"since,omitzero"`
	// How often another kernel came up in the place of boot Number, how often the machine
	// went down in its run, and how often netab alone did.
	Missed int `json:"missed,omitempty"`
	Downs  int `json:"downs,omitempty"`
	Kills  int `json:"kills,omitempty"`
}

// ErrNone says that no campaign of boots is planned on this machine.
var ErrNone = errors.New("no campaign of boots is planned on this machine: netab boots plan SCENARIO --kernels KERNEL,... plans one")

// Load reads the state in a machine's state directory. ErrNone = there is none.
func Load(dir string) (*State, error) {
	path := filepath.Join(dir, StateFile)
	data, err := disk.ReadOwn(path, maxState)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNone
	}
	if err == nil {
		err = disk.Own(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("the state of the campaign of boots: %w", err)
	}
	s := &State{}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w; netab boots stop forgets it", path, err)
	}
	switch {
	case s.Schema != schema:
		return nil, fmt.Errorf("%s is of another version of netab (%q, want %q): go on with that one, or forget it with netab boots stop", path, s.Schema, schema)
	case !filepath.IsAbs(s.Campaign) || len(s.Kernels) == 0 || s.By != ByKexec && s.By != ByGRUB:
		return nil, fmt.Errorf("%s is none that netab has written; netab boots stop forgets it", path)
	}
	return s, nil
}

// Save keeps the state: it is on disk when it returns. nil forgets it.
func Save(dir string, s *State) error {
	d, err := disk.MakeDir(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if s == nil {
		if err := d.Remove(StateFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return d.Sync()
	}
	s.Schema = schema
	text, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	return d.Write(StateFile, func(w io.Writer) error { _, err := w.Write(append(text, '\n')); return err })
}

// cutText is strings.Cut that leaves blanks off.
func cutText(s, sep string) (before, after string, found bool) {
	before, after, found = strings.Cut(s, sep)
	return strings.TrimSpace(before), strings.TrimSpace(after), found
}
