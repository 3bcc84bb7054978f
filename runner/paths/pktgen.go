package paths

import (
	"errors"
	"io/fs"
	"os"
)

// pktgenDir is where the module pktgen shows itself, in each network namespace.
const pktgenDir = "/proc/thread-self/net/pktgen"

func tryPktgen() (string, error) {
	_, err := os.Stat(pktgenDir + "/pgctrl")
	if errors.Is(err, fs.ErrNotExist) {
		return "", errors.New("no /proc/net/pktgen: load the module with `modprobe pktgen`, if the kernel has it (CONFIG_NET_PKTGEN), or use `path: packet`")
	}
	return "", err
}
