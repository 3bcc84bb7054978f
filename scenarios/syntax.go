package scenarios

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// A syntax is what the text of a value or a key must look like.
type syntax struct {
	want    string // what would be right, for hints
	pattern string // the same as a regular expression of JSON Schema, if one can say it
	braces  bool   // {source} and {sink} are understood
	chars   int    // at most; 0 = maxText
	// canon checks text and returns its one canonical form.
	canon func(text string) (string, error)
}

// asWritten makes a canon of a check alone.
func asWritten(check func(string) error) func(string) (string, error) {
	return func(text string) (string, error) { return text, check(text) }
}

func cpuSetSyntax() *syntax {
	return &syntax{
		want:   `want a CPU set: "0,2-4", all, none, source, sink, "sibling of source", "node 0", isolated, "all - sink"`,
		braces: true,
		canon: asWritten(func(text string) error {
			_, err := parseCPUSet(text)
			return err
		}),
	}
}

func onOffSyntax() *syntax {
	return &syntax{
		want:    "want on or off",
		pattern: "^([Oo]n|[Oo]ff|ON|OFF|[Tt]rue|[Ff]alse|[Yy]es|[Nn]o|0|1)$",
		canon: func(text string) (string, error) {
			switch strings.ToLower(text) {
			case "on", "true", "yes", "1":
				return "on", nil
			case "off", "false", "no", "0":
				return "off", nil
			}
			return "", fmt.Errorf("%q is neither on nor off", text)
		},
	}
}

// countSyntax is a whole number from lo to hi.
func countSyntax(lo, hi int) *syntax {
	return &syntax{
		want:    fmt.Sprintf("want a whole number from %d to %d", lo, hi),
		pattern: "^[0-9]+$",
		canon: func(text string) (string, error) {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return "", fmt.Errorf("%q is not a whole number", text)
			}
			if n < int64(lo) || n > int64(hi) {
				return "", fmt.Errorf("%d is out of range", n)
			}
			return strconv.FormatInt(n, 10), nil
		},
	}
}

// nanosSyntax is a length of time that the kernel takes in nanoseconds.
func nanosSyntax() *syntax {
	return &syntax{
		want:    "want a length of time such as 20us, or whole nanoseconds",
		pattern: "^[0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s)?$",
		canon: func(text string) (string, error) {
			d, err := time.ParseDuration(text)
			if n, bare := strconv.ParseInt(text, 10, 64); bare == nil {
				d, err = time.Duration(n), nil
			}
			switch {
			case err != nil || d < 0:
				return "", fmt.Errorf("%q is not a length of time", text)
			case d > time.Duration(maxPause):
				return "", fmt.Errorf("%q is longer than %s", text, maxPause.inWords())
			}
			return strconv.FormatInt(d.Nanoseconds(), 10), nil
		},
	}
}

// wordSyntax is a name made of letters, digits and the punctuation given.
func wordSyntax(what, punctuation string) *syntax {
	return &syntax{
		want:    "want letters, digits and any of " + punctuation,
		chars:   maxName,
		pattern: "^[A-Za-z0-9" + regexpClass(punctuation) + "]+$",
		canon: asWritten(func(text string) error {
			if text == "" {
				return errors.New("an empty " + what)
			}
			if err := tooLong("a "+what, text, maxName); err != nil {
				return err
			}
			for _, r := range text {
				if !isAlnum(r) && !strings.ContainsRune(punctuation, r) {
					return fmt.Errorf("%q is not a %s: it contains %q", text, what, r)
				}
			}
			return nil
		}),
	}
}

func metricSyntax() *syntax { return wordSyntax("metric", "._-") }

func regexpClass(chars string) string {
	var b strings.Builder
	for _, r := range chars {
		b.WriteString(`\`)
		b.WriteRune(r)
	}
	return b.String()
}

func isAlnum(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// kernelSyntax is whatever may name a kernel: mostly a path.
func kernelSyntax() *syntax {
	return &syntax{
		want: "want a bzImage, a vmlinux, a build tree, an installed version, a .deb or .rpm file, or apt:PACKAGE",
		canon: asWritten(func(text string) error {
			if strings.TrimSpace(text) == "" || strings.ContainsFunc(text, unicode.IsControl) {
				return fmt.Errorf("%q names no kernel", text)
			}
			return nil
		}),
	}
}

// nameSyntax is the name of a scenario.
func nameSyntax() *syntax {
	s := wordSyntax("name of a scenario", "-")
	s.want, s.pattern = "want small letters, digits and dashes", "^[a-z0-9-]+$"
	check := s.canon
	s.canon = func(text string) (string, error) {
		if strings.ToLower(text) != text {
			return "", fmt.Errorf("%q is not a name of a scenario: it has capital letters", text)
		}
		return check(text)
	}
	return s
}

// deviceSyntax is what dev_valid_name() of net/core/dev.c takes.
func deviceSyntax() *syntax {
	return &syntax{
		want:    "want source, sink, both, or the name of a network device (at most 15 characters)",
		pattern: `^[^/:\s]{1,15}$`,
		canon: asWritten(func(text string) error {
			if text == "" || len(text) > 15 || text == "." || text == ".." ||
				strings.ContainsFunc(text, func(r rune) bool { return r == '/' || r == ':' || r <= ' ' || r == 0x7f }) {
				return fmt.Errorf("%q is not the name of a device", text)
			}
			return nil
		}),
	}
}

// queueSyntax names a receive or transmit queue as sysfs does.
func queueSyntax() *syntax {
	return &syntax{
		want:    "want rx-N or tx-N",
		pattern: "^(rx|tx)-[0-9]+$",
		canon: func(text string) (string, error) {
			kind, number, ok := strings.Cut(text, "-")
			n, err := strconv.ParseUint(number, 10, 16)
			if !ok || err != nil || kind != "rx" && kind != "tx" {
				return "", fmt.Errorf("%q is not a queue", text)
			}
			return kind + "-" + strconv.FormatUint(n, 10), nil
		},
	}
}

// offloadSyntax maps the long names that ethtool -k prints to the short ones
// of ethtool -K; other names are the kernel's feature names.
func offloadSyntax() *syntax {
	s := wordSyntax("name of an offload", "-")
	s.want = "want gro, gso, tso, lro, rx-checksum, tx-checksum, sg, or a feature as `ethtool -k` prints it"
	check := s.canon
	s.canon = func(text string) (string, error) {
		switch text {
		case "generic-receive-offload":
			return "gro", nil
		case "generic-segmentation-offload":
			return "gso", nil
		case "tcp-segmentation-offload":
			return "tso", nil
		case "large-receive-offload":
			return "lro", nil
		case "rx", "rx-checksumming":
			return "rx-checksum", nil
		case "tx", "tx-checksumming":
			return "tx-checksum", nil
		case "scatter-gather":
			return "sg", nil
		}
		return check(text)
	}
	return s
}

// prefixSyntax is an address with its prefix length.
func prefixSyntax() *syntax {
	return &syntax{
		want:    "want an address with its prefix length, such as 192.0.2.1/24 or 2001:db8::1/64",
		pattern: "^[0-9A-Fa-f:.]+/[0-9]+$",
		canon: asWritten(func(text string) error {
			if _, err := netip.ParsePrefix(text); err != nil {
				return fmt.Errorf("%q is not an address with a prefix length", text)
			}
			return nil
		}),
	}
}

// enumSyntax is one of a few words.
func enumSyntax(words ...string) *syntax {
	return &syntax{
		want:    "want one of " + strings.Join(words, ", "),
		pattern: "^(" + strings.Join(words, "|") + ")$",
		canon: asWritten(func(text string) error {
			if !slices.Contains(words, text) {
				return fmt.Errorf("%q is not known here", text)
			}
			return nil
		}),
	}
}
