package export

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"testing"

	"netab/analysis/report/sample"
)

func TestCSV(t *testing.T) {
	run := sample.MatrixWorld().Run()
	run.Trials[0].Slices[0].Invalid = "stalled, \"twice\""
	run.Trials[0].Slices[1].CountedNS = 0
	run.Trials[0].Slices[2].Arm = 99
	var b bytes.Buffer
	if err := CSV(&b, run); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	slices := 0
	for _, tr := range run.Trials {
		slices += len(tr.Slices)
	}
	if len(rows) != slices+1 {
		t.Errorf("%d rows, want a heading and %d slices", len(rows), slices)
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	for i, want := range map[int]string{1: `stalled, "twice"`, 2: "", 3: ""} {
		if got := rows[i][at["invalid"]]; got != want {
			t.Errorf("row %d: invalid is %q, want %q", i, got, want)
		}
	}
	if got := rows[2][at["goodput_bps"]]; got != "" {
		t.Errorf("a slice without time has the rate %q", got)
	}
	if got := rows[3][at["arm"]] + rows[3][at["factor_rps"]]; got != "arm 99" {
		t.Errorf("an arm that does not exist is called %q", got)
	}
	s := run.Trials[1].Slices[4]
	row := rows[1+len(run.Trials[0].Slices)+4]
	if row[at["rx_bytes"]] != strconv.FormatInt(s.RxBytes, 10) || row[at["arm"]] != run.Header.Design.Arms[s.Arm].Name {
		t.Errorf("row %v does not tell of slice %+v", row, s)
	}
	level := run.Header.Design.Arms[s.Arm].Levels[0].Value
	if row[at["factor_message"]] != level {
		t.Errorf("factor_message is %q, want %q", row[at["factor_message"]], level)
	}
}

func TestCSVOfRequests(t *testing.T) {
	run := sample.Requests()
	run.Header.Design.Arms[1].Rate = 12.5
	var b bytes.Buffer
	if err := CSV(&b, run); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	for i, s := range run.Trials[0].Slices {
		row := rows[i+1]
		offered := []string{"", "12.5"}[s.Arm]
		if row[at["transactions"]] != strconv.FormatInt(s.Transactions, 10) || row[at["offered_rate"]] != offered ||
			row[at["beside_bulk_rx_bytes"]] != strconv.FormatInt(s.Beside["bulk"].RxBytes, 10) {
			t.Fatalf("row %v does not tell of slice %+v", row, s)
		}
	}
}
