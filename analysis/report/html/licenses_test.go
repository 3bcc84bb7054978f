package html

import (
	"html"
	"os"
	"regexp"
	"strings"
	"testing"

	"netab/analysis/report/sample"
)

// TestPageCarriesLicenses: whoever is sent a report has the notice and the
// licences of what draws its charts, as these ask.
func TestPageCarriesLicenses(t *testing.T) {
	text := html.UnescapeString(pageText(t, inputOf(sample.TCPWorld())))
	for _, want := range []string{
		"Apache ECharts 6.", "Apache License, Version 2.0",
		"Copyright 2017-2026 The Apache Software Foundation", "This product includes software developed at",
		"TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION",
		"Copyright 2010-2016 Mike Bostock", "Copyright (c) 2017, Baidu Inc.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// TestChartVersionIsLocked: the version that a page names is the one that it
// holds.
func TestChartVersionIsLocked(t *testing.T) {
	version, err := chartVersion()
	if err != nil {
		t.Fatal(err)
	}
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	locked := regexp.MustCompile(`"node_modules/echarts": \{\s*"version": "([^"]*)"`).FindSubmatch(lock)
	if locked == nil || string(locked[1]) != version {
		t.Errorf("the page names ECharts %q, package-lock.json has %q", version, locked)
	}
}
