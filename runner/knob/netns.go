package knob

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// The kinds of Journal.Record that this package can undo.
const (
	UndoNetns  = "netns"       // a named namespace to be deleted; data: its name
	UndoDevice = "device-move" // a device to be moved back; data: MovedDevice
)

// Undos are the undo functions of this package, for Options.Undo.
func Undos() map[string]UndoFunc {
	return map[string]UndoFunc{UndoNetns: deleteNetns, UndoDevice: moveBack}
}

// NetnsDir is where ip-netns(8) keeps named namespaces.
const NetnsDir = "/run/netns"

// NetnsPrefix is how the names of our namespaces begin. The journal's line is
// written before the namespace is made, so a crash in between could name one
// that somebody else makes later; undo deletes none without the prefix. Callers
// put the run's id behind it.
const NetnsPrefix = "netab-"

// deleteNetns deletes a named namespace as ip-netns(8) does. Real devices that
// are still in it fall back to the initial namespace.
func deleteNetns(_ context.Context, data json.RawMessage) (string, error) {
	var name string
	if err := json.Unmarshal(data, &name); err != nil {
		return "", err
	}
	if !strings.HasPrefix(name, NetnsPrefix) || strings.Contains(name, "/") {
		return "", fmt.Errorf("%q is not a namespace of netab's", name)
	}
	path := filepath.Join(NetnsDir, name)
	// EINVAL: the file is there, but the crash came before the mount.
	if err := unix.Unmount(path, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) {
		if errors.Is(err, fs.ErrNotExist) {
			return "", ErrGone
		}
		return "", fmt.Errorf("unmount %s: %w", path, err)
	}
	return "", os.Remove(path)
}
