package scenarios

import (
	"fmt"
	"strconv"
	"strings"
)

// dscp are the names of the code points (RFC 2474, 2597, 3246, 8622), which are the
// upper six bits of the byte.
func dscp(name string) (int, bool) {
	switch name = strings.ToLower(name); {
	case name == "ef":
		return 46, true
	case name == "le":
		return 1, true
	case len(name) == 3 && strings.HasPrefix(name, "cs") && name[2] >= '0' && name[2] <= '7':
		return int(name[2]-'0') << 3, true
	case len(name) == 4 && strings.HasPrefix(name, "af") && name[2] >= '1' && name[2] <= '4' && name[3] >= '1' && name[3] <= '3':
		return int(name[2]-'0')<<3 | int(name[3]-'0')<<1, true
	}
	return 0, false
}

// tosSyntax is the byte of the type of service. Its canonical form is the number; of 0,
// which every packet has, none.
func tosSyntax() *syntax {
	return &syntax{
		want:    "want 0 to 255 (also 0x20), or a DSCP such as ef, af41, cs1",
		pattern: "^(0[xX][0-9a-fA-F]+|[0-9]+|[eE][fF]|[lL][eE]|[cC][sS][0-7]|[aA][fF][1-4][1-3])$",
		canon: func(text string) (string, error) {
			tos, err := strconv.ParseUint(text, 0, 8)
			if point, ok := dscp(text); ok {
				tos, err = uint64(point)<<2, nil
			}
			switch {
			case err != nil:
				return "", fmt.Errorf("%q is no type of service", text)
			case tos == 0:
				return "", nil
			}
			return strconv.FormatUint(tos, 10), nil
		},
	}
}
