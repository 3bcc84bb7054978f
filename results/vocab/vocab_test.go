package vocab

import (
	"go/ast"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"netab/test/sources"
)

func TestKinds(t *testing.T) {
	for _, tt := range []struct {
		kind                                 Kind
		answers, transacts, connects, oneWay bool
		protocols                            int
	}{
		{"", false, false, false, true, 4},
		{Stream, false, false, false, true, 4},
		{RR, true, true, false, false, 4},
		{CRR, true, true, true, false, 1},
		{Conn, false, true, true, false, 2},
		{Flood, false, false, false, true, 1},
		{Multicast, false, false, false, true, 1},
		{"of a newer netab", false, false, false, false, 4},
	} {
		k := tt.kind
		if k.Answers() != tt.answers || k.Transacts() != tt.transacts || k.Connects() != tt.connects || k.OneWay() != tt.oneWay || len(k.Protocols()) != tt.protocols {
			t.Errorf("%q: answers %v, transacts %v, connects %v, one way %v, protocols %v; want %+v", k, k.Answers(), k.Transacts(), k.Connects(), k.OneWay(), k.Protocols(), tt)
		}
	}
}

func TestEnds(t *testing.T) {
	for _, tt := range []struct {
		end           End
		failed, whole bool
	}{
		{Decided, false, true}, {MaxTime, false, true}, {Interrupted, false, false}, {CutOff, false, false},
		{FailedBy(fs.ErrNotExist), true, false}, {"", false, false},
	} {
		if tt.end.Failed() != tt.failed || tt.end.Whole() != tt.whole {
			t.Errorf("%q: failed %v, whole %v; want %+v", tt.end, tt.end.Failed(), tt.end.Whole(), tt)
		}
	}
}

// TestWordsStandHere: nobody compares with a literal, which a compiler cannot tell
// from a misspelt one. Programs under bench/ that must share nothing with what they
// check, and other programs' command lines, have words of their own.
func TestWordsStandHere(t *testing.T) {
	words := slices.Concat(Words(Kinds()), Words(Protocols()), Words(Topologies()), Words([]Grain{BySlice, BySliceSwitched}), Words([]End{Decided, MaxTime, Interrupted, CutOff}))
	const kernels = "device_move.go" // compares with the kernel's word for a link
	for _, path := range sources.Files(t) {
		if strings.HasPrefix(path, "bench/") || strings.HasPrefix(path, "results/vocab/") || strings.HasPrefix(path, "analysis/report/sample/") { // records of any netab
			continue
		}
		set, file := sources.Parse(t, path, 0)
		literal := func(e ast.Expr) {
			if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
				if word, _ := strconv.Unquote(l.Value); slices.Contains(words, word) {
					t.Errorf("%s: a literal %s, of which package vocab has the constant", set.Position(l.Pos()), l.Value)
				}
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpr:
				if (n.Op == token.EQL || n.Op == token.NEQ) && filepath.Base(path) != kernels {
					literal(n.X)
					literal(n.Y)
				}
			case *ast.CaseClause:
				for _, e := range n.List {
					literal(e)
				}
			case *ast.KeyValueExpr:
				if l, ok := n.Value.(*ast.BasicLit); ok && l.Kind == token.STRING && isIdent(n.Key, "Code") {
					t.Errorf("%s: a warning's code that Warns or Doubts did not declare", set.Position(l.Pos()))
				}
			}
			return true
		})
	}
}

func isIdent(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// TestCodes: two packages may raise a warning, but not with two severities.
func TestCodes(t *testing.T) {
	defer func(was map[Code]bool) { serious = was }(serious)
	serious = map[Code]bool{}
	if a, b := Warns("a"), Doubts("b"); a.Serious() || !b.Serious() || Code("of a newer netab").Serious() || Warns("a") != a {
		t.Error("severities are not as declared")
	}
	if got := Codes(); !slices.Equal(got, []Code{"a", "b"}) {
		t.Errorf("Codes() = %v", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("a code was declared with two severities")
		}
	}()
	Doubts("a")
}
