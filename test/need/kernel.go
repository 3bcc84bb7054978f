package need

import (
	"compress/gzip"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// release is the running kernel's, "6.18.44".
func release() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return ""
	}
	return unix.ByteSliceToString(name.Release[:])
}

// KernelConfig is the text of the running kernel's configuration, "" where it
// does not tell.
func KernelConfig() string {
	if file, err := os.Open("/proc/config.gz"); err == nil {
		defer file.Close()
		if text, err := gunzip(file); err == nil {
			return text
		}
	}
	text, _ := os.ReadFile("/boot/config-" + release())
	return string(text)
}

func gunzip(r io.Reader) (string, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(z)
	return string(text), err
}
