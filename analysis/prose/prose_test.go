package prose

import "testing"

func TestFormat(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{Percent(0.0731), "7.3 %"}, {Percent(-0.0042), "0.42 %"}, {Percent(1.2), "120 %"}, {Percent(0.00996), "1.0 %"},
		{Change(-0.074, false), "-7.4 %"}, {Change(0.05, true), "+5.0 points"}, {Change(-0.00001, false), "0.00 %"}, {Change(0, false), "0.00 %"}, {Change(1.2345, false), "+123 %"}, {ShortPercent(12.345), "1234 %"},
		{Interval(-0.0031, 0.059, false), "-0.31 to +5.9 %"},
		{Quantity(41.23e9, "bit/s"), "41.2 Gbit/s"}, {Quantity(612345, "pps"), "612 kpps"}, {Quantity(0.31, "ns/B"), "0.31 ns/B"},
		{Quantity(0.02, "fraction"), "2.0 %"}, {Trimmed(95), "95"}, {Trimmed(99.9), "99.9"}, {Count(2), "two"}, {Count(12), "12"},
		{Amount(-0.074, false), "7.4 %"}, {ShortPercent(0.95), "95 %"}, {WholePercent(0.314), "31 %"},
		{Quantity(12345, "us"), "12.3 ms"}, {Quantity(2e7, "us"), "20.0 s"}, {Rate(52000), "52.0 k"},
		{Short(3), "3"}, {Short(1234), "1234"}, {Number(3), "3.0"}, {Number(1234), "1234"}, {Grouped(1234), "1\u202f234"}, {Long(0.1234567), "0.123457"},
		{Counted(1, "flow"), "1 flow"}, {Counted(3, "flow"), "3 flows"}, {Capital("loss"), "Loss"}, {Lower("Goodput"), "goodput"}, {Lower("CPU time"), "CPU time"}, {Lower(""), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}
