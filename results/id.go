package results

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const idTime = "20060102-150405"

var notInID = regexp.MustCompile(`[^a-z0-9]+`)

// NewID names a run: its start in UTC, the scenario and four hexadecimal
// digits of rnd, so that ids sort by time and two machines' runs can lie in
// one store: "20261121-203045-loopback-rps-1a2b".
func NewID(name string, t time.Time, rnd uint64) string {
	name = strings.Trim(notInID.ReplaceAllString(strings.ToLower(name), "-"), "-")
	if len(name) > 60 {
		name = strings.TrimRight(name[:60], "-")
	}
	if name == "" {
		name = "run"
	}
	return fmt.Sprintf("%s-%s-%04x", t.UTC().Format(idTime), name, rnd&0xffff)
}

// idStart is the start that an id made by NewID carries.
func idStart(id string) (time.Time, bool) {
	if len(id) < len(idTime) {
		return time.Time{}, false
	}
	t, err := time.Parse(idTime, id[:len(idTime)])
	return t, err == nil
}

// validID keeps an id from leaving the store or hiding in it.
func validID(id string) error {
	if id == "" || id[0] == '.' || strings.ContainsAny(id, "/\x00") {
		return fmt.Errorf("run id %q cannot be the name of a directory", id)
	}
	return nil
}

// validIndexed is validID of what the index has: runs, and boots of campaigns.
func validIndexed(id string) error {
	campaign, number, boot := strings.Cut(id, "/")
	if _, err := strconv.Atoi(number); boot && err != nil {
		return fmt.Errorf("run id %q has no number of a boot behind its slash", id)
	}
	return validID(campaign)
}
