package results

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"netab/results/disk"
	"netab/results/vocab"
)

const campaignID = "20261121-203045-kernels-1a2b"

// campaignHeader is of two kernels and four boots.
func campaignHeader() CampaignHeader {
	run := sampleHeader()
	return CampaignHeader{
		Scenario: run.Scenario, Source: run.Source, Design: run.Design, Seed: 7, Command: run.Command, Started: run.Started,
		Kernels: []Kernel{{Ref: "old", Release: "6.1.0"}, {Ref: "/home/me/new/bzImage", Release: "6.12.0"}},
		Planned: []PlannedBoot{{0, 0, 1, 1}, {1, 0, 0, 2}, {2, 1, 0, 3}, {3, 1, 1, 1<<64 - 1}},
		Guest:   &Guest{Accel: Emulated, QEMU: "7.2.0", MemoryMiB: 256, CPUs: 2},
	}
}

func createCampaign(t *testing.T, store string) *CampaignWriter {
	t.Helper()
	w, err := CreateCampaign(store, campaignID, campaignHeader())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// runLines are those of a run of n trials; end = nil is of one that was cut off.
func runLines(t *testing.T, n int, end *End) [][]byte {
	t.Helper()
	h := sampleHeader()
	h.ID, h.Type, h.Schema = "in-the-guest", "header", SchemaRun
	run := Run{Header: h, End: end}
	for i := range n {
		run.Trials = append(run.Trials, sampleTrial(i))
	}
	var b bytes.Buffer
	if _, err := run.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(b.Bytes()), []byte("\n"))
}

// boot makes an attempt at a boot: with lines, and how it ended ("" = it was cut off).
func boot(t *testing.T, w *CampaignWriter, number int, end vocab.BootEnd, lines [][]byte) {
	t.Helper()
	b, err := w.BeginBoot(number)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		if err := b.Line(line); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil || end == "" {
		return
	}
	err = w.AppendBoot(Boot{Number: number, Attempt: b.Attempt, Kernel: campaignHeader().Planned[number].Kernel, End: end, Text: "it is said",
		Console: []string{"Kernel panic - not syncing"}, Started: sampleHeader().Started, Ended: sampleHeader().Started.Add(time.Second), File: b.File})
	if err != nil {
		t.Fatal(err)
	}
}

func outcomes(c *Campaign) string {
	var out []string
	for _, o := range c.Outcomes() {
		out = append(out, fmt.Sprintf("%d:%s/%d", o.Number, map[BootState]string{Missing: "missing", Whole: "whole", Failed: "failed"}[o.State], o.Attempts))
	}
	return strings.Join(out, " ")
}

var whole = &End{Reason: vocab.Decided}

func TestCampaign(t *testing.T) {
	store := t.TempDir()
	w := createCampaign(t, store)
	boot(t, w, 0, vocab.Finished, runLines(t, 2, whole))
	boot(t, w, 1, vocab.Panic, runLines(t, 1, nil))
	boot(t, w, 2, vocab.QEMUFailed, nil)
	boot(t, w, 2, vocab.Finished, runLines(t, 3, whole))
	if err := w.End(CampaignEnd{Reason: vocab.Interrupted}); err != nil {
		t.Fatal(err)
	}
	c, err := ReadCampaign(filepath.Join(store, campaignID))
	if err != nil {
		t.Fatal(err)
	}
	if got := outcomes(c); got != "0:whole/1 1:failed/1 2:whole/2 3:missing/0" || len(c.ReadWarnings) > 0 {
		t.Errorf("%s, %v", got, c.ReadWarnings)
	}
	want := campaignHeader()
	want.Type, want.Schema, want.ID = "campaign", SchemaCampaign, campaignID
	if diff := cmp.Diff(want, c.Header, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("header (-written +read):\n%s", diff)
	}
	runs := c.Runs()
	if len(runs) != 2 || runs[0].Header.ID != campaignID+"/0" || runs[1].Header.ID != campaignID+"/2" || len(runs[1].Trials) != 3 || runs[0].Header.Machine.Emulated != "tcg" {
		t.Errorf("%d runs, the first %+v", len(runs), runs[0].Header)
	}
	var again bytes.Buffer
	if _, err := c.WriteTo(&again); err != nil {
		t.Fatal(err)
	}
	if file, _ := os.ReadFile(filepath.Join(store, campaignID, CampaignFile)); !bytes.Equal(file, again.Bytes()) {
		t.Errorf("written again it is\n%s\nand was\n%s", again.Bytes(), file)
	}
	if _, err := CreateCampaign(store, campaignID, campaignHeader()); !errors.Is(err, os.ErrExist) {
		t.Errorf("made twice: %v", err)
	}
}

// TestCampaignInStore: a store has it as one entry, and its boots by their numbers.
func TestCampaignInStore(t *testing.T) {
	dir := t.TempDir()
	writeRun(t, dir, "20261121-203044-before-0001", 1, whole)
	w := createCampaign(t, dir)
	boot(t, w, 0, vocab.Finished, runLines(t, 2, whole))
	boot(t, w, 1, vocab.Panic, nil)
	s := openStore(t, dir)
	entries, err := s.List()
	if err != nil || len(entries) != 2 {
		t.Fatal(entries, err)
	}
	if e := entries[1]; e.ID != campaignID || e.Scenario != "loopback-rps" || e.Kernel != "6.1.0, 6.12.0" || e.Boots != 2 || e.Planned != 4 || e.Reason != "cut off" || e.Err != nil || e.CopyOf != "" {
		t.Errorf("%+v", e)
	}
	if entries[0].Planned != 0 {
		t.Errorf("a run is no campaign: %+v", entries[0])
	}
	record, first := filepath.Join(dir, campaignID, CampaignFile), filepath.Join(dir, campaignID, "boots", "000-a1", RunFile)
	for ref, want := range map[string]string{
		campaignID: record, campaignID[:20]: record, "latest": record, record: record, filepath.Join(dir, campaignID): record,
		campaignID + "/0": first, campaignID[:20] + "/0": first,
	} {
		if got, err := s.Resolve(ref); got != want || err != nil {
			t.Errorf("%s: %s, %v, want %s", ref, got, err, want)
		}
	}
	for ref, want := range map[string]string{
		campaignID + "/1":               "boot 1 of " + campaignID + " has no run: it failed (it is said)",
		campaignID + "/3":               "boot 3 of " + campaignID + " has no run yet",
		campaignID + "/4":               "campaign " + campaignID + " has no boot 4: its 4 boots are numbered from 0",
		"20261121-203044-before-0001/0": "run 20261121-203044-before-0001 is no campaign, so it has no boot 0",
	} {
		if _, err := s.Resolve(ref); fmt.Sprint(err) != want {
			t.Errorf("%s: %v\nwant %s", ref, err, want)
		}
	}
	if l, err := s.Latest("loopback-rps"); err != nil || l.ID != campaignID || l.Path != record {
		t.Errorf("%+v, %v", l, err)
	}
	for _, path := range []string{record, first} {
		if err := s.Own(path); err != nil {
			t.Errorf("%s is not the store's own: %v", path, err)
		}
	}
	if err := os.Chmod(first, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := s.Own(record); err == nil || !strings.Contains(err.Error(), "everybody can write to "+first) {
		t.Errorf("a run that everybody can write to: %v", err)
	}
}

// TestCampaignInIndex: each boot is a run of its own, and one that failed is none.
func TestCampaignInIndex(t *testing.T) {
	dir := t.TempDir()
	writeRun(t, dir, "20261121-203044-before-0001", 1, whole)
	w := createCampaign(t, dir)
	boot(t, w, 0, vocab.Finished, runLines(t, 2, whole))
	boot(t, w, 1, vocab.Panic, nil)
	x, calls := indexOf(t, dir, "v1")
	var got []string
	for _, d := range x.Runs {
		got = append(got, fmt.Sprintf("%s %v %q", d.ID, d.Values, d.Unused))
	}
	want := []string{
		`20261121-203044-before-0001 [1 0.1] ""`, campaignID + `/0 [2 0.1] ""`, campaignID + `/1 [] "kernel 6.1.0 failed: it is said"`}
	if slices.Sort(got); !slices.Equal(got, want) || calls != 2 {
		t.Errorf("%d digested:\n%s\nwant\n%s", calls, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if x, calls := indexOf(t, dir, "v1"); x.Read != 0 || calls != 0 || x.Stale != "" || len(x.Runs) != 3 {
		t.Errorf("again: %d read, stale %q, %d runs", x.Read, x.Stale, len(x.Runs))
	}
	boot(t, w, 2, vocab.Finished, runLines(t, 3, whole))
	if x, calls := indexOf(t, dir, "v1"); calls != 1 || len(x.Runs) != 4 {
		t.Errorf("after another boot %d are digested, of %d runs", calls, len(x.Runs))
	}
	// A copy of the directory counts once.
	if err := os.CopyFS(filepath.Join(dir, "20261121-203045-kernels-copy"), os.DirFS(filepath.Join(dir, campaignID))); err != nil {
		t.Fatal(err)
	}
	x, _ = indexOf(t, dir, "v1")
	used := 0
	for _, d := range x.Runs {
		if d.Unused == "" {
			used++
		}
	}
	if used != 3 {
		t.Errorf("%d runs count, want 3: %+v", used, x.Runs)
	}
}

// TestCampaignResumes: wherever it was cut off, what is whole stays, and the next
// attempt overwrites nothing.
func TestCampaignResumes(t *testing.T) {
	dir := t.TempDir()
	w := createCampaign(t, dir)
	boot(t, w, 0, vocab.Finished, runLines(t, 2, whole))
	boot(t, w, 1, "", runLines(t, 1, nil)) // killed in the midst of it
	path := filepath.Join(dir, campaignID)
	if _, _, err := ResumeCampaign(path); err == nil || !strings.Contains(err.Error(), "is going on: another netab writes its record") {
		t.Errorf("resumed beside its writer: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	record, err := os.ReadFile(filepath.Join(path, CampaignFile))
	if err != nil {
		t.Fatal(err)
	}
	boots := bytes.Count(record, []byte("\n"))
	for cut := bytes.IndexByte(record, '\n') + 1; cut <= len(record); cut += 7 {
		writeFile(t, filepath.Join(path, CampaignFile), string(record[:cut]))
		w, c, err := ResumeCampaign(path)
		if err != nil {
			t.Fatalf("cut off after %d bytes: %v", cut, err)
		}
		want := "0:missing/0 1:missing/0 2:missing/0 3:missing/0"
		if cut >= len(record)-1 {
			want = "0:whole/1 1:missing/0 2:missing/0 3:missing/0"
		}
		if got := outcomes(c); got != want {
			t.Errorf("cut off after %d of %d bytes: %s, want %s", cut, len(record), got, want)
		}
		b, err := w.BeginBoot(1)
		if err != nil || b.Attempt < 2 {
			t.Fatalf("the next attempt at a boot that was cut off: %+v, %v", b, err)
		}
		_ = b.Close()
		if err := w.AppendBoot(Boot{Number: 1, Attempt: b.Attempt, Kernel: 0, End: vocab.Hang, File: b.File}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		c, err = ReadCampaign(path)
		if err != nil || !strings.Contains(outcomes(c), "1:failed/1") || len(c.ReadWarnings) > 0 || c.End != nil {
			t.Fatalf("cut off after %d bytes and resumed: %v, %v", cut, err, c)
		}
	}
	if boots != 2 {
		t.Errorf("%d lines", boots)
	}
}

// TestCampaignMore: boots that are added are of the plan, wherever the file is cut off, and
// the record written anew is the same.
func TestCampaignMore(t *testing.T) {
	dir := t.TempDir()
	w := createCampaign(t, dir)
	boot(t, w, 0, vocab.Finished, runLines(t, 2, whole))
	if err := w.End(CampaignEnd{Reason: vocab.AllBooted}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, campaignID)
	w, c, err := ResumeCampaign(path)
	if err != nil {
		t.Fatal(err)
	}
	more := MoreBoots{Planned: []PlannedBoot{{4, 2, 0, 5}, {5, 2, 1, 6}}, Seen: true}
	if err := w.AppendMore(c, MoreBoots{Planned: campaignHeader().Planned[:1]}); err == nil || !strings.Contains(err.Error(), "boots[4].number: 0 is there twice") {
		t.Errorf("a boot that is there: %v", err)
	}
	if err := w.AppendMore(c, more); err != nil || c.End != nil || len(c.Header.Planned) != 6 {
		t.Fatalf("%v, %+v", err, c)
	}
	if err := w.AppendBoot(Boot{Number: 5, Attempt: 1, Kernel: 1, End: vocab.Panic}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	c, err = ReadCampaign(path)
	if err != nil || len(c.More) != 1 || !c.More[0].Seen || c.End != nil || len(c.ReadWarnings) > 0 {
		t.Fatalf("%v, %+v", err, c)
	}
	if got := outcomes(c); got != "0:whole/1 1:missing/0 2:missing/0 3:missing/0 4:missing/0 5:failed/1" {
		t.Error(got)
	}
	var again bytes.Buffer
	if _, err := c.WriteTo(&again); err != nil {
		t.Fatal(err)
	}
	second := &Campaign{}
	if err := second.read(&again); err != nil || len(second.Header.Planned) != 6 || len(second.More) != 1 || len(second.Boots) != 2 {
		t.Errorf("written anew: %v, %+v", err, second)
	}
}

func TestCampaignOddities(t *testing.T) {
	dir := t.TempDir()
	w := createCampaign(t, dir)
	boot(t, w, 0, vocab.Finished, runLines(t, 2, nil))                                                 // its end got lost
	boot(t, w, 1, vocab.Finished, runLines(t, 1, &End{Reason: vocab.FailedBy(errors.New("no sink"))})) // its run failed
	boot(t, w, 3, vocab.Finished, runLines(t, 2, whole))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, campaignID, CampaignFile)
	record, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	record = bytes.Replace(record, []byte(`"seed":7`), []byte(`"seed":7,"moon":"full"`), 1)
	lines := bytes.SplitAfter(record, []byte("\n"))
	add := func(text string) { record = append(record, text+"\n"...) }
	add(`{"type":"weather","rain":true}`)
	add(strings.TrimSpace(string(lines[3])))                                        // a copy
	add(strings.Replace(strings.TrimSpace(string(lines[3])), "it is said", "?", 1)) // and another one
	add(`{"type":"boot","number":99,"attempt":1,"kernel":0,"end":"finished"}`)
	add(`{"type":"boot","number":2,"attempt":1,"kernel":0,"end":"finished","run":"../../../etc/passwd"}`)
	add(`{"type":"end","reason":"max-time"}`)
	writeFile(t, path, string(record)+`{"type":"boot","number":2,"att`)
	c, err := ReadCampaign(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := outcomes(c); got != "0:missing/1 1:missing/1 2:missing/1 3:whole/1" || c.Reason() != vocab.MaxTime {
		t.Errorf("%s, %s", got, c.Reason())
	}
	var codes []string
	for _, w := range c.ReadWarnings {
		codes = append(codes, string(w.Code))
	}
	slices.Sort(codes)
	if want := "boot-differs boot-unplanned boot-unread boot-unread boot-unread truncated"; strings.Join(codes, " ") != want {
		t.Errorf("%v", c.ReadWarnings)
	}
	if !strings.Contains(fmt.Sprint(c.ReadWarnings), `its run is said to be "../../../etc/passwd", want boots/002-a1/run.jsonl`) {
		t.Errorf("a run elsewhere: %v", c.ReadWarnings)
	}
	var again bytes.Buffer
	if _, err := c.WriteTo(&again); err != nil {
		t.Fatal(err)
	}
	if text := again.String(); !strings.Contains(text, `"moon":"full"`) || !strings.Contains(text, `{"type":"weather","rain":true}`) {
		t.Errorf("what this version does not know is lost:\n%s", text)
	}
}

// TestCampaignRefuses: what the rest relies on holds, or the file is refused by line.
func TestCampaignRefuses(t *testing.T) {
	head := func(change func(*CampaignHeader)) string {
		h := campaignHeader()
		h.Type, h.Schema, h.ID = "campaign", SchemaCampaign, campaignID
		change(&h)
		line, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		return string(line) + "\n"
	}
	fine := head(func(*CampaignHeader) {})
	for _, tt := range []struct{ text, want string }{
		{"", "empty: a campaign starts with its header"},
		{`{"type":"header","schema":"netab/run/1"}` + "\n", `line 1: type "header": the header of the campaign must be the first line and the only one`},
		{fine + fine, `line 2: type "campaign": the header of the campaign must be the first line and the only one`},
		{head(func(h *CampaignHeader) { h.Schema = "netab/campaign/2" }), "schema netab/campaign/2 is newer than this netab reads"},
		{head(func(h *CampaignHeader) { h.Schema = SchemaRun }), `schema "netab/run/1" is not of a campaign, want netab/campaign/1`},
		{head(func(h *CampaignHeader) { h.Kernels = nil }), "line 1: kernels: 0 kernels, want 1 to 1000"},
		{head(func(h *CampaignHeader) { h.Planned[2].Kernel = 2 }), "line 1: boots[2].kernel: 2 is out of range: there are 2 kernels"},
		{head(func(h *CampaignHeader) { h.Planned[2].Kernel = -1 }), "line 1: boots[2].kernel: -1 is out of range"},
		{head(func(h *CampaignHeader) { h.Planned[2].Number = 1 }), "line 1: boots[2].number: 1 is there twice"},
		{fine + `{"type":"boot","number":-1}` + "\n", "line 2: number: -1 is out of range"},
		{fine + `{"type":"boot","attempt":5000}` + "\n", "line 2: attempt: 5000 is out of range"},
		{fine + `{"number":1}` + "\n", `line 2: a record without "type"`},
		{fine + "{\n" + `{"type":"end"}` + "\n", "line 2, byte 1: "},
		{fine + `{"type":"x","a":` + strings.Repeat("[", 20000) + "\n", "line 2, byte "},
	} {
		path := filepath.Join(t.TempDir(), CampaignFile)
		writeFile(t, path, tt.text)
		if _, err := ReadCampaign(path); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.80q: %v\nwant %s", tt.text, err, tt.want)
		}
	}
}

// TestBootLines: what comes out of a guest is a line of a run, or refused.
func TestBootLines(t *testing.T) {
	w := createCampaign(t, t.TempDir())
	b, err := w.BeginBoot(0)
	if err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"[   12.3] oops": "line 1 of the boot's run, \"[   12.3] oops\": it is no line of a run file", `{"a":1}` + "\n" + `{"b":2}`: "it is no line",
		`{"type":"tri`: "it is no line of a run file", "": "", "\r\n": "",
	} {
		if err := b.Line([]byte(line)); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", line, err, want)
		}
	}
	if err := b.Line(bytes.Repeat([]byte("1"), maxLine+1)); !errors.Is(err, disk.ErrTooLarge) {
		t.Errorf("a long line: %v", err)
	}
	if !b.Empty() {
		t.Error("something was written")
	}
	if err := w.AppendBoot(Boot{Attempt: 1, Kernel: 1, End: vocab.Panic, Console: append(slices.Repeat([]string{"noise"}, 500), "\xff"+strings.Repeat("é", 5000))}); err != nil {
		t.Fatal(err)
	}
	c, err := ReadCampaign(w.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if console := c.Boots[0].Console; len(console) != maxConsole || len(console[maxConsole-1]) > maxConsoleLine+10 || !strings.HasSuffix(console[maxConsole-1], "é …") {
		t.Errorf("%d lines of the console are kept, the last %.40q", len(console), console[len(console)-1])
	}
}

func TestCampaignRedacted(t *testing.T) {
	w := createCampaign(t, t.TempDir())
	lines := runLines(t, 1, whole)
	lines[0] = bytes.Replace(lines[0], []byte(`"hostname":""`), []byte(`"hostname":"secretbox"`), 1)
	boot(t, w, 0, vocab.Finished, lines)
	boot(t, w, 1, vocab.Panic, nil)
	c, err := ReadCampaign(w.Dir())
	if err != nil {
		t.Fatal(err)
	}
	c.Header.Host = &Machine{Hostname: "myhost.example.org", Kernel: "6.1.0"}
	c.Boots[1].Console = []string{"myhost: panic at 192.0.2.7"}
	out := NewRedactor().Campaign(c)
	text, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	run, err := json.Marshal(out.Boots[0].Run)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"myhost", "example", "secretbox", "/home/me", "192.0.2.7"} {
		if strings.Contains(string(text)+string(run), name) {
			t.Errorf("%q is left in\n%s", name, text)
		}
	}
	if out.Header.Kernels[0].Release != "6.1.0" || len(out.Runs()) != 1 || out.Runs()[0].Header.ID != campaignID+"/0" {
		t.Errorf("what a verdict rests on is gone: %+v", out.Header)
	}
	if c.Header.Host.Hostname != "myhost.example.org" {
		t.Error("the campaign itself was changed")
	}
}

func TestOptionsApart(t *testing.T) {
	got := OptionsApart([]map[string]string{
		{"CONFIG_HZ": "250", "CONFIG_SOUND": "m", "CONFIG_NET": "y", "CONFIG_NET_VENDOR_3COM": "y", "CONFIG_PREEMPT": "y"},
		nil,
		{"CONFIG_HZ": "1000", "CONFIG_NET": "y", "CONFIG_KASAN": "y", "CONFIG_PREEMPT": "y"},
	})
	want := []map[string]string{{"CONFIG_HZ": "250", "CONFIG_KASAN": ""}, nil, {"CONFIG_HZ": "1000", "CONFIG_KASAN": "y"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// Of the first nothing is known: what the others have may be its own.
	got = OptionsApart([]map[string]string{nil, {"HZ": "1000"}, {"HZ": "250"}})
	if diff := cmp.Diff([]map[string]string{nil, {"HZ": "1000"}, {"HZ": "250"}}, got); diff != "" {
		t.Error(diff)
	}
	if got := OptionsApart(nil); len(got) != 0 {
		t.Error(got)
	}
}

// FuzzCampaign: no record panics, and what was read is written and read the same. Its
// boots have no runs.
func FuzzCampaign(f *testing.F) {
	h := campaignHeader()
	h.Type, h.Schema, h.ID = "campaign", SchemaCampaign, campaignID
	line, err := json.Marshal(h)
	if err != nil {
		f.Fatal(err)
	}
	head := string(line) + "\n"
	f.Add([]byte(head))
	f.Add([]byte(head + `{"type":"boot","number":1,"attempt":1,"end":"panic","x":1}` + "\n" + `{"type":"end","reason":"all-booted"}` + "\n" +
		`{"type":"more-boots","boots":[{"number":4}],"seen":true}` + "\n" + `{"type":"mood"}` + "\n" + `{"type":"boot","number":4,"attempt":2,"end":"hang","console":["a"]}` + "\n"))
	f.Add([]byte(head + `{"type":"boot","num`))
	f.Fuzz(func(t *testing.T, data []byte) {
		read := func(data []byte) (*Campaign, []byte, error) {
			c := &Campaign{}
			if err := c.read(bytes.NewReader(data)); err != nil {
				return nil, nil, err
			}
			var out bytes.Buffer
			_, err := c.WriteTo(&out)
			return c, out.Bytes(), err
		}
		c, first, err := read(data)
		if c == nil {
			return
		}
		if err != nil {
			t.Fatalf("write: %v", err)
		}
		c.Outcomes()
		again, second, err := read(first)
		if err != nil {
			t.Fatalf("what was written: %v\n%s", err, first)
		}
		if !bytes.Equal(first, second) || len(again.Header.Planned) != len(c.Header.Planned) {
			t.Fatalf("not stable:\n%s\n%s", first, second)
		}
	})
}
