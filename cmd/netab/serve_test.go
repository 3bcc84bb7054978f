package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"netab/results"
)

func TestServeAnswers(t *testing.T) {
	runs, err := filepath.Glob("../../test/testdata/store/*/" + results.RunFile)
	if err != nil || len(runs) == 0 {
		t.Fatal(runs, err)
	}
	id := filepath.Base(filepath.Dir(runs[0]))
	root := newRoot()
	cmd, _, err := root.Find([]string{"serve"})
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	root.SetErr(&errs)
	if err := root.PersistentFlags().Set("store", copyStore(t)); err != nil {
		t.Fatal(err)
	}
	cmd.Flags().AddFlagSet(root.PersistentFlags())
	for _, tt := range []struct {
		method, host, path string
		status             int
		want               string
	}{
		{"GET", "127.0.0.1:80", "/", 200, `href="/report/` + id + `"`},
		{"GET", "localhost:80", "/", 200, "What does this store know?"},
		{"GET", "[::1]:80", "/", 200, "What does this store know?"},
		{"GET", "netab.example:80", "/", 403, ""},
		{"GET", "localhost.example", "/", 403, ""},
		{"GET", "", "/", 403, ""},
		{"POST", "127.0.0.1:80", "/", 405, ""},
		{"GET", "127.0.0.1:80", "/report/none", 404, ""},
		{"GET", "127.0.0.1:80", "/report/../" + id + "/run.jsonl", 404, ""},
		{"GET", "127.0.0.1:80", "/report/%2e%2e/%2e%2e/etc/passwd", 404, ""},
		{"GET", "127.0.0.1:80", "/" + id + "/run.jsonl", 404, ""},
	} {
		r := httptest.NewRequest(tt.method, "http://h"+tt.path, nil)
		r.Host = tt.host
		w := httptest.NewRecorder()
		(&storeServer{cmd: cmd}).ServeHTTP(w, r)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s %s of %q: %d %.200s", tt.method, tt.path, tt.host, w.Code, w.Body)
		}
	}
	r := httptest.NewRequest("GET", "http://127.0.0.1/report/"+id, nil)
	w := httptest.NewRecorder()
	(&storeServer{cmd: cmd}).ServeHTTP(w, r)
	// Without the chart library there is no report, and it says so.
	if text := w.Body.String(); w.Code != http.StatusOK && !strings.Contains(text, "make build") || w.Code == http.StatusOK && !strings.Contains(text, id) {
		t.Errorf("the report of %s: %d %.200s", id, w.Code, text)
	}
}

func TestServeListensOnLoopbackOnly(t *testing.T) {
	for text, ok := range map[string]bool{"127.0.0.1:0": true, "localhost:8080": true, "[::1]:0": true, "127.1.2.3:9": true,
		"0.0.0.0:80": false, "[::]:80": false, ":80": false, "192.0.2.1:80": false, "8080": false, "example.org:80": false, "127.0.0.1": false} {
		if _, err := loopbackAddress(text); (err == nil) != ok {
			t.Errorf("--listen %s: %v", text, err)
		}
	}
}
