package disk

import (
	"fmt"
	"go/ast"
	"go/parser"
	"slices"
	"strconv"
	"strings"
	"testing"

	"netab/test/sources"
)

// The functions that open, make or replace files by their path. Whoever needs one
// takes this package's, or stands in the list below with a reason.
var forbidden = map[string][]string{
	"os": {"Chmod", "Chown", "Create", "CreateTemp", "Link", "Mkdir", "MkdirAll", "Open", "OpenFile", "OpenInRoot", "OpenRoot",
		"ReadFile", "Rename", "Symlink", "Truncate", "WriteFile", "CopyFS"},
	"io/ioutil":             {"ReadFile", "TempFile", "WriteFile", "TempDir"},
	"golang.org/x/sys/unix": {"Creat", "Link", "Linkat", "Mkdir", "Mkdirat", "Mknod", "Mknodat", "Open", "Openat", "Openat2", "Rename", "Renameat", "Renameat2", "Symlink", "Symlinkat"},
	"syscall":               {"Creat", "Link", "Mkdir", "Mknod", "Open", "Rename", "Symlink"},
}

// Files that do without this package, and why that is safe.
var exceptions = map[string]string{
	"results/count.go":              "makes the directory that disk.Write then opens",
	"results/files.go":              "reads /proc and /sys, by way of Files",
	"runner/agent/process.go":       "reads /proc of its own agents",
	"runner/agent/keep.go":          "opens its own namespace in /proc",
	"runner/agent/oom.go":           "writes its own oom_score_adj in /proc",
	"runner/agent/thread.go":        "opens its own namespace in /proc",
	"runner/guest/inside/follow.go": "in a guest there are no others: reads what the job writes",
	"runner/guest/inside/inside.go": "in a guest there are no others: reads the initramfs, /proc and /sys",
	"runner/guest/inside/job.go":    "in a guest there are no others: copies the job's files",
	"runner/guest/inside/port.go":   "in a guest there are no others: makes and opens the port",
	"runner/host/local.go":          "reads and writes /proc and /sys: knobs are no files to be renamed",
	"runner/host/privilege.go":      "reads /proc",
	"runner/knob/lock.go":           "the lock has rules of its own: it is held open, and never replaced",
	"runner/knob/lockplace.go":      "the lock's directory is checked as the lock is",
	"runner/knob/others.go":         "reads /proc",
	"runner/knob/owner.go":          "reads /proc",
	"runner/knob/site.go":           "reads /proc",
	"runner/knob/storage.go":        "the journal has rules of its own: its file and directory are root's",
	"runner/oom.go":                 "reads and writes its own oom_score_adj in /proc",
	"runner/paths/congestion.go":    "reads /proc",
	"runner/topology/lifelines.go":  "reads /proc",
	"runner/topology/nic.go":        "opens names of namespaces in a directory of root's, under /run",
	"runner/traffic/copyless.go":    "opens /dev/null to splice into",
	"runner/traffic/count.go":       "in a guest: reads its own /proc, and maps the memory of a device",
	"runner/traffic/thread.go":      "reads /proc of its own threads",
	"runner/traffic/watch.go":       "reads /proc",
	"runner/uring/ring.go":          "reads /proc",
	"bench/explain/inject.go":       "reads /proc, and opens a namespace there",
	"bench/peers/match.go":          "opens a namespace in /proc",
	"bench/peers/meter.go":          "reads /proc",
	"bench/peers/netab.go":          "reads /proc",
	"results/disk/disk.go":          "this is it",
	"results/disk/walk.go":          "this is it",
	"results/disk/read.go":          "this is it",
}

// TestOneWay: no other package opens a file by its path.
func TestOneWay(t *testing.T) {
	used := map[string]bool{}
	for _, name := range sources.Files(t) {
		uses := forbiddenIn(t, name)
		if len(uses) > 0 && exceptions[name] == "" {
			t.Errorf("%s: %s: use package disk, or say in %s why not", name, strings.Join(uses, ", "), "results/disk/oneway_test.go")
		}
		used[name] = len(uses) > 0
	}
	for name := range exceptions {
		if !used[name] {
			t.Errorf("%s is an exception and needs none", name)
		}
	}
}

// forbiddenIn are the forbidden functions that a file names, called or not.
func forbiddenIn(t *testing.T, name string) []string {
	t.Helper()
	set, file := sources.Parse(t, name, parser.SkipObjectResolution)
	imported := map[string]string{} // name here -> path
	for _, i := range file.Imports {
		path, _ := strconv.Unquote(i.Path.Value)
		name := path[strings.LastIndexByte(path, '/')+1:]
		if i.Name != nil {
			name = i.Name.Name
		}
		imported[name] = path
	}
	var uses []string
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if of, ok := s.X.(*ast.Ident); ok && slices.Contains(forbidden[imported[of.Name]], s.Sel.Name) {
				uses = append(uses, fmt.Sprintf("line %d: %s.%s", set.Position(s.Pos()).Line, of.Name, s.Sel.Name))
			}
		}
		return true
	})
	return uses
}
