package html

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"strings"

	"netab/analysis"
	"netab/analysis/escape"
	"netab/analysis/prose"
	"netab/results"
)

// Input is what one page shows.
type Input struct {
	// Runs and Summaries go together by index; each pair is one section.
	Runs      []*results.Run
	Summaries []analysis.Summary
	// Compare judges the runs against each other (analysis.Compare); it stands
	// first, with what else differs between the runs on top. nil = none. Of a campaign
	// (analysis.JudgeCampaign) it is all of the page, and the runs, which may be none,
	// are as analysis.CampaignGroups has them.
	Compare *analysis.Summary
}

//go:embed page
var pageFiles embed.FS

// assetFiles holds ECharts, if `make build` has fetched it. The folder has
// another file too, so that this compiles on a fresh clone.
//
//go:embed assets
var assetFiles embed.FS

const echartsFile = "assets/echarts.min.js"

// Runs writes one self-contained page: it opens from a file, makes no request
// and needs nothing beside it. The same input gives the same bytes.
func Runs(w io.Writer, in Input) error { return writeRuns(w, in, assetFiles) }

func writeRuns(w io.Writer, in Input, assets fs.FS) error {
	if len(in.Runs) == 0 && (in.Compare == nil || in.Compare.Campaign == nil) {
		return errors.New("report: no run given: nothing to show")
	}
	if len(in.Runs) != len(in.Summaries) && (in.Compare == nil || in.Compare.Campaign == nil) {
		return fmt.Errorf("report: %d runs but %d summaries: each run needs its own", len(in.Runs), len(in.Summaries))
	}
	echarts, err := chartLibrary(assets)
	if err != nil {
		return err
	}
	p, err := newPage(in)
	if err != nil {
		return err
	}
	var more []string
	if p.hasFlames() {
		more = []string{"flame.js"}
	}
	if err := p.embed(echarts, more...); err != nil {
		return err
	}
	return execute(w, "page.html.tmpl", p)
}

// chartLibrary is what draws the charts of every page.
func chartLibrary(assets fs.FS) (string, error) {
	echarts, err := fs.ReadFile(assets, echartsFile)
	if err != nil {
		return "", fmt.Errorf("report: the chart library is not in this binary: build it with `make build` (needs npm once)")
	}
	return string(echarts), nil
}

// execute writes a page by its template.
func execute(w io.Writer, name string, page any) error {
	tmpl, err := template.New(name).Funcs(pageFuncs).ParseFS(pageFiles, "page/*.tmpl")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	var b bytes.Buffer
	if err := tmpl.Execute(&b, page); err != nil {
		return err
	}
	_, err = w.Write(escape.HTML(b.Bytes()))
	return err
}

// embed puts style and scripts into the page, more of our own too, and allows exactly
// these to run.
func (p *frame) embed(echarts string, more ...string) error {
	js, err := pageFiles.ReadFile("page/report.js")
	if err != nil {
		return err
	}
	for _, name := range more {
		other, err := pageFiles.ReadFile("page/" + name)
		if err != nil {
			return err
		}
		js = append(js, other...)
	}
	if p.ChartVersion, err = chartVersion(); err != nil {
		return err
	}
	p.Licenses = licenses
	p.ECharts, p.Script = template.JS(echarts), template.JS(js)
	return p.allow(echarts, string(js))
}

// embedPlain is embed of a page without charts, which has scripts of its own.
func (p *frame) embedPlain(scripts ...string) error {
	var all []byte
	for _, name := range scripts {
		js, err := pageFiles.ReadFile("page/" + name)
		if err != nil {
			return err
		}
		all = append(all, js...)
	}
	p.Script = template.JS(all)
	return p.allow(string(all))
}

// allow puts the style in and allows these scripts to run.
func (p *frame) allow(scripts ...string) error {
	css, err := pageFiles.ReadFile("page/report.css")
	if err != nil {
		return err
	}
	p.Style = template.CSS(css)
	var sources []string
	for _, script := range scripts {
		if strings.Contains(script, "</script") || strings.Contains(script, "<!--") {
			return errors.New("report: a script to embed would end its own element")
		}
		if !bytes.Equal(escape.HTML([]byte(script)), []byte(script)) {
			return errors.New("report: a script to embed has characters that nobody sees")
		}
		sources = append(sources, "'"+hashSource(script)+"'")
	}
	// ECharts writes style attributes for its tooltips; scripts run by hash
	// only, so that text from a record can never become code.
	p.Policy = fmt.Sprintf("default-src 'none'; script-src %s; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'", strings.Join(sources, " "))
	return nil
}

// hashSource is a Content-Security-Policy source of one inline script.
func hashSource(script string) string {
	sum := sha256.Sum256([]byte(script))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// pageFuncs are what the template needs beyond the view.
var pageFuncs = template.FuncMap{
	"minus":   prose.Typographic,
	"count":   prose.Grouped,
	"anchor":  func(parts ...string) string { return strings.Join(parts, "-") },
	"percent": prose.ShortPercent,
	"short":   prose.Short,
	"seconds": prose.Seconds,
	"color":   func(name string) template.CSS { return template.CSS("var(" + name + ")") },
}
