package disk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netab/test/need"
)

// nobody is an ordinary user beside root.
const nobody = 65534

// Jobs that this test's own binary does as another process, mostly as another
// user (see as).
const envJob = "NETAB_TEST_DISK"

func TestMain(m *testing.M) {
	if job := os.Getenv(envJob); job != "" {
		if err := jobs[job](os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

var jobs = map[string]func(args []string) error{
	"link":  func(a []string) error { return os.Symlink(a[0], a[1]) },
	"fifo":  func(a []string) error { return unix.Mkfifo(a[0], 0o666) },
	"file":  func(a []string) error { return os.WriteFile(a[0], []byte("theirs"), 0o666) },
	"mkdir": func(a []string) error { return os.Mkdir(a[0], 0o755) },
	"write": func(a []string) error { return Write(a[0], text("hello")) },
	"run": func(a []string) error {
		unix.Umask(0o077)
		return Write(a[0], text("hello"))
	},
}

// command is a job as a user; -1 is this one.
func command(t *testing.T, user int, job string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "SUDO_") }), envJob+"="+job)
	if user >= 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(user), Gid: uint32(user)}}
	}
	return cmd
}

// as does a job as an ordinary user, which must work.
func as(t *testing.T, user int, job string, args ...string) {
	t.Helper()
	if out, err := command(t, user, job, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q as %d: %v\n%s", job, args, user, err, out)
	}
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

// needOthers is for tests about what other users may do to root.
func needOthers(t *testing.T) {
	t.Helper()
	need.Root(t)
	if alone() {
		need.Missing(t, "other users", "run the tests as the machine's root, not that of a user namespace")
	}
	t.Setenv("SUDO_UID", "")
}

// directory is one with a mode, which others can reach.
func directory(t *testing.T, mode os.FileMode) string {
	t.Helper()
	dir := t.TempDir()
	for up := dir; up != filepath.Clean(os.TempDir()) && up != "/"; up = filepath.Dir(up) {
		if err := os.Chmod(up, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, mode); err != nil {
		t.Fatal(err)
	}
	return dir
}

// warnings collects what Warn is told.
func warnings(t *testing.T) *[]string {
	var got []string
	was := Warn
	Warn = func(text string) { got = append(got, text) }
	warned.Clear()
	t.Cleanup(func() { Warn = was; warned.Clear() })
	return &got
}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	return string(data)
}

func refused(t *testing.T, err error, words ...string) {
	t.Helper()
	for _, w := range words {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("error %v does not say %q", err, w)
		}
	}
}

// names are what a directory holds: nothing half written may stay.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	for _, s := range []string{"one", "two"} {
		if err := Write(file, text(s)); err != nil || content(t, file) != s {
			t.Errorf("%v, %q", err, content(t, file))
		}
	}
	// A file keeps its mode, a new one has what umask leaves.
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := Write(file, text("three")); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	as(t, -1, "run", filepath.Join(dir, "new"))
	if info, err := os.Stat(filepath.Join(dir, "new")); err != nil || info.Mode() != 0o600 {
		t.Errorf("under umask 077: %v, %v", info.Mode(), err)
	}
	// What fails leaves what was there, and nothing else.
	fault := errors.New("no more")
	err := Write(file, func(w io.Writer) error { _, _ = io.WriteString(w, "half"); return fault })
	if !errors.Is(err, fault) || content(t, file) != "three" {
		t.Errorf("%v, %q", err, content(t, file))
	}
	refused(t, Write(filepath.Join(dir, "none", "file"), text("")), "none: no such file")
	refused(t, Write(dir+"/", text("")), "not a file's name")
	refused(t, Write(dir, text("")), "is a directory")
	refused(t, Write("", text("")), "not a file's name")
	if got := names(t, dir); !slices.Equal(got, []string{"file", "new"}) {
		t.Errorf("left: %v", got)
	}
	t.Chdir(dir)
	if err := Write("beside", text("x")); err != nil || content(t, "beside") != "x" {
		t.Error(err)
	}
}

// TestAbandon: a process that ends at once leaves nothing half written.
func TestAbandon(t *testing.T) {
	dir := t.TempDir()
	_ = Write(filepath.Join(dir, "file"), func(io.Writer) error {
		if n := len(names(t, dir)); n != 1 {
			t.Errorf("%d files while writing", n)
		}
		Abandon()
		if got := names(t, dir); len(got) != 0 {
			t.Errorf("left: %v", got)
		}
		return errors.New("over")
	})
}

// TestWriteLink: the last component is never resolved. Of one's own link, too,
// for who can tell whose it was a moment ago; directories may be links.
func TestWriteLink(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := os.WriteFile(target, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"target", target, "none"} {
		_ = os.Remove(link)
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
		refused(t, Write(link, text("after")), "it is a symbolic link to "+fmt.Sprintf("%q", to), "name the file itself, or remove the link")
		if content(t, target) != "before" {
			t.Error("written through the link")
		}
	}
	if err := os.Symlink(dir, filepath.Join(dir, "way")); err != nil {
		t.Fatal(err)
	}
	if err := Write(dir+"/way/../"+filepath.Base(dir)+"//./way/file", text("x")); err != nil || content(t, filepath.Join(dir, "file")) != "x" {
		t.Errorf("by a link to the directory: %v", err)
	}
	if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "loop", "file"), text("x")); !errors.Is(err, unix.ELOOP) {
		t.Error(err)
	}
}

// TestWriteSpecial: what is no file stays what it is: as root, a rename over
// /dev/null takes it from the whole machine.
func TestWriteSpecial(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	null := filepath.Join(dir, "null")
	if err := os.Symlink("/dev/null", null); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/dev/null", null} {
		if err := Write(path, text("x")); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if info, err := os.Lstat("/dev/null"); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		t.Fatalf("/dev/null became %v, %v", info.Mode(), err)
	}
	if info, err := os.Lstat(null); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info.Mode(), err)
	}
	if err := Write("/dev/full", text("x")); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("/dev/full: %v", err)
	}
	// It waits for a reader, as the shell does.
	written := make(chan error, 1)
	go func() { written <- Write(fifo, text("hello")) }()
	reader, err := os.OpenFile(fifo, os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	got, err := io.ReadAll(reader)
	if err != nil || string(got) != "hello" {
		t.Errorf("read %q, %v", got, err)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
	if info, err := os.Lstat(fifo); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("the pipe became %v, %v", info.Mode(), err)
	}
	socket := filepath.Join(dir, "socket")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	t.Chdir(dir) // a socket's name must be short
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: "socket"}); err != nil {
		t.Fatal(err)
	}
	refused(t, Write(socket, text("x")), "it is a socket of user", "netab writes to files, /dev/null, and pipes and terminals")
}

// TestWriteDescriptor: /dev/stdout is where stdout goes, at the place where it
// is, and so is what a shell makes of >(...).
func TestWriteDescriptor(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fmt.Fprint(file, "before ")
	for _, path := range []string{"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"} {
		cmd := command(t, -1, "write", path)
		cmd.Stdout = file
		if err := cmd.Run(); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if got := content(t, file.Name()); got != "before hellohellohello" {
		t.Errorf("the file holds %q", got)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := command(t, -1, "write", "/dev/fd/3")
	cmd.ExtraFiles = []*os.File{w}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	w.Close()
	if got, _ := io.ReadAll(r); string(got) != "hello" {
		t.Errorf("of the pipe %q", got)
	}
	refused(t, Write("/dev/fd/99999", text("x")), "descriptor 99999: bad file descriptor")
}

// TestPlantedLinks: what others put where root writes is not written through.
func TestPlantedLinks(t *testing.T) {
	needOthers(t)
	precious := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(precious, []byte("root's"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := directory(t, 0o777|os.ModeSticky)
	at := func(name string) string { return filepath.Join(dir, name) }
	as(t, nobody, "link", precious, at("link"))
	as(t, nobody, "link", "/dev/null", at("null"))
	as(t, nobody, "link", filepath.Dir(precious), at("way"))
	as(t, nobody, "file", at("file"))
	as(t, nobody, "fifo", at("fifo"))
	as(t, nobody, "mkdir", at("theirs"))
	as(t, nobody, "link", precious, at("theirs/report.html"))
	got := warnings(t)
	refused(t, Write(at("link"), text("x")), "it is a symbolic link of user 65534", "it is not followed")
	refused(t, Write(at("null"), text("x")), "it is a symbolic link of user 65534")
	refused(t, Write(at("way/precious"), text("x")), at("way")+": it is a symbolic link of user 65534")
	refused(t, Write(at("file"), text("x")), "it belongs to user 65534, in a directory that everybody can write to")
	refused(t, Write(at("fifo"), text("x")), "it is a pipe (FIFO) of user 65534")
	if len(*got) != 0 {
		t.Errorf("warned of what is sticky: %q", *got)
	}
	refused(t, Write(at("theirs/report.html"), text("x")), "it is a symbolic link of user 65534")
	want := "the directory " + at("theirs") + " belongs to user 65534, who can change or replace what root writes there"
	for range 2 { // said once
		if err := Write(at("theirs/new"), text("x")); err != nil {
			t.Error(err)
		}
	}
	if !slices.Equal(*got, []string{want}) {
		t.Errorf("warned %q, want %q", *got, want)
	}
	if content(t, precious) != "root's" || content(t, at("file")) != "theirs" {
		t.Error("something was written")
	}
	// Who called sudo is trusted with what is theirs.
	t.Setenv("SUDO_UID", fmt.Sprint(nobody))
	warned.Clear()
	*got = nil
	if err := Write(at("theirs/newer"), text("x")); err != nil || len(*got) != 0 {
		t.Errorf("%v, %q", err, *got)
	}
	refused(t, Write(at("link"), text("x")), "does not write through links")
}

// TestOpenDirectories: everybody may replace what lies in a directory that
// everybody can write to, wherever it stands in the path.
func TestOpenDirectories(t *testing.T) {
	needOthers(t)
	dir := directory(t, 0o777)
	want := "everybody can write to the directory " + dir + ","
	refused(t, Write(filepath.Join(dir, "report.html"), text("x")), want)
	below := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	refused(t, Write(filepath.Join(below, "report.html"), text("x")), want)
	_, err := MakeDir(filepath.Join(below, "c"))
	refused(t, err, want)
	t.Chdir(below)
	refused(t, Write("report.html", text("x")), want)
	if err := os.Chmod(dir, 0o775); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, 0, 100); err != nil {
		t.Fatal(err)
	}
	got := warnings(t)
	if err := Write("report.html", text("x")); err != nil {
		t.Error(err)
	}
	if said := strings.Join(*got, "\n"); said != "group 100 can write to the directory "+dir+", and so change or replace what root writes there" {
		t.Errorf("warned %q", said)
	}
}

// TestUserWrites: an ordinary user has no more than the kernel's rules, but
// follows nobody's links in /tmp.
func TestUserWrites(t *testing.T) {
	needOthers(t)
	dir := directory(t, 0o777|os.ModeSticky)
	as(t, nobody-1, "mkdir", filepath.Join(dir, "theirs"))
	as(t, nobody-1, "link", filepath.Join(dir, "theirs"), filepath.Join(dir, "way"))
	as(t, nobody-1, "file", filepath.Join(dir, "file"))
	as(t, nobody, "write", filepath.Join(dir, "mine"))
	for path, want := range map[string]string{
		"way/x": "way: it is a symbolic link of user 65533", "file": "operation not permitted", "theirs/x": "permission denied",
	} {
		out, err := command(t, nobody, "write", filepath.Join(dir, path)).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v, %s\nwant %q", path, err, out, want)
		}
	}
	if got := names(t, dir); !slices.Equal(got, []string{"file", "mine", "theirs", "way"}) {
		t.Errorf("left: %v", got)
	}
}

func TestDir(t *testing.T) {
	dir := t.TempDir()
	d, err := MakeDir(filepath.Join(dir, "a", "b"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	// Whatever becomes of its name, it is the same directory.
	if err := os.Rename(filepath.Join(dir, "a", "b"), filepath.Join(dir, "c")); err != nil {
		t.Fatal(err)
	}
	sub, err := d.Mkdir("sub")
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	if _, err := d.Mkdir("sub"); !errors.Is(err, os.ErrExist) {
		t.Error(err)
	}
	f, err := sub.Create("file")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fmt.Fprint(f, "x")
	if content(t, filepath.Join(dir, "c", "sub", "file")) != "x" {
		t.Error("it is elsewhere")
	}
	if err := os.Symlink("target", filepath.Join(dir, "c", "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link", "sub"} {
		if _, err := d.Create(name); !errors.Is(err, os.ErrExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", ".", "..", "a/b", "a\x00"} {
		_, errMkdir := d.Mkdir(name)
		_, errCreate := d.Create(name)
		for _, err := range []error{errMkdir, errCreate, d.Write(name, text("")), d.Remove(name), d.Rename(name, d, "x"), d.Rename("sub", d, name)} {
			refused(t, err, "not a file's name")
		}
	}
	if err := d.Remove("link"); err != nil {
		t.Error(err)
	}
	if err := d.Remove("sub"); !errors.Is(err, unix.ENOTEMPTY) {
		t.Error(err)
	}
	// A directory takes what it holds along, and no other's place that is not empty.
	if err := d.Rename("sub", d, "moved"); err != nil || content(t, filepath.Join(dir, "c", "moved", "file")) != "x" {
		t.Error(err)
	}
	if _, err := d.Mkdir("empty"); err != nil {
		t.Error(err)
	}
	if err := d.Rename("empty", d, "moved"); !errors.Is(err, unix.ENOTEMPTY) {
		t.Error(err)
	}
	if err := errors.Join(sub.Rename("file", d, "file"), d.Rename("file", sub, "again"), sub.Rename("again", sub, "file"),
		d.Remove("empty"), d.Rename("moved", d, "sub")); err != nil {
		t.Error(err)
	}
	if err := errors.Join(sub.Remove("file"), d.Remove("sub"), d.Sync()); err != nil {
		t.Error(err)
	}
	if got := names(t, filepath.Join(dir, "c")); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
}

// TestRead: only regular files are read, whoever made the others, and no more of
// them than was asked for. None is waited for.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	file, fifo := filepath.Join(dir, "file"), filepath.Join(dir, "fifo")
	if err := os.WriteFile(file, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(dir, "link")} {
		if got, err := Read(path, 5); err != nil || string(got) != "12345" {
			t.Errorf("%q, %v", got, err)
		}
	}
	if _, err := Read(file, 4); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if _, err := Read(filepath.Join(dir, "none"), 4); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	for path, want := range map[string]string{fifo: "is a pipe (FIFO): want a regular file", "/dev/zero": "/dev/zero is a device", dir: "is a directory"} {
		done := make(chan error, 1)
		go func() { _, err := Read(path, 1<<20); done <- err }()
		select {
		case err := <-done:
			refused(t, err, want)
		case <-time.After(time.Minute):
			t.Fatalf("%s: it waits", path)
		}
	}
	// What a shell makes of <(...).
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	fmt.Fprint(w, "abc")
	w.Close()
	if got, err := Read(fmt.Sprintf("/dev/fd/%d", r.Fd()), 3); err != nil || string(got) != "abc" {
		t.Errorf("%q, %v", got, err)
	}
	var got bytes.Buffer
	if _, err := io.Copy(&got, AtMost(strings.NewReader("abcdef"), 3)); !errors.Is(err, ErrTooLarge) || got.String() != "abc" {
		t.Errorf("%q, %v", &got, err)
	}
}

func TestTemporary(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	f, err := Temporary("netab-", ".txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := os.Lstat(f.Name())
	if err != nil || info.Mode() != 0o600 || !strings.HasPrefix(info.Name(), "netab-") || !strings.HasSuffix(info.Name(), ".txt") {
		t.Errorf("%v, %v", info, err)
	}
}
