package traffic

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"netab/results/vocab"
	"netab/test/need"
)

// TestArrivals: each datagram, and each call that takes from a stream, has a delay to its
// copy, of the arm that it came in, and those that had to wait for a slow sink a long one.
func TestArrivals(t *testing.T) {
	need.Root(t)
	for _, protocol := range []vocab.Protocol{vocab.UDP, vocab.TCP} {
		t.Run(string(protocol), func(t *testing.T) {
			retry(t, func(t *testing.T, by stretch) string {
				c := Config{Protocol: protocol, Message: 400, Rate: 20_000, Sink: Path{Call: "recvmsg", Timestamp: true}}
				s := openFlows(t, c, 1)
				r, ok := runs(t, s, twoArms(by.shortRun(4)))
				if !ok {
					return "the machine was too busy"
				}
				g := &r.Groups[0]
				_, sink := g.windowSums(&c)
				if len(g.CopyDelay) != 2 {
					t.Fatalf("%d arms have delays", len(g.CopyDelay))
				}
				n := count(g.CopyDelay)
				if protocol == vocab.UDP && (n < sink.Msgs*8/10 || n > sink.Msgs*12/10) || n == 0 {
					return fmt.Sprintf("%d delays of %d messages", n, sink.Msgs)
				}
				for arm, h := range g.CopyDelay {
					if p50 := h.Quantile(0.5); p50 < 300 || p50 > 100e6 {
						return fmt.Sprintf("arm %d: %v ns, in the median, from the kernel to the copy", arm, p50)
					}
				}
				return ""
			})
		})
	}
}

func TestStamp(t *testing.T) {
	a := newArrivals(&unix.Msghdr{})
	put := func(at int, level, kind int32, length int, sec, nsec byte) {
		a.control[at], a.control[at+8], a.control[at+9], a.control[at+12] = byte(length), byte(level), byte(level>>8), byte(kind)
		a.control[at+16], a.control[at+24] = sec, nsec
	}
	a.header.SetControllen(0)
	if got := a.stamp(); got != 0 {
		t.Errorf("nothing: %d", got)
	}
	put(0, unix.SOL_UDP, 104, 20, 7, 7) // UDP_GRO, before it
	put(24, unix.SOL_SOCKET, unix.SCM_TIMESTAMPNS, 32, 3, 5)
	a.header.SetControllen(56)
	if got := a.stamp(); got != 3e9+5 {
		t.Errorf("behind another: %d", got)
	}
	put(0, unix.SOL_UDP, 104, 0, 0, 0) // one that says that it has no length
	if got := a.stamp(); got != 0 {
		t.Errorf("behind one without a length: %d", got)
	}
}
