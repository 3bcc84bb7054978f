package knob

import (
	"bytes"
	"time"

	"netab/runner/host"
)

// A FileKnob is a knob that lives in one file of /proc or /sys. An agent that
// has to switch it at a slice boundary can be given the path and the bytes
// ahead of time and needs nothing else of this package.
type FileKnob interface {
	Knob
	// File returns the file and what to write into it, with one write(2), for
	// a value.
	File(value string) (path string, data []byte, err error)
}

// A codec is the way between a value as scenarios and records write it and
// the text of a kernel file.
type codec interface {
	encode(value string) (string, error)
	decode(text string) (string, error)
	equal(asked, got string) bool
}

// A fileKnob is all there is to the families that are one file each; they
// differ in the path, the codec and what they know of the kernel.
type fileKnob struct {
	codec
	spec   Spec
	name   string
	path   string
	settle time.Duration
	// hint says what may be the reason when the kernel does not take a value.
	hint string
	// secret: others may not read the file.
	secret bool
}

func (k *fileKnob) String() string               { return k.name }
func (k *fileKnob) Scope() Scope                 { return k.spec.Scope }
func (k *fileKnob) Settle() time.Duration        { return k.settle }
func (k *fileKnob) SlowSwitch() bool             { return false }
func (k *fileKnob) Spec() Spec                   { return k.spec }
func (k *fileKnob) Equal(asked, got string) bool { return k.equal(asked, got) }
func (k *fileKnob) Hint() string                 { return k.hint }

func (k *fileKnob) Read(h host.Host) (string, error) {
	data, err := h.ReadFile(k.path)
	if err != nil {
		return "", err
	}
	return k.decode(string(bytes.TrimSpace(data)))
}

func (k *fileKnob) Write(h host.Host, value string) error {
	path, data, err := k.File(value)
	if err != nil {
		return err
	}
	return h.WriteFile(path, data)
}

// Check implements Knob.
func (k *fileKnob) Check(value string) error {
	_, _, err := k.File(value)
	return err
}

// File implements FileKnob. The newline matters: a write of nothing would
// leave an empty text sysctl as it was.
func (k *fileKnob) File(value string) (string, []byte, error) {
	text, err := k.encode(value)
	if err == nil {
		err = checkValue(text)
	}
	if err != nil {
		return "", nil, err
	}
	return k.path, []byte(text + "\n"), nil
}
