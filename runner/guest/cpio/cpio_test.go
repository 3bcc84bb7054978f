package cpio

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"netab/test/need"
)

// archive is one with all that there can be.
func archive(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b)
	for _, err := range []error{
		w.Dir("dev"),
		w.Dir("/dev"), // again
		w.Device("dev/console", 0o600, 5, 1),
		w.File("/init", 0o755, 5, strings.NewReader("hello")),
		w.File("a/b/c.txt", 0o644, 0, strings.NewReader("")),
		w.File("a/b/d", 0o4711, 4, strings.NewReader("four")),
		w.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// TestArchive: the first entries byte by byte, as the format's description has them.
func TestArchive(t *testing.T) {
	got := archive(t)
	const file = "070701" + "00000003" + "000081ED" + "00000000" + "00000000" + "00000001" + "00000000" + "00000005" +
		"00000000" + "00000000" + "00000000" + "00000000" + "00000005" + "00000000" + "init\x00" + "\x00" + "hello\x00\x00\x00"
	const device = "070701" + "00000002" + "00002180" + "00000000" + "00000000" + "00000001" + "00000000" + "00000000" +
		"00000000" + "00000000" + "00000005" + "00000001" + "0000000C" + "00000000" + "dev/console\x00" + "\x00\x00"
	const directory = "070701" + "00000001" + "000041ED" + "00000000" + "00000000" + "00000002" + "00000000" + "00000000" +
		"00000000" + "00000000" + "00000000" + "00000000" + "00000004" + "00000000" + "dev\x00" + "\x00\x00"
	const end = "070701" + "00000000" + "00000000" + "00000000" + "00000000" + "00000001" + "00000000" + "00000000" +
		"00000000" + "00000000" + "00000000" + "00000000" + "0000000B" + "00000000" + "TRAILER!!!\x00" + "\x00\x00\x00"
	if want := directory + device + file; !bytes.HasPrefix(got, []byte(want)) {
		t.Errorf("begins\n%s\nwant\n%s", hex.Dump(got[:min(len(got), len(want))]), hex.Dump([]byte(want)))
	}
	if !bytes.HasSuffix(got, []byte(end)) || len(got)%4 != 0 {
		t.Errorf("%d bytes, which end\n%s", len(got), hex.Dump(got[len(got)-min(len(got), len(end)):]))
	}
	if !bytes.Equal(got, archive(t)) {
		t.Error("written again it is another")
	}
}

// TestOthersRead: GNU cpio finds in it what was put there.
func TestOthersRead(t *testing.T) {
	program := need.Program(t, "cpio")
	dir := t.TempDir()
	run := func(args ...string) string {
		cmd := exec.Command(program, args...)
		cmd.Dir, cmd.Stdin, cmd.Env = dir, bytes.NewReader(archive(t)), append(os.Environ(), "LC_ALL=C", "TZ=UTC")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("cpio %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	var got []string
	for line := range strings.Lines(run("-tv", "--quiet", "--numeric-uid-gid")) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	want := []string{
		"drwxr-xr-x 2 0 0 0 Jan 1 1970 dev",
		"crw------- 1 0 0 5, 1 Jan 1 1970 dev/console",
		"-rwxr-xr-x 1 0 0 5 Jan 1 1970 init",
		"drwxr-xr-x 2 0 0 0 Jan 1 1970 a",
		"drwxr-xr-x 2 0 0 0 Jan 1 1970 a/b",
		"-rw-r--r-- 1 0 0 0 Jan 1 1970 a/b/c.txt",
		"-rws--x--x 1 0 0 4 Jan 1 1970 a/b/d",
	}
	if !slices.Equal(got, want) {
		t.Errorf("cpio -tv:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	run("-id", "--quiet", "--no-preserve-owner", "a*", "init")
	for name, want := range map[string]string{"init": "hello", "a/b/c.txt": "", "a/b/d": "four"} {
		if text, err := os.ReadFile(dir + "/" + name); err != nil || string(text) != want {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
}

// TestRefused: what would make an archive that says something else than was meant.
func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(*Writer) error
		want string
	}{
		{"no name", func(w *Writer) error { return w.Dir("") }, "is no name"},
		{"the root as a file", func(w *Writer) error { return w.File("/", 0o644, 0, strings.NewReader("")) }, "is there already"},
		{"above the root", func(w *Writer) error { return w.File("a/../../b", 0o644, 0, strings.NewReader("")) }, "is no name"},
		{"a zero", func(w *Writer) error { return w.Dir("a\x00b") }, "is no name"},
		{"the end's name", func(w *Writer) error { return w.File(trailer, 0o644, 0, strings.NewReader("")) }, "is no name"},
		{"too long", func(w *Writer) error { return w.Dir(strings.Repeat("a/", 2049)) }, "is no name"},
		{"too large", func(w *Writer) error { return w.File("a", 0o644, math.MaxUint32+1, strings.NewReader("")) }, "less than 4 GiB"},
		{"too short", func(w *Writer) error { return w.File("a", 0o644, 5, strings.NewReader("four")) }, "a: 4 bytes came where 5 were said"},
		{"too much", func(w *Writer) error { return w.File("a", 0o644, 3, strings.NewReader("four")) }, "a: more came than the 3 bytes that were said"},
		{"twice", func(w *Writer) error {
			return errors.Join(w.Device("a", 0o600, 1, 3), w.File("./a", 0o644, 0, strings.NewReader("")))
		}, "a is there already"},
		{"below a file", func(w *Writer) error {
			return errors.Join(w.Device("a", 0o600, 1, 3), w.Dir("a/b"))
		}, "a is a file already"},
		{"after the end", func(w *Writer) error { return errors.Join(w.Close(), w.Dir("a")) }, "is closed"},
	} {
		w := NewWriter(io.Discard)
		if err := tt.make(w); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		} else if err := w.Close(); err == nil {
			t.Errorf("%s: the archive is closed as if it were whole", tt.name)
		}
	}
}
