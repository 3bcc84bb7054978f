package exact

import (
	"bytes"
	"debug/elf"
	"debug/gosym"
	"errors"
	"fmt"
	"strings"

	"netab/runner/guest/execlog"
)

// A marker says what an address of the guest's netab means, by the table that the
// runtime itself names functions by: a stripped program has it too. Its programs are
// linked to fixed addresses.
type marker struct{ table *gosym.Table }

func newMarker(program []byte) (*marker, error) {
	f, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines, text := f.Section(".gopclntab"), f.Section(".text")
	if lines == nil || text == nil {
		return nil, errors.New("it has no table of its functions (.gopclntab): it is no program of Go's")
	}
	data, err := lines.Data()
	if err != nil {
		return nil, err
	}
	table, err := gosym.NewTable(nil, gosym.NewLineTable(data, text.Addr))
	if err != nil {
		return nil, err
	}
	m := &marker{table}
	return m, m.complete()
}

// complete says so where a function that marks something is not there: it was inlined.
func (m *marker) complete() error {
	seen := map[string]bool{}
	for i := range m.table.Funcs {
		seen[short(m.table.Funcs[i].Name)] = true
	}
	for name := range marks {
		if !seen[name] {
			return fmt.Errorf("it has no function %s: it is another netab than this one", name)
		}
	}
	return nil
}

func (m *marker) mark(addr uint64) execlog.Mark {
	f := m.table.PCToFunc(addr)
	if f == nil {
		return execlog.Unknown
	}
	return marks[short(f.Name)]
}

// short is a function's name behind the path of its package.
func short(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// marks are functions that are not inlined.
var marks = map[string]execlog.Mark{
	"traffic.(*counting).countBegins": execlog.Begins,
	"traffic.(*counting).countEnds":   execlog.Ends,
	"traffic.(*counting).conduct":     execlog.OfOther,
	"traffic.(*counting).await":       execlog.OfOther,
	"traffic.(*counting).rest":        execlog.OfOther,
	"traffic.(*spinner).work":         execlog.Idle,
	"traffic.(*loop).transact":        execlog.OfSource,
	"traffic.(*loop).ask":             execlog.OfSource,
	"traffic.(*loop).hear":            execlog.OfSource,
	"traffic.(*loop).connect":         execlog.OfSource,
	"traffic.(*loop).exchange":        execlog.OfSource,
	"traffic.(*loop).countSource":     execlog.OfSource,
	"traffic.(*loop).countTurns":      execlog.OfSource,
	"traffic.(*loop).sendTurn":        execlog.OfSource,
	"traffic.(*loop).respond":         execlog.OfSink,
	"traffic.(*loop).answer":          execlog.OfSink,
	"traffic.(*loop).countSink":       execlog.OfSink,
	"traffic.(*loop).receiveTurn":     execlog.OfSink,
}
