package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// The limits of what no kernel bounds: texts, times and numbers of entries.
// They are far above what anybody writes by hand, and keep a slip of the hand,
// or a file that is no scenario, from becoming a table of 5,000 columns or a
// run of eleven years. A rule that names no limit of its own has the one of
// its kind, so that a new field cannot be without.
const (
	MaxFile   = 1 << 20 // bytes of a scenario file; Parse refuses more
	MaxSlices = 100_000 // of a trial: each thread has the whole schedule in its memory

	maxText     = 4096 // characters of any value; a CPU set of every second of 1,000 CPUs has 3,900
	maxQuestion = 1000 // characters
	maxName     = 100  // characters of a scenario, an arm, a factor, a level, traffic beside, a metric
	maxLabel    = 250  // characters of an arm of a matrix: its factors and levels together
	maxEntries  = 1000 // of a mapping or a list
	maxBeside   = 16
	maxFactors  = 16
	maxArms     = 200

	// LongestSpread is what sessions are spread over at most.
	LongestSpread = 7 * 24 * time.Hour
	maxTime       = Duration(LongestSpread) // of a run
	maxSlice      = Duration(time.Minute)

	maxSessions = 1000
	maxBoots    = 1000

	minGuestMemory = 96 << 20 // a cloud kernel with its initramfs begins to run out below
	maxGuestMemory = 1 << 40
	maxGuestCPUs   = 255 // of a q35 machine without an IOMMU
	// minSlice is as short as anything can be counted in: half of it may be settle
	// part, and in 500 us a source sends some hundred messages.
	minSlice   = Duration(time.Millisecond)
	maxWeights = 100_000               // of a distribution of sizes together: it is drawn as a list
	minRate    = 1e-4                  // messages per second: of less, too few come in maxTime
	maxPause   = Duration(time.Minute) // of one request, or of what holds packets back
	maxPoll    = Duration(time.Second) // SO_BUSY_POLL
	// do_tcp_setsockopt() of net/ipv4/tcp.c takes TCP_MIN_MSS to MAX_TCP_WINDOW.
	minMSS     = 88
	maxMSS     = 32767
	maxLength  = maxTime   // of any other length of time
	maxPackets = 1<<31 - 1 // of queues and budgets that the kernel holds in an int
)

// characters is how long the text of a value may be.
func (r rule) characters() int {
	switch {
	case r.chars > 0:
		return r.chars
	case r.text != nil && r.text.chars > 0:
		return r.text.chars
	}
	return maxText
}

// entries is how many a mapping or a list may have.
func (r rule) entries() int {
	if r.most > 0 {
		return r.most
	}
	return maxEntries
}

// inWords is d as a person writes it: 168h.
func (d Duration) inWords() string {
	text := time.Duration(d).String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// length is how long a length of time may be; see also rule.from.
func (r rule) length() Duration {
	if r.until > 0 {
		return r.until
	}
	return maxLength
}

// tooLong is the fault of a text of more characters than most.
func tooLong(what, text string, most int) error {
	if n := utf8.RuneCountInString(text); n > most {
		return fmt.Errorf("%s of %d characters, where %d at most are taken", what, n, most)
	}
	return nil
}

// short fails where text, which stands at pos, is too long.
func (d *decoder) short(pos Pos, what, text string, most int) bool {
	err := tooLong(what, text, most)
	if err != nil {
		d.fail(pos, err.Error(), "shorten it")
	}
	return err == nil
}

// few fails where n has more entries than the rule takes.
func (d *decoder) few(n *node, path string, r rule) bool {
	count := max(len(n.fields), len(n.items))
	if count > r.entries() {
		d.fail(n.pos, fmt.Sprintf("%s: %d entries are too many", path, count), fmt.Sprintf("want at most %d", r.entries()))
	}
	return count <= r.entries()
}

// A fault quotes what it is about, and that may be all of a file in one line.
const (
	maxQuoted = 240 // characters of what is wrong
	maxHint   = 1000
	// maxExcerpt is how much of a line stands above the caret.
	maxExcerpt = 160
)

const more = "…"

// shortened keeps the begin and the end of a text: the end of a message says
// what is wrong with what it quotes.
func shortened(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	tail := most / 3
	return string(runes[:most-tail-1]) + more + string(runes[len(runes)-tail:])
}

// window is the part of a line around a column (from 1), and the column in it.
func window(line string, column int) (string, int) {
	runes := []rune(line)
	if len(runes) <= maxExcerpt {
		return line, column
	}
	from := min(max(column-1-maxExcerpt/2, 0), max(len(runes)-maxExcerpt, 0))
	part := slices.Clone(runes[from:min(from+maxExcerpt, len(runes))])
	if from > 0 {
		part[0] = []rune(more)[0]
	}
	if from+maxExcerpt < len(runes) {
		part[len(part)-1] = []rune(more)[0]
	}
	return string(part), column - from
}
