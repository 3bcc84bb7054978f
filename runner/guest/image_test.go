package guest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"netab/runner/guest/arch"
	"netab/runner/guest/inside"
)

func testImage() image {
	module := func(name string) Module {
		return Module{Name: name, File: name + ".ko.xz", Read: func() ([]byte, error) { return []byte("module " + name), nil }}
	}
	return image{
		program: []byte("\x7fELF"),
		spec:    inside.Spec{Args: []string{"run", "x"}, Stream: "/tmp/*", Deadline: time.Second, Port: inside.Virtio},
		modules: []Module{module("virtio_ring"), module("virtio")},
		files:   []File{{"a/b.yaml", []byte("name: b")}, {"c", nil}},
		release: "6.1.0", config: map[string]string{"CONFIG_VETH": "m", "CONFIG_HZ": "250"},
	}
}

// TestImage: equal images are equal bytes, and init finds in it what it looks for.
func TestImage(t *testing.T) {
	var one, two bytes.Buffer
	for _, b := range []*bytes.Buffer{&one, &two} {
		if err := testImage().write(b); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("made again it is another")
	}
	for _, want := range []string{"init\x00", "netab/files/a/b.yaml\x00", "netab/modules/000-virtio_ring.ko\x00", "module virtio_ring", "boot/config-6.1.0\x00", "CONFIG_HZ=250\nCONFIG_VETH=m\n"} {
		if !bytes.Contains(one.Bytes(), []byte(want)) {
			t.Errorf("it has no %q", want)
		}
	}
	_, rest, _ := bytes.Cut(one.Bytes(), []byte(strings.TrimPrefix(inside.SpecFile, "/")+"\x00"))
	var spec inside.Spec
	if err := json.NewDecoder(bytes.NewReader(bytes.TrimLeft(rest, "\x00"))).Decode(&spec); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(spec.Modules, " "); got != "000-virtio_ring.ko 001-virtio.ko" || spec.Stream != "/tmp/*" {
		t.Errorf("%+v", spec)
	}
}

// TestImageFaults: what cannot be made is said, and names what it is of.
func TestImageFaults(t *testing.T) {
	m := testImage()
	m.modules[1].Read = func() ([]byte, error) { return nil, errors.New("damaged") }
	if err := m.write(io.Discard); err == nil || err.Error() != "module virtio: damaged" {
		t.Error(err)
	}
	for name, want := range map[string]string{"a": "", "a/b": "", "": "want a name", "/a": "want a name", "../a": "want a name", "a/../../b": "want a name", ".": "want a name"} {
		if err := checkFiles([]File{{Name: name}}); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := checkFiles([]File{{"a", make([]byte, maxFiles+1)}}); err == nil {
		t.Error("too many bytes are taken")
	}
	text := t.TempDir() + "/text"
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"/bin/sh": "it is linked dynamically; build it with CGO_ENABLED=0", text: "it is no ELF program"} {
		if _, err := readProgram(file, arch.Here()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", file, err)
		}
	}
	if _, err := readProgram("/proc/self/exe", arch.Here()); err != nil {
		t.Errorf("this test: %v", err)
	}
}

// TestQuota: what a guest says for people has an end.
func TestQuota(t *testing.T) {
	var b bytes.Buffer
	q := newQuota(&b)
	for range 100 {
		if n, err := q.Write(make([]byte, maxSaid/50+1)); n != maxSaid/50+1 || err != nil {
			t.Fatal(n, err)
		}
	}
	if b.Len() > maxSaid+100 || !strings.HasSuffix(b.String(), "it is left out)\n") {
		t.Errorf("%d bytes, which end %q", b.Len(), b.String()[b.Len()-60:])
	}
}

// BenchmarkImage makes an initramfs with this program, into memory as for a guest.
func BenchmarkImage(b *testing.B) {
	m := testImage()
	for b.Loop() {
		var err error
		if m.program, err = readProgram("/proc/self/exe", arch.Here()); err != nil {
			b.Fatal(err)
		}
		f, err := memory("initramfs", m.write)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(m.program)))
		f.Close()
	}
}
