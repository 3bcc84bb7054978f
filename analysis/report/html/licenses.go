package html

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

// licenses is the notice and the licences that must go wherever ECharts goes: a
// page holds ECharts, so it holds them. `make build` writes them; they are in
// git, so that they are never missing.
//
//go:embed assets/licenses.txt
var licenses string

//go:embed package.json
var chartPackage []byte

// chartVersion is the version of ECharts that the lock file brings.
func chartVersion() (string, error) {
	var p struct {
		Dependencies struct{ ECharts string }
	}
	if err := json.Unmarshal(chartPackage, &p); err != nil {
		return "", fmt.Errorf("report: package.json: %w", err)
	}
	return p.Dependencies.ECharts, nil
}
