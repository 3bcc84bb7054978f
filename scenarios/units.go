package scenarios

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// sizeUnits are binary, as iperf3's are. "KB" is refused: it means 1000 to
// some and 1024 to others.
var sizeUnits = []struct {
	suffix string
	factor int
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30},
	{"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30},
	{"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30},
	{"B", 1}, {"", 1},
}

// counted writes a number of things: 1 flow, 2 flows.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// ParseSize parses a number of bytes: 1472, 64K (binary), 1MiB.
func ParseSize(text string) (Size, error) {
	for _, u := range sizeUnits {
		digits, ok := strings.CutSuffix(text, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 63)
		if err != nil {
			break
		}
		if n > uint64(math.MaxInt/u.factor) {
			return 0, fmt.Errorf("size %s is too large", text)
		}
		return Size(int(n) * u.factor), nil
	}
	return 0, fmt.Errorf("%q is not a size", text)
}

// String is the shortest exact form: 1472, 128K.
func (s Size) String() string {
	for _, u := range []struct {
		suffix string
		factor Size
	}{{"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}} {
		if s != 0 && s%u.factor == 0 {
			return strconv.Itoa(int(s/u.factor)) + u.suffix
		}
	}
	return strconv.Itoa(int(s))
}

// ParseRate parses a number per second: 5000, 300k, 1.5M, 10G/s.
func ParseRate(text string) (Rate, error) {
	number := strings.TrimSpace(strings.TrimSuffix(text, "/s"))
	factor := 1.0
	for _, u := range []struct {
		suffix string
		factor float64
	}{{"k", 1e3}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9}} {
		if digits, ok := strings.CutSuffix(number, u.suffix); ok {
			number, factor = strings.TrimSpace(digits), u.factor
			break
		}
	}
	rate, err := strconv.ParseFloat(number, 64)
	// ParseFloat takes more than a number as people write it: inf, 0x1p4, 1_000.
	if err != nil || rate < 0 || math.IsInf(rate*factor, 0) || strings.Trim(number, "0123456789.eE+-") != "" {
		return 0, fmt.Errorf("%q is not a rate", text)
	}
	return Rate(rate * factor), nil
}

// String is the shortest form that ParseRate reads as the same rate.
func (r Rate) String() string {
	for _, u := range []struct {
		suffix string
		factor float64
	}{{"G", 1e9}, {"M", 1e6}, {"k", 1e3}} {
		text := strconv.FormatFloat(float64(r)/u.factor, 'f', -1, 64)
		if back, err := ParseRate(text + u.suffix); float64(r) >= u.factor && err == nil && back == r {
			return text + u.suffix
		}
	}
	return strconv.FormatFloat(float64(r), 'f', -1, 64)
}

// ParseFraction parses a share: 0.01 or 1%.
func ParseFraction(text string) (Fraction, error) {
	number, percent := strings.CutSuffix(text, "%")
	f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, fmt.Errorf("%q is not a share", text)
	}
	if percent {
		f /= 100
	}
	return Fraction(f), nil
}

// ParseDuration parses a length of time with its unit: 100ms, 60s, 1m30s.
func ParseDuration(text string) (Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			return 0, fmt.Errorf("%q has no unit", text)
		}
		return 0, fmt.Errorf("%q is not a length of time", text)
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil && d == 0 {
		return 0, fmt.Errorf("%q has no unit", text) // ParseDuration lets "0" pass
	}
	return Duration(d), nil
}

// String is a whole number of the largest unit up to seconds: 60s, 100ms.
func (d Duration) String() string {
	for _, u := range []struct {
		suffix string
		unit   time.Duration
	}{{"s", time.Second}, {"ms", time.Millisecond}, {"us", time.Microsecond}} {
		if time.Duration(d)%u.unit == 0 {
			return strconv.FormatInt(int64(time.Duration(d)/u.unit), 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(d), 10) + "ns"
}

// MarshalJSON writes the form that Parse reads.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	parsed, err := ParseDuration(text)
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}
