package traffic

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// A sending is what a fake loop did with a pace: messages at instants.
type sending struct{ at, msgs int64 }

// work does what loop.source does with a pace, by a clock of its own. A step sends
// so many messages and takes as long as cost says; steps of one message are made
// as many at a time as are due.
func (p *pace) work(w *Window, step int64, cost func() int64) (out []sending) {
	p.begin(w)
	for now := w.Start; p.paced; {
		if now = max(now, p.due()); now >= w.End {
			break
		}
		if p.left == 0 {
			p.open()
		}
		msgs := step
		if step == 1 {
			msgs = p.dueBy(now)
		}
		p.charge(msgs)
		out = append(out, sending{now, msgs})
		now += cost()
	}
	return out
}

func total(sent []sending) (n int64) {
	for _, s := range sent {
		n += s.msgs
	}
	return n
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

// TestPaceKeepsTheRate: whatever the bursts and the steps, and however often the
// end falls behind and catches up, it never has sent more than was due, but for
// the rest of a burst or of a step, and in the end it has sent what the rate says.
func TestPaceKeepsTheRate(t *testing.T) {
	const rate, windows, length = 20e3, 100, int64(100e6)
	for _, burst := range []int64{1, 2, 3, 8, 64} {
		for _, step := range []int64{1, 2, 7, 8, 32, 100} {
			for _, stall := range []int64{0, 60_000, 2_000_000, 30_000_000} {
				burst := max(burst, step) // see Config.step
				r := rand.New(rand.NewPCG(uint64(burst), uint64(step)))
				cost := func() int64 {
					if stall > 0 && r.Int64N(50+stall/10_000) == 0 {
						return stall // longer than several bursts
					}
					return 1000
				}
				p := pace{rate: rate, phase: 0.3, burst: burst}
				sent := int64(0)
				for i := range int64(windows) {
					w := Window{Start: i * 3 * length, End: i*3*length + length} // between them others'
					n := int64(0)
					for _, s := range p.work(&w, step, cost) {
						n += s.msgs
						// Of the first burst, up to a whole one is due at once.
						if due := rate*float64(s.at-w.Start)/1e9 + float64(burst+step); float64(n) > due+1 {
							t.Fatalf("bursts of %d, steps of %d, stalls of %d ns: %d messages after %d ns of window %d, at most %.0f are due", burst, step, stall, n, s.at-w.Start, i, due)
						}
					}
					sent += n
				}
				want := rate * windows * float64(length) / 1e9
				slack := float64(burst + step + 5)
				if stall > 0 { // what a stall at a window's end left unsent is not made up for
					slack += windows * (rate*float64(stall)/1e9 + float64(burst+step))
				}
				if got := float64(sent); got > want+float64(burst+step+5) || got < want-slack {
					t.Errorf("bursts of %d, steps of %d, stalls of %d ns: %.0f messages, want %.0f (-%.0f)", burst, step, stall, got, want, slack)
				}
			}
		}
	}
}

// TestPaceOutOfStep: rates whose interval is a slice, or a multiple or a part of
// one, give in the counted parts what the rate says, and not all messages or
// none.
func TestPaceOutOfStep(t *testing.T) {
	const slice, settle, windows = int64(25e6), int64(7.5e6), 2000
	for _, rate := range []float64{2, 10, 20, 40, 80, 120, 400, 1000} {
		for _, burst := range []int64{1, 8} {
			for _, arms := range []int64{1, 2, 3} {
				for _, phase := range []float64{0, 0.1, 0.77} {
					p := pace{rate: rate, phase: phase, burst: burst}
					counted := int64(0)
					for i := range int64(windows) {
						w := Window{Start: i * arms * slice, End: (i*arms + 1) * slice}
						for _, s := range p.work(&w, burst, func() int64 { return 1000 }) {
							if s.at >= w.Start+settle {
								counted += s.msgs
							}
						}
					}
					want := rate * windows * float64(slice-settle) / 1e9
					if got := float64(counted); math.Abs(got-want) > 0.01*want+4*float64(burst) {
						t.Errorf("%g/s in bursts of %d, %d arms, phase %g: %.0f messages in the counted parts, want %.0f", rate, burst, arms, phase, got, want)
					}
				}
			}
		}
	}
}

// TestPaceEven: within a window, intended times are an interval apart; windows
// that touch leave no gap of two.
func TestPaceEven(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, rate := range []float64{1, 3, 1000, 1e4 / 3, 9999.999, 1e5, 3e5, 7.77e6} {
		interval := 1e9 / rate
		origin := r.Int64N(1e15)
		p := pace{rate: rate, phase: r.Float64(), burst: 1}
		n, length := 0, min(int64(20_000*1e9/rate), 20e9)
		last := int64(0)
		for _, w := range cut(origin, length, 37, r) {
			first := true
			for p.begin(&w); p.next < w.End; {
				p.open()
				gap := float64(p.now - last)
				switch {
				case p.now < w.Start:
					t.Fatalf("rate %g: %d is before the window from %d", rate, p.now, w.Start)
				case !first && math.Abs(gap-interval) > 2, first && last > 0 && gap > 2*interval+2:
					t.Fatalf("rate %g: %g ns between messages, want %g", rate, gap, interval)
				}
				p.charge(1)
				last, first = p.now, false
				n++
			}
		}
		if want := rate * float64(length) / 1e9; math.Abs(float64(n)-want) > 8 {
			t.Errorf("rate %g: %d messages in %v, want %g", rate, n, time.Duration(length), want)
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
		if got := int(total(p.work(&w, 1, func() int64 { return 1 }))); got != want {
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
		{1, -50, 1}, {1, 0, 1}, {1, 999, 1}, {1, 1000, 2}, {1, 5400, 6}, {1, 1e9, maxDue},
		{4, 0, 4}, {4, 3999, 4}, {4, 4000, 8}, {4, 1e9, maxDue},
	} {
		p := pace{rate: 1e6, burst: tc.burst}
		p.begin(&Window{End: 1e12})
		p.open()
		if got := p.dueBy(p.now + tc.behind); got != tc.want {
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
