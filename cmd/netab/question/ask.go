package question

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"time"

	"netab/results"
	"netab/results/disk"
	"netab/runner"
	"netab/runner/claim"
)

// Ask is runner.Run that begins with what the last run on this machine and
// boot, of whatever store, needed for its trials to begin in time. It is worth a
// file beside the journal: on a slow guest the first trials are lost otherwise,
// in every run again.
func Ask(ctx context.Context, o runner.Options) (*results.Run, error) {
	file, boot := filepath.Join(claim.StateDir(), "lead.json"), o.Header.Machine.BootID
	known := leadOf(file, &o.Header.Machine)
	o.Lead = known
	run, err := runner.Run(ctx, o)
	if run != nil && run.End != nil {
		if learned := time.Duration(run.End.LeadNS); learned != known {
			rememberLead(file, boot, learned)
		}
	}
	return run, err
}

// emulatedLead is what trials on emulated CPUs need beyond the usual. A guest that was just
// booted has nothing to recall and time for few trials: of eight boots on two busy CPUs six
// lost their first one, by up to 75 ms; with 100 ms seven of ten, of eight arms, by up to 30.
const emulatedLead = 200 * time.Millisecond

// leadOf is what a machine's trials are given first.
func leadOf(file string, m *results.Machine) time.Duration {
	if known := recallLead(file, m.BootID); known > 0 || m.Emulated == "" {
		return known
	}
	return emulatedLead
}

// A leadFile is what is known; another boot may be another machine.
type leadFile struct {
	BootID string `json:"boot_id"`
	LeadNS int64  `json:"lead_ns"`
}

// recallLead is 0 where nothing is known.
func recallLead(file, boot string) time.Duration {
	var known leadFile
	data, err := disk.Read(file, 1<<10)
	if err != nil || json.Unmarshal(data, &known) != nil || known.BootID != boot || known.LeadNS < 0 {
		return 0
	}
	return time.Duration(known.LeadNS)
}

// rememberLead keeps it if it can: what is not kept is learned again.
func rememberLead(file, boot string, lead time.Duration) {
	dir, err := disk.MakeDir(filepath.Dir(file))
	if err != nil {
		return
	}
	defer dir.Close()
	text, _ := json.Marshal(leadFile{boot, int64(lead)}) // cannot fail
	_ = dir.Write(filepath.Base(file), func(w io.Writer) error { _, err := bytes.NewReader(text).WriteTo(w); return err })
}
