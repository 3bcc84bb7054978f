package guest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// A crowd is QEMUs that are told things, and know which of them execute.
type crowd struct {
	t        *testing.T
	mu       sync.Mutex
	executes []string
	log      []string // whose turn it was
}

type told struct {
	*crowd
	name string
	deaf bool
}

func (q *told) begin() error { return nil }

func (q *told) stop() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.deaf {
		return errors.New("no answer")
	}
	q.executes = slices.DeleteFunc(q.executes, func(name string) bool { return name == q.name })
	return nil
}

func (q *told) resume() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.log = append(q.log, q.name)
	if q.executes = append(q.executes, q.name); len(q.executes) > 1 {
		q.t.Errorf("%v execute at once", q.executes)
	}
	return nil
}

// crashes has none of them execute.
func (c *crowd) crashes() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.executes = nil
}

// turns are whose turn it was.
func (c *crowd) turns() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.log, " ")
}

// TestRotation: guests come up one after the other and are held; then each executes in its
// turn, and no other; who is gone has none any more, and the last one executes alone.
func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{t: t}
		r := NewRotation(time.Second)
		guests := map[string]*turns{}
		for _, name := range []string{"a", "b", "c"} {
			c.executes = append(c.executes, name)
			a := newAlarm(time.Hour)
			defer a.timer.Stop()
			guests[name] = r.join(&told{crowd: c, name: name}, a, func() { t.Errorf("%s was killed", name) })
			guests[name].isUp()
			<-r.Up()
		}
		if len(c.executes) > 0 || c.turns() != "" {
			t.Fatalf("%v execute, after %s", c.executes, c.turns())
		}
		r.Go()
		time.Sleep(4*time.Second + time.Second/2) // in b's second turn
		guests["a"].leave()
		time.Sleep(2 * time.Second) // b and c have had one more, and it is b's again
		c.crashes()
		guests["b"].leave()
		time.Sleep(time.Minute)
		guests["c"].leave()
		if got := c.turns(); got != "a b c a b c b c" {
			t.Errorf("turns: %s", got)
		}
		synctest.Wait()
	})
}

// TestRotationDeaf: a QEMU that does not do as it is told is ended, and said to be so; the
// others go on.
func TestRotationDeaf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crowd{t: t}
		r := NewRotation(time.Second)
		var deaf, other *turns
		q := &told{crowd: c, name: "deaf"}
		a, b := newAlarm(time.Hour), newAlarm(time.Hour)
		defer a.timer.Stop()
		defer b.timer.Stop()
		deaf = r.join(q, a, func() { c.crashes(); go deaf.leave() })
		deaf.isUp()
		other = r.join(&told{crowd: c, name: "other"}, b, func() {})
		other.isUp()
		q.deaf = true
		r.Go()
		time.Sleep(time.Minute)
		if got := deaf.disobeyed(); got != "no answer" || other.disobeyed() != "" {
			t.Errorf("%q, %q", got, other.disobeyed())
		}
		other.leave()
		if got := c.turns(); strings.TrimSuffix(got, " other") != "deaf" && got != "deaf other other" { // it may be alone from its second turn on
			t.Errorf("turns: %s", got)
		}
		synctest.Wait()
	})
}

// TestAlarm: it counts the time in which a guest executes, and no other.
func TestAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			name string
			do   func(*alarm)
			want time.Duration
		}{
			{"undisturbed", func(*alarm) {}, 10 * time.Second},
			{"set anew", func(a *alarm) { time.Sleep(time.Second); a.set(3 * time.Second) }, 4 * time.Second},
			{"held twice", func(a *alarm) {
				for range 2 {
					time.Sleep(time.Second)
					a.hold()
					a.hold() // changes nothing
					time.Sleep(time.Minute)
					a.resume()
				}
			}, 10*time.Second + 2*time.Minute},
			{"set while held", func(a *alarm) { a.hold(); a.set(time.Second); time.Sleep(time.Minute); a.resume() }, time.Minute + time.Second},
			{"the last", func(a *alarm) { a.hold(); time.Sleep(time.Minute); a.last(time.Second); a.hold() }, time.Minute + time.Second},
		} {
			began := time.Now()
			a := newAlarm(10 * time.Second)
			tt.do(a)
			if <-a.timer.C; time.Since(began) != tt.want {
				t.Errorf("%s: after %v, want %v", tt.name, time.Since(began), tt.want)
			}
		}
	})
}

// TestMonitor: orders as QEMU takes them, past its greeting and events.
func TestMonitor(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
	defer ours.Close()
	done := make(chan []string)
	go func() {
		defer theirs.Close()
		io.WriteString(theirs, `{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "capabilities": ["oob"]}}`+"\n")
		var orders []string
		s := bufio.NewScanner(theirs)
		for _, answer := range []string{
			`{"return": {}}`,
			`{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "STOP"}` + "\n" + `{"return": {}}`,
			`{"error": {"class": "GenericError", "desc": "no \u001b[31mway"}}`,
		} {
			if !s.Scan() {
				break
			}
			orders = append(orders, s.Text())
			fmt.Fprintln(theirs, answer)
		}
		done <- orders
	}()
	m := newMonitor(ours)
	if err := errors.Join(m.begin(), m.stop()); err != nil {
		t.Error(err)
	}
	if err := m.resume(); err == nil || err.Error() != `tell QEMU to cont: it says "no \x1b[31mway"` {
		t.Errorf("%v", err)
	}
	if got := strings.Join(<-done, " "); got != `{"execute": "qmp_capabilities"} {"execute": "stop"} {"execute": "cont"}` {
		t.Error(got)
	}
	if err := m.stop(); !errors.Is(err, errClosed) {
		t.Errorf("of a QEMU that is gone: %v", err)
	}
}
