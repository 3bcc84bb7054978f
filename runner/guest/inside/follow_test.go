package inside

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// lines are what a follower has sent.
type lines struct {
	mu  sync.Mutex
	got []string
}

func (l *lines) add(line []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got = append(l.got, string(line))
	return nil
}

// await waits for so many.
func (l *lines) await(t *testing.T, n int) []string {
	t.Helper()
	for range 500 {
		l.mu.Lock()
		got := slices.Clone(l.got)
		l.mu.Unlock()
		if len(got) >= n {
			return got
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("only %q, want %d lines", l.got, n)
	return nil
}

// TestFollow: lines are sent when they are written, and no sooner than they are whole,
// wherever the directory comes from and whoever takes a torn line away again.
func TestFollow(t *testing.T) {
	for name, deaf := range map[string]bool{"told": false, "looking": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			var sent lines
			f := follow(filepath.Join(dir, "store", "*", "run.jsonl"), sent.add)
			if deaf { // as on a kernel without inotify
				f.end()
				f = &follower{pattern: f.pattern, send: sent.add, watched: map[string]bool{}, stop: make(chan struct{})}
				f.ended = inBackground(f.run)
			}
			time.Sleep(20 * time.Millisecond) // it waits already
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			must(os.MkdirAll(filepath.Join(dir, "store", "a"), 0o755))
			must(os.WriteFile(filepath.Join(dir, "store", "other"), []byte("no\n"), 0o644))
			file, err := os.Create(filepath.Join(dir, "store", "a", "run.jsonl"))
			must(err)
			defer file.Close()
			write := func(text string) {
				t.Helper()
				_, err := file.WriteString(text)
				must(err)
			}
			write("one\n\nthr")
			if got := sent.await(t, 2); !slices.Equal(got, []string{"one", ""}) {
				t.Errorf("%q", got)
			}
			write("ee\n" + "torn, and taken away")
			sent.await(t, 3)
			must(file.Truncate(int64(len("one\n\nthree\n"))))
			_, err = file.Seek(0, 2)
			must(err)
			write("four\ntorn again")
			f.end()
			if got := sent.await(t, 4); !slices.Equal(got, []string{"one", "", "three", "four"}) {
				t.Errorf("%q", got)
			}
		})
	}
}

// TestFollowNothing: a file that never comes holds nobody up, nor does a host that is
// gone.
func TestFollowNothing(t *testing.T) {
	f := follow(filepath.Join(t.TempDir(), "no", "*", "file"), func([]byte) error { return nil })
	f.end()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("one\ntwo\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	n := 0
	f = follow(file, func([]byte) error { n++; return errors.New("gone") })
	time.Sleep(20 * time.Millisecond)
	f.end()
	if n != 1 {
		t.Errorf("it was told %d times", n)
	}
}
