package paths

import (
	"strings"
	"testing"
)

func TestCongestion(t *testing.T) {
	for _, name := range []string{"", "cubic"} {
		if err := Congestion(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := Congestion("nope"); err == nil || !strings.Contains(err.Error(), `no "nope", only `) || !strings.Contains(err.Error(), "cubic") {
		t.Errorf("nope: %v", err)
	}
}
