package guest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestOrphan: what was started ends when its parent is killed.
func TestOrphan(t *testing.T) {
	if os.Getenv("NETAB_TEST_PARENT") != "" {
		p, err := start([]string{"/bin/sleep", "1000"})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("child", p.cmd.Process.Pid)
		select {}
	}
	parent := exec.Command("/proc/self/exe", "-test.run=^TestOrphan$")
	parent.Env = append(os.Environ(), "NETAB_TEST_PARENT=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	defer parent.Process.Kill()
	pid := 0
	for s := bufio.NewScanner(out); pid == 0 && s.Scan(); {
		if _, text, ok := strings.Cut(s.Text(), "child "); ok {
			pid, err = strconv.Atoi(text)
		}
	}
	if err != nil || pid == 0 {
		t.Fatal("no child: ", err)
	}
	parent.Process.Kill()
	parent.Wait()
	for range 500 {
		if gone(pid) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %d lives on", pid)
	syscall.Kill(pid, syscall.SIGKILL)
}

// gone says whether a process has ended, waited for or not.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}
