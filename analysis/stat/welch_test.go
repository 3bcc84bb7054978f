package stat

import "testing"

// R: t.test(extra ~ group, sleep): t = -1.8608, df = 17.776, p-value =
// 0.07939, 95 percent confidence interval -3.3654832 0.2054832 (group 1 minus
// group 2; ours is b minus a).
func TestWelch(t *testing.T) {
	c := Welch(NewSample(sleep.a), NewSample(sleep.b))
	lo, hi := c.Interval(0.05).Ends()
	near(t, "df", c.DF, 17.776, 1e-3)
	p, _ := c.P(0)
	near(t, "p", p, 0.07939, 1e-5)
	near(t, "lo", lo, -0.2054832, 1e-6)
	near(t, "hi", hi, 3.3654832, 1e-6)
}
