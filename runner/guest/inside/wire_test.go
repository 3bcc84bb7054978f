package inside

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

// said is what a sender writes.
func said(t testing.TB, say ...func(*Sender) error) string {
	t.Helper()
	var b bytes.Buffer
	s := NewSender(&b)
	for _, f := range say {
		if err := f(s); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// TestWire: what is said arrives, whatever is in a line.
func TestWire(t *testing.T) {
	long := bytes.Repeat([]byte{0, 0xff, '"', '\n'}, chunk)
	whole := bytes.Repeat([]byte("x"), chunk)
	text := said(t,
		func(s *Sender) error {
			return s.Send(Message{Type: HelloType, Hello: &Hello{Protocol: protocol, Release: "6.1.0", Lacks: []string{"bpf: no"}}})
		},
		func(s *Sender) error { return s.Line(nil) },
		func(s *Sender) error { return s.Line([]byte(`{"type":"exit"}`)) },
		func(s *Sender) error { return s.Line(whole) },
		func(s *Sender) error { return s.Line(long) },
		func(s *Sender) error { return s.Send(Message{Type: SaidType, Data: []byte("\x1b[31mred")}) },
		func(s *Sender) error { return s.Send(Message{Type: ExitType, Exit: &Exit{Status: 3, Late: true}}) },
	)
	want := []Message{
		{Type: HelloType, Hello: &Hello{Protocol: protocol, Release: "6.1.0", Lacks: []string{"bpf: no"}}},
		{Type: LineType},
		{Type: LineType, Data: []byte(`{"type":"exit"}`)},
		{Type: LineType, Data: whole},
		{Type: LineType, Data: long},
		{Type: SaidType, Data: []byte("\x1b[31mred")},
		{Type: ExitType, Exit: &Exit{Status: 3, Late: true}},
	}
	r := NewReader(strings.NewReader(text))
	for _, w := range want {
		if got, err := r.Next(); err != nil || !reflect.DeepEqual(got, w) {
			t.Fatalf("%.200v, %v; want %.200v", got, err, w)
		}
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
	for line := range strings.Lines(text) {
		if len(line) > maxWire {
			t.Errorf("a message of %d bytes, which no host reads", len(line))
		}
	}
}

// TestGarbled: what no guest of ours says.
func TestGarbled(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"no JSON", "Linux version 6.1\n", `in "Linux version 6.1"`},
		{"no type", "{}\n", `a message of type ""`},
		{"another type", `{"type":"shell"}` + "\n", `a message of type "shell"`},
		{"an empty hello", `{"type":"hello"}` + "\n", "a hello without content"},
		{"an empty exit", `{"type":"exit"}` + "\n", "an exit without content"},
		{"another build", `{"type":"hello","hello":{"protocol":0}}` + "\n", "version 0 of the protocol"},
		{"no base64", `{"type":"line","data":"***"}` + "\n", "illegal base64"},
		{"no end", strings.Repeat("x", maxWire+1), "a message of more than"},
	} {
		_, err := NewReader(strings.NewReader(tt.text)).Next()
		if !errors.Is(err, ErrGarbled) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if _, err := NewReader(strings.NewReader(`{"type":"line"}`)).Next(); !errors.Is(err, io.EOF) {
		t.Errorf("cut off: %v", err)
	}
}

// A flood is a guest that sends one thing for ever, and says how much was taken.
type flood struct {
	text string
	at   int
	n    int64
}

func (f *flood) Read(p []byte) (int, error) {
	n := copy(p, f.text[f.at:])
	f.at = (f.at + n) % len(f.text)
	f.n += int64(n)
	return n, nil
}

// TestFlood: a line without an end takes no more memory than a line may have.
func TestFlood(t *testing.T) {
	part := Message{Type: LineType, Data: bytes.Repeat([]byte("x"), chunk), More: true}
	f := &flood{text: said(t, func(s *Sender) error { return s.Send(part) })}
	_, err := NewReader(f).Next()
	if !errors.Is(err, ErrGarbled) || f.n > 2*maxLine {
		t.Errorf("after %d bytes: %v", f.n, err)
	}
	f = &flood{text: said(t, func(s *Sender) error { return s.Line([]byte("x")) })}
	r := NewReader(f)
	r.left = 1 << 20
	for err = nil; err == nil; {
		_, err = r.Next()
	}
	if !errors.Is(err, ErrGarbled) || f.n > 2<<20 {
		t.Errorf("all in all after %d bytes: %v", f.n, err)
	}
}

// FuzzReader: whatever a guest sends, reading it ends, and what is held of it is
// bounded by what was sent.
func FuzzReader(f *testing.F) {
	f.Add([]byte(`{"type":"hello","hello":{"protocol":1,"release":"6.1"}}` + "\n" + `{"type":"line","data":"YQ==","more":true}` + "\n" + `{"type":"line","data":"Yg=="}` + "\n" + `{"type":"exit","exit":{"status":1}}` + "\n"))
	f.Add([]byte("\x00\xff\n{\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := NewReader(bytes.NewReader(data))
		held := 0
		for {
			m, err := r.Next()
			if err != nil {
				if !errors.Is(err, ErrGarbled) && !errors.Is(err, io.EOF) {
					t.Errorf("an error of another kind: %v", err)
				}
				return
			}
			if err := m.check(); err != nil {
				t.Errorf("%+v is let through: %v", m, err)
			}
			if held += len(m.Data); held > len(data) || m.More {
				t.Errorf("%d bytes of %d, %+v", held, len(data), m)
			}
		}
	})
}
