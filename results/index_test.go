package results

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// digestOf counts how often it is asked.
func digestOf(calls *atomic.Int64) func(*Run) Digest {
	return func(r *Run) Digest {
		calls.Add(1)
		d := Digest{Scenario: r.Header.Design.Name, Boot: r.Header.Machine.BootID, Facts: map[string]string{"kernel": r.Header.Machine.Kernel},
			Series: []SeriesKey{{Arm: "off", Metric: "goodput", Judged: true, Resolution: 0.01}, {Arm: "on", Against: "off", Metric: "loss"}},
			Values: []float64{float64(len(r.Trials)), 0.1}}
		if r.End == nil {
			d.Unused, d.Series, d.Values = "not ended", nil, nil
		}
		return d
	}
}

func indexOf(t *testing.T, dir, version string) (*Index, int) {
	t.Helper()
	var calls atomic.Int64
	x, err := openStore(t, dir).Index(version, digestOf(&calls), nil)
	if err != nil {
		t.Fatal(err)
	}
	return x, int(calls.Load())
}

// storeOf has three runs, one of them cut off, and a broken one.
func storeOf(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	end := &End{Reason: "decided"}
	writeRun(t, dir, "20261121-203045-a-0001", 1, end)
	writeRun(t, dir, "20261121-203045-b-0002", 2, end)
	writeRun(t, dir, "20261121-203045-c-0003", 1, nil)
	writeFile(t, filepath.Join(dir, "20200101-000000-old-0000", RunFile), "not a run\n")
	return dir
}

// TestIndexReadsRunsOnce is the claim of speed without a clock: what was read
// once is not read again.
func TestIndexReadsRunsOnce(t *testing.T) {
	dir := storeOf(t)
	first, calls := indexOf(t, dir, "v1")
	if first.Read != 4 || calls != 3 || first.Stale == "" || first.NotKept != nil || len(first.Runs) != 4 {
		t.Fatalf("first: %d read, %d digested, stale %q, not kept %v, %d runs", first.Read, calls, first.Stale, first.NotKept, len(first.Runs))
	}
	if first.Runs[0].ID != "20200101-000000-old-0000" || !strings.Contains(first.Runs[0].Unused, "unreadable") {
		t.Errorf("the broken run: %+v", first.Runs[0])
	}
	info, _ := os.Stat(filepath.Join(dir, IndexFile))
	second, calls := indexOf(t, dir, "v1")
	if second.Read != 0 || calls != 0 || second.Stale != "" {
		t.Errorf("second: %d read, %d digested, stale %q", second.Read, calls, second.Stale)
	}
	if diff := cmp.Diff(first.Runs, second.Runs); diff != "" {
		t.Errorf("the index tells another story (-read +index):\n%s", diff)
	}
	if again, _ := os.Stat(filepath.Join(dir, IndexFile)); !os.SameFile(info, again) {
		t.Error("the index was written again although nothing changed")
	}
}

// TestIndexFollowsTheStore: runs that are new, went on, or were deleted.
func TestIndexFollowsTheStore(t *testing.T) {
	dir := storeOf(t)
	indexOf(t, dir, "v1")
	writeRun(t, dir, "20261121-203045-d-0004", 3, &End{Reason: "max-time"})
	f, err := os.OpenFile(filepath.Join(dir, "20261121-203045-c-0003", RunFile), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(f, `{"type":"end","ended":"2026-11-21T20:31:00Z","reason":"decided"}`)
	f.Close()
	if err := os.RemoveAll(filepath.Join(dir, "20261121-203045-a-0001")); err != nil {
		t.Fatal(err)
	}
	x, calls := indexOf(t, dir, "v1")
	var got []string
	for _, r := range x.Runs {
		got = append(got, fmt.Sprint(r.ID[16:17], " ", r.Values))
	}
	if want := []string{"o []", "b [2 0.1]", "c [1 0.1]", "d [3 0.1]"}; cmp.Diff(want, got) != "" || calls != 2 {
		t.Errorf("%v after %d digests, want %v after 2", got, calls, want)
	}
	if err := os.RemoveAll(filepath.Join(dir, "20261121-203045-d-0004")); err != nil {
		t.Fatal(err)
	}
	if x, calls := indexOf(t, dir, "v1"); len(x.Runs) != 3 || calls != 0 {
		t.Errorf("after a deletion: %d runs, %d digests", len(x.Runs), calls)
	}
	data, _ := os.ReadFile(filepath.Join(dir, IndexFile))
	if bytes.Contains(data, []byte("d-0004")) {
		t.Error("a deleted run stays in the index")
	}
}

// TestIndexSameSizeOtherTime: a file that was exchanged for one of the same
// size is read again.
func TestIndexSameSizeOtherTime(t *testing.T) {
	dir := storeOf(t)
	indexOf(t, dir, "v1")
	file := filepath.Join(dir, "20261121-203045-b-0002", RunFile)
	if err := os.Chtimes(file, time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if x, calls := indexOf(t, dir, "v1"); calls != 1 || x.Read != 1 {
		t.Errorf("%d digests", calls)
	}
}

// TestIndexIsRightOrNotUsed: whatever happened to the file, the runs come out.
func TestIndexIsRightOrNotUsed(t *testing.T) {
	dir := storeOf(t)
	want, _ := indexOf(t, dir, "v1")
	file := filepath.Join(dir, IndexFile)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Replace(whole, []byte(`"values":[2,`), []byte(`"values":[3,`), 1)
	if bytes.Equal(flipped, whole) {
		t.Fatal("nothing flipped")
	}
	for name, data := range map[string][]byte{
		"a flipped digit": flipped, "cut off": whole[:len(whole)-40], "empty": nil, "not ours": []byte("hello\n"),
		"other schema": bytes.Replace(whole, []byte("netab/index/1"), []byte("netab/index/9"), 1),
	} {
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
		x, calls := indexOf(t, dir, "v1")
		if calls != 3 || x.Stale == "" || cmp.Diff(want.Runs, x.Runs) != "" {
			t.Errorf("%s: %d digests, stale %q, %s", name, calls, x.Stale, cmp.Diff(want.Runs, x.Runs))
		}
		if _, calls := indexOf(t, dir, "v1"); calls != 0 {
			t.Errorf("%s: not mended", name)
		}
	}
	if x, calls := indexOf(t, dir, "v2"); calls != 3 || !strings.Contains(x.Stale, "v1") {
		t.Errorf("another version of digest: %d digests, %q", calls, x.Stale)
	}
}

// TestIndexThatCannotBeKept: a store that cannot be written can be read.
func TestIndexThatCannotBeKept(t *testing.T) {
	dir := storeOf(t)
	if err := os.MkdirAll(filepath.Join(dir, IndexFile, "in the way"), 0o755); err != nil {
		t.Fatal(err)
	}
	x, calls := indexOf(t, dir, "v1")
	if x.NotKept == nil || calls != 3 || len(x.Runs) != 4 {
		t.Errorf("not kept %v, %d digests, %d runs", x.NotKept, calls, len(x.Runs))
	}
	left, _ := filepath.Glob(filepath.Join(dir, IndexFile+"-*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if x, err := openStore(t, filepath.Join(dir, "none")).Index("v1", nil, nil); err != nil || len(x.Runs) != 0 {
		t.Errorf("no store: %v, %v", x, err)
	}
}

// FuzzIndex: a body with a right checksum is refused or understood, and what
// is understood is written the same way.
func FuzzIndex(f *testing.F) {
	body, err := encodeIndex([]indexEntry{
		{Digest: Digest{ID: "a", Started: time.Unix(5, 0).UTC(), Facts: map[string]string{"kernel": "6.18"}, Series: []SeriesKey{{Arm: "x", Metric: "goodput"}}, Values: []float64{1.5}}, size: 3, modified: 4},
		{Digest: Digest{ID: "b", Unused: "cut off"}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte(`{"run":{"id":"a","facts":9}}`))
	f.Add([]byte(`{"run":{"id":"../a"}}`))
	f.Add([]byte(`{"series":[{}]}` + "\n" + `{"run":{"id":"a","series":1}}`))
	f.Add([]byte("{}\n"))
	f.Add([]byte(`{"facts":{}}` + "\n" + `{"run":{"id":"a","facts":1}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		data := append(fmt.Appendf(nil, `{"schema":%q,"digest":"v","crc32c":%q}`+"\n", SchemaIndex, checksum(body)), body...)
		got, err := parseIndex(data, "v")
		if err != nil {
			return
		}
		var entries []indexEntry
		for id, e := range got {
			if validID(id) != nil || len(e.Values) != len(e.Series) {
				t.Fatalf("%q: %+v", id, e)
			}
			entries = append(entries, e)
		}
		again, err := encodeIndex(entries)
		if err != nil {
			t.Fatal(err)
		}
		back, err := parseIndexLines(again)
		if err != nil || cmp.Diff(got, back, cmp.AllowUnexported(indexEntry{})) != "" {
			t.Fatalf("%v\n%s", err, cmp.Diff(got, back, cmp.AllowUnexported(indexEntry{})))
		}
	})
}

// BenchmarkIndex reads the index of 10,000 runs of 20 series, nothing changed:
// what `netab trend` does before it judges.
func BenchmarkIndex(b *testing.B) {
	dir := b.TempDir()
	series := make([]SeriesKey, 20)
	for i := range series {
		series[i] = SeriesKey{Arm: fmt.Sprint("arm", i), Metric: "goodput", Judged: true}
	}
	for i := range 10000 {
		run := filepath.Join(dir, fmt.Sprintf("run-%05d", i))
		if err := os.MkdirAll(run, 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(run, RunFile), []byte(`{"type":"header","schema":"netab/run/1"}`+"\n"), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	s, err := Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	digest := func(*Run) Digest {
		d := Digest{Series: series, Facts: map[string]string{"kernel": "6.18.0"}, Scenario: "loopback", Boot: "b5b4a6a6-7a0f-4e63-8a5e-0c3f2a1b9d11"}
		for i := range series {
			d.Values = append(d.Values, 41234567890.123+float64(i))
		}
		return d
	}
	if _, err := s.Index("v", digest, nil); err != nil { // the first reads the runs
		b.Fatal(err)
	}
	for b.Loop() {
		if x, err := s.Index("v", digest, nil); err != nil || len(x.Runs) != 10000 {
			b.Fatal(x, err)
		}
	}
}
