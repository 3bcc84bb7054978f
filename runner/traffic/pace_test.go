package traffic

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// take lists the intended times of a window without waiting for them.
func (p *pace) take(w *Window) (at []int64) {
	p.begin(w)
	for p.paced && (p.left > 0 || p.next < w.End) {
		p.sent()
		at = append(at, p.now)
	}
	return at
}

// cut divides a time into windows that touch, at random instants.
func cut(origin, length int64, n int, r *rand.Rand) (out []Window) {
	at := origin
	for i := range n {
		end := origin + length*int64(i+1)/int64(n)
		if i < n-1 {
			end += r.Int64N(length/int64(n)) / 2
		}
		out = append(out, Window{Start: at, Count: at, End: end})
		at = end
	}
	return out
}

// TestPaceGrid: however a time is cut into windows, the intended times in it are
// the same, none twice and none left out, and their mean rate is that asked for.
func TestPaceGrid(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, rate := range []float64{1, 3, 1000, 1e4 / 3, 9999.999, 1e5, 3e5, 7.77e6} {
		for _, phase := range []float64{0, 0.25, 1.0 / 3, 0.999} {
			for _, burst := range []int64{1, 8} {
				origin := r.Int64N(1e15)
				length := min(int64(20_000*1e9/rate), 20e9)
				p := pace{rate: rate, phase: phase, burst: burst, origin: origin}
				whole := p.take(&Window{Start: origin, End: origin + length})
				name := fmt.Sprintf("rate %g phase %g burst %d", rate, phase, burst)
				if want := rate * float64(length) / 1e9; math.Abs(float64(len(whole))-want) > float64(burst) {
					t.Errorf("%s: %d messages in %v, want %g", name, len(whole), time.Duration(length), want)
				}
				var parts []int64
				for _, w := range cut(origin, length, 137, r) {
					for _, at := range p.take(&w) {
						if at < w.Start || at >= w.End {
							t.Fatalf("%s: %d is not in the window from %d to %d", name, at, w.Start, w.End)
						}
						parts = append(parts, at)
					}
				}
				if fmt.Sprint(parts) != fmt.Sprint(whole) {
					t.Errorf("%s: in windows %d messages, in one %d, or at other times", name, len(parts), len(whole))
				}
				for i, at := range whole {
					want := float64(origin) + (float64(i/int(burst))+phase)*float64(burst)*1e9/rate
					if math.Abs(float64(at)-want) > 2 {
						t.Fatalf("%s: message %d at %d, want %.0f", name, i, at, want)
					}
				}
			}
		}
	}
}

// Windows whose edges lie exactly on the grid, where rounding decides.
func TestPaceEdgeOnGrid(t *testing.T) {
	for _, rate := range []float64{3, 7, 1000, 3000, 12345, 999983} {
		origin := int64(123456789)
		p := pace{rate: rate, burst: 1, origin: origin}
		whole := p.take(&Window{Start: origin, End: origin + int64(5000*1e9/rate)})
		n := 0
		for i := 0; i+7 < len(whole); i += 7 {
			w := Window{Start: whole[i], End: whole[i+7]}
			if got := p.take(&w); len(got) != 7 || got[0] != w.Start {
				t.Fatalf("rate %g: the window from message %d to %d has %d messages: %v", rate, i, i+7, len(got), got)
			}
			n++
		}
		if n == 0 {
			t.Fatalf("rate %g: no windows", rate)
		}
	}
}

// A window's own rate holds for it alone, and by the end's share.
func TestPaceWindowRate(t *testing.T) {
	p := pace{rate: 100, share: 0.25, burst: 1}
	for i, rate := range []float64{0, 4000, 400, 0} {
		w := Window{Start: int64(i) * 1e9, End: int64(i+1) * 1e9, Rate: rate}
		want := 100
		if rate > 0 {
			want = int(rate / 4)
		}
		if got := len(p.take(&w)); got != want {
			t.Errorf("window rate %g: %d messages, want %d", rate, got, want)
		}
	}
	free := pace{share: 1, burst: 1}
	if free.begin(&Window{End: 1e9}); free.paced {
		t.Error("an end without a rate is paced")
	}
}

// What has fallen due is sent at once: all of it, but for what must be told apart
// by the clock.
func TestPaceDue(t *testing.T) {
	for _, tc := range []struct {
		burst, behind, want int64 // ns behind the intended time, at 1000 ns a message
	}{
		{1, -50, 1}, {1, 0, 1}, {1, 999, 1}, {1, 1000, 2}, {1, 5400, 6}, {1, 1e9, mostDue},
		{4, 0, 1}, {4, 1, 4}, {4, 4000, 8}, {4, 1e9, mostDue},
	} {
		p := pace{rate: 1e6, burst: tc.burst}
		p.begin(&Window{End: 1e12})
		p.open()
		if got := p.due(p.now + tc.behind); got != tc.want {
			t.Errorf("bursts of %d, %d ns behind: %d are due, want %d", tc.burst, tc.behind, got, tc.want)
		}
		p.charge(tc.want)
		if sent := p.burst*p.k - p.left; sent != tc.want {
			t.Errorf("bursts of %d, %d ns behind: %d are charged, want %d", tc.burst, tc.behind, sent, tc.want)
		}
	}
}

// A pacing asks a whole set for a rate.
type pacing struct {
	rate    float64 // of each flow
	flows   int
	threads int
	burst   int
	window  float64 // rate of the windows, by shares
}

func TestPacing(t *testing.T) {
	for _, p := range []pacing{
		{rate: 1000, flows: 1}, {rate: 10_000, flows: 1}, {rate: 100_000, flows: 1}, {rate: 300_000, flows: 1},
		{rate: 20_000, flows: 1, burst: 8}, {rate: 5000, flows: 3}, {rate: 1000, flows: 20, threads: 2}, {flows: 4, window: 20_000},
	} {
		t.Run(fmt.Sprintf("%g of %d flows burst %d threads %d window %g", p.rate, p.flows, p.burst, p.threads, p.window), func(t *testing.T) {
			retry(t, p.try)
		})
	}
}

func (p pacing) try(t *testing.T, by stretch) string {
	problem := p.sends(t, by)
	if problem == "" || p.rate == 0 {
		return problem
	}
	// A rate is kept only by a machine that could send more.
	r, ok := runs(t, openFlows(t, Config{Protocol: "udp", Message: 64}, 1), by.shortRun(8))
	source, _ := r.Groups[0].sums()
	if most := float64(source.Counted.Msgs) / by.of(8*8*time.Millisecond).Seconds(); ok && most < 1.5*p.rate*float64(p.flows) {
		t.Skipf("this machine sends %.0f a second at most: %s", most, problem)
	}
	return problem
}

// sends says what is wrong with what is sent in two windows.
func (p pacing) sends(t *testing.T, by stretch) string {
	c := Config{Protocol: "udp", Message: 64, Rate: p.rate, Burst: p.burst, Threads: p.threads}
	var sinks, sources []End
	shares := 0.0
	for i := range p.flows {
		sinks = append(sinks, End{Flow: i})
		shares += float64(i + 1)
		sources = append(sources, End{Flow: i, Phase: float64(i) / float64(p.flows), Share: float64(i + 1)})
	}
	for i := range sources {
		sources[i].Share /= shares
	}
	s := openEnds(t, sinks, sources, c)
	windows := by.windowsFrom(10*time.Millisecond, 2, 110*time.Millisecond, 10*time.Millisecond, time.Millisecond)
	for i := range windows {
		windows[i].Rate = p.window
	}
	r, ok := runs(t, s, windows)
	if !ok {
		return "late"
	}
	source, _ := r.Groups[0].sums()
	want := (p.rate*float64(p.flows) + p.window) * by.of(200*time.Millisecond).Seconds()
	// A thread that is kept from its CPU at a window's edge sends then what was due
	// before, or does not get to it.
	if got := float64(source.Counted.Msgs); math.Abs(got-want) > max(0.005*want, float64(len(windows)*max(p.burst, 1)*p.flows)) {
		return fmt.Sprintf("sent %g messages in the counted parts, want %g; threads waited %v for a CPU", got, want, time.Duration(source.Counted.Wait))
	}
	return checkShares(sources, r, p.window, want)
}

// checkShares checks what each of several ends sent at a window's rate.
func checkShares(sources []End, r *Report, rate, want float64) string {
	if rate == 0 {
		return ""
	}
	for _, e := range r.Groups[0].Ends {
		if part := want * sources[e.Flow].Share; !e.Sink && math.Abs(float64(e.Counted.Msgs)-part) > max(0.05*part, 4) {
			return fmt.Sprintf("flow %d sent %d, its share is %g", e.Flow, e.Counted.Msgs, part)
		}
	}
	return ""
}

// A step that sends several messages at once keeps the mean rate: what one window
// sent too many is missing in the next.
func TestPaceOfBatches(t *testing.T) {
	for _, batch := range []int64{2, 7, 32, 100} {
		for _, burst := range []int64{1, 3, 64} {
			const rate, length = 20e3, int64(20e9)
			p := pace{rate: rate, burst: burst}
			sent, open := int64(0), 0.0
			for i, w := range cut(0, length, 400, rand.New(rand.NewPCG(3, 4))) {
				if i%2 == 1 {
					continue // another arm's
				}
				open += float64(w.End - w.Start)
				p.begin(&w)
				for p.left > 0 || p.next < w.End {
					if p.left == 0 {
						p.open()
					}
					p.charge(batch)
					sent += batch
				}
			}
			want := rate * open / 1e9
			if got := float64(sent) / want; math.Abs(got-1) > 0.01 {
				t.Errorf("batches of %d, bursts of %d: %d messages in %.2f s are %.3f of the rate", batch, burst, sent, open/1e9, got)
			}
		}
	}
}
