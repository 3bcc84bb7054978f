package test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"netab/runner/guest/kallsyms"
	"netab/runner/guest/kernel"
	"netab/test/guests"
	"netab/test/need"
)

// What is planted: code of its own that spins and goes on to ip_make_skb, between two
// functions. It counts as the one before it.
const (
	plantedTurns = 60
	plantedInsns = 4 + 2*plantedTurns
	plantedIn    = "udp_sendmsg"
	plantedFor   = "ip_make_skb"
)

// TestGuestBisect: a commit of a real repository after which datagrams cost more is found
// by instructions, and so is what it executes. A build is a script that copies an image.
func TestGuestBisect(t *testing.T) {
	need.Program(t, "git")
	folder, _ := guests.Find(t)
	p := newPlace(t)
	k, err := kernel.Find(t.Context(), folder, kernel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	good, err := k.Vmlinux(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	functions, err := k.Functions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	bad, place := plant(t, good, functions)
	for name, image := range map[string][]byte{"good": good, "bad": bad} {
		if err := os.WriteFile(filepath.Join(p.dir, name), image, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	repo := filepath.Join(p.dir, "repo")
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", repo, "-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
	if err := os.MkdirAll(filepath.Join(repo, "net"), 0o755); err != nil {
		t.Fatal(err)
	}
	git("init", "-q")
	for i, is := range []string{"good", "good", "broken", "bad"} {
		if err := os.WriteFile(filepath.Join(repo, "net/udp.c"), fmt.Appendf(nil, "%s %d\n", is, i), 0o644); err != nil {
			t.Fatal(err)
		}
		git("add", ".")
		git("commit", "-q", "-m", fmt.Sprintf("udp: commit %d", i))
	}
	p.write(t, "udp.yaml", "name: udp\nquestion: What does a datagram cost?\ntopology: loopback\ntraffic: {protocol: udp, message: 64}\narms: {plain: {}}\n")
	build := fmt.Sprintf(`read is n <net/udp.c; test $is != broken || { echo "udp.c:1:1: error: planted" >&2; exit 1; }; mkdir -p include/config && : >.config && cp '%s'/$is vmlinux`, p.dir)
	o := p.start(t, "bisect", "./udp.yaml", "--repo", repo, "--good", "HEAD~3", "--bad", "HEAD", "--build", build, "--json", "--store", p.store()).waitFor(t, 10*patience)
	if o.status != 0 {
		t.Fatal(o)
	}
	var s struct {
		Schema, Mode string
		Answer       struct {
			Outcome string
			Steps   []struct{ After, At int }
		}
		Levels    []struct{ Change, Same, Tests int }
		Skipped   map[string]string
		Functions []struct {
			Role, Context, Function string
			From, To                float64
		}
	}
	if err := json.Unmarshal([]byte(o.stdout), &s); err != nil {
		t.Fatal(err)
	}
	if s.Schema != "netab/bisect/1" || s.Mode != "count" || s.Answer.Outcome != "found" || len(s.Answer.Steps) != 1 || s.Answer.Steps[0].After != 1 || s.Answer.Steps[0].At != 3 || len(s.Skipped) != 1 {
		t.Fatalf("%s\n%s", o.stdout, o.stderr)
	}
	if len(s.Levels) != 3 || s.Levels[1].Same != 0 || s.Levels[0].Tests < 2 || s.Levels[2].Tests < 2 {
		t.Errorf("%+v", s.Levels)
	}
	if len(s.Functions) == 0 {
		t.Fatalf("no functions:\n%s", o.stderr)
	}
	if f := s.Functions[0]; f.Function != place || f.Role != "source" || f.Context != "task" || math.Abs(f.To-f.From-plantedInsns) > 0.5 {
		t.Errorf("what moved is %+v, want %d instructions more of %s", f, plantedInsns, place)
	}
	if again := p.netab(t, "bisect", "--show", "latest", "--json", "--store", p.store()); again.status != 0 || again.stdout != o.stdout {
		t.Errorf("shown again it is %v", again)
	}
}

// plant makes each datagram that a kernel sends spin, and returns in which function.
func plant(t *testing.T, vmlinux []byte, functions kallsyms.Table) (planted []byte, place string) {
	t.Helper()
	e, err := elf.NewFile(bytes.NewReader(vmlinux))
	if err != nil {
		t.Fatal(err)
	}
	at := func(addr uint64) uint64 { // in the file
		for _, s := range e.Progs {
			if s.Type == elf.PT_LOAD && addr >= s.Vaddr && addr < s.Vaddr+s.Filesz {
				return addr - s.Vaddr + s.Off
			}
		}
		t.Fatalf("%#x is nowhere", addr)
		return 0
	}
	of := func(name string) (from, to uint64) {
		i := slices.IndexFunc(functions, func(f kallsyms.Symbol) bool { return f.Name == name })
		if i < 0 || i+1 == len(functions) {
			return 0, 0
		}
		return functions[i].Addr, functions[i+1].Addr
	}
	target, _ := of(plantedFor)
	from, to := of(plantedIn)
	call := uint64(0)
	for a := from; a+5 <= to; a++ {
		if b := vmlinux[at(a):]; b[0] == 0xe8 && a+5+uint64(int64(int32(binary.LittleEndian.Uint32(b[1:])))) == target {
			call = a
			break
		}
	}
	if call == 0 {
		t.Fatalf("the kernel has no call of %s in %s", plantedFor, plantedIn)
	}
	stub := []byte{0x51, 0xb1, plantedTurns, 0xfe, 0xc9, 0x75, 0xfc, 0x59, 0xe9, 0, 0, 0, 0} // push rcx; mov cl; dec cl, jnz; pop rcx; jmp
	// Between two functions there are up to 15 bytes that nobody executes.
	long := []byte{0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0}
	for i := slices.IndexFunc(functions, func(f kallsyms.Symbol) bool { return f.Name == plantedIn }); i+1 < len(functions); i++ {
		end := functions[i+1].Addr
		for _, short := range [][]byte{{0x66, 0x90}, {0x0f, 0x1f, 0}, {0x0f, 0x1f, 0x40, 0}} {
			gap := append(slices.Clone(long), short...)
			to := end - uint64(len(gap))
			if to < functions[i].Addr || !bytes.HasPrefix(vmlinux[at(to):], gap) {
				continue
			}
			binary.LittleEndian.PutUint32(stub[len(stub)-4:], uint32(target-to-uint64(len(stub))))
			planted = slices.Clone(vmlinux)
			copy(planted[at(to):], stub)
			binary.LittleEndian.PutUint32(planted[at(call)+1:], uint32(to-call-5))
			return planted, functions[i].Name
		}
	}
	t.Fatal("the kernel has no room between two functions")
	return nil, ""
}
