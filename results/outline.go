package results

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"netab/results/disk"
	"netab/results/vocab"
)

// An outline is what a list needs of a run: the first line and the last ones.
// Trials are the bulk of a file and are not read.
type outline struct {
	header briefHeader
	trials int
	reason string
}

// briefHeader is the part of a header that a list shows.
type briefHeader struct {
	Type    string `json:"type"`
	Schema  string `json:"schema"`
	ID      string `json:"id"`
	Design  Design `json:"design"`
	Machine struct {
		Kernel string `json:"kernel"`
	} `json:"machine"`
	Started time.Time `json:"started"`
}

func readHeader(path string) (briefHeader, error) {
	f, err := disk.Open(path)
	if err != nil {
		return briefHeader{}, err
	}
	defer f.Close()
	if IsCampaign(path) {
		return decodeCampaignHeader(f)
	}
	h, _, err := decodeHeader(f)
	return h, err
}

// decodeCampaignHeader reads the first line of a campaign's record.
func decodeCampaignHeader(r io.Reader) (h briefHeader, err error) {
	line, err := readLine(bufio.NewReader(r))
	if err != nil && !errors.Is(err, io.EOF) {
		return h, err
	}
	if err := json.Unmarshal(line, &h); err != nil {
		return h, lineError(1, err)
	}
	if h.Type != "campaign" {
		return h, fmt.Errorf("line 1: type %q, want campaign", h.Type)
	}
	return h, checkSchema(h.Schema, SchemaCampaign, "campaign")
}

// decodeHeader reads the first line and says how long it is.
func decodeHeader(r io.Reader) (briefHeader, int64, error) {
	var h briefHeader
	line, err := readLine(bufio.NewReader(r))
	if err != nil && !errors.Is(err, io.EOF) {
		return h, 0, err
	}
	if len(line) == 0 {
		return h, 0, errors.New("empty: a run file starts with its header")
	}
	if err := json.Unmarshal(line, &h); err != nil {
		return h, 0, lineError(1, err)
	}
	if h.Type != "header" {
		return h, 0, fmt.Errorf("line 1: type %q, want header", h.Type)
	}
	return h, int64(len(line)), checkSchema(h.Schema, SchemaRun, "run file")
}

func readOutline(path string) (outline, error) {
	f, err := disk.Open(path)
	if err != nil {
		return outline{}, err
	}
	defer f.Close()
	h, start, err := decodeHeader(f)
	if err != nil {
		return outline{}, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() > maxFile {
		err = fmt.Errorf("%w: a run file of more than %d MiB", disk.ErrTooLarge, maxFile>>20)
	}
	if err != nil {
		return outline{}, err
	}
	o := outline{header: h, reason: string(vocab.CutOff)}
	err = o.readTail(f, start, info.Size())
	return o, err
}

// readTail goes back line by line until it has seen a trial: its index tells
// how many there are.
func (o *outline) readTail(f io.ReaderAt, start, end int64) error {
	last := true // of its ends
	for end > start {
		begin, err := lineBegin(f, start, end)
		if err == nil && end-begin > maxLine {
			err = fmt.Errorf("%w: a line of more than %d MiB", disk.ErrTooLarge, maxLine>>20)
		}
		if err != nil {
			return err
		}
		head := lineHead(f, begin, end)
		switch head.Type {
		case "resumed":
			last = false // an end before it was none
		case "end":
			if !last {
				break
			}
			var e End
			line := make([]byte, end-begin)
			if _, err := f.ReadAt(line, begin); err != nil {
				return err
			}
			if json.Unmarshal(line, &e) == nil {
				o.reason = string(e.Reason)
			}
		case "trial":
			// A torn last line has a head too, but no newline at its end.
			if whole, err := endsLine(f, end); err != nil || whole {
				if head.Index < 0 || head.Index >= maxTrials {
					return fmt.Errorf("the last trial: index: %d is out of range (0 to %d)", head.Index, maxTrials-1)
				}
				o.trials = head.Index + 1
				return err
			}
		}
		end = begin
	}
	return nil
}

// lineBegin finds where the line begins that ends at end.
func lineBegin(f io.ReaderAt, start, end int64) (int64, error) {
	const chunk = 32 << 10
	buf := make([]byte, chunk)
	for hi := end - 1; hi > start; { // end-1: the line's own newline
		lo := max(start, hi-chunk)
		b := buf[:hi-lo]
		if _, err := f.ReadAt(b, lo); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
			return lo + int64(i) + 1, nil
		}
		hi = lo
	}
	return start, nil
}

func endsLine(f io.ReaderAt, end int64) (bool, error) {
	var b [1]byte
	_, err := f.ReadAt(b[:], end-1)
	return b[0] == '\n', err
}

// head is what netab writes first in each line.
type head struct {
	Type  string
	Index int
}

// lineHead reads type and index from the first bytes of a line without
// decoding the rest, which can be long. A line that is torn or foreign has no
// head; that is for the reader of the whole file to complain about.
func lineHead(f io.ReaderAt, begin, end int64) head {
	var h head
	dec := json.NewDecoder(io.NewSectionReader(f, begin, end-begin))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return h
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return h
		}
		switch key {
		case "type":
			err = dec.Decode(&h.Type)
		case "index":
			_ = dec.Decode(&h.Index)
			return h
		default:
			var skipped json.RawMessage
			err = dec.Decode(&skipped)
		}
		if err != nil || (h.Type != "" && h.Type != "trial") {
			return h
		}
	}
	return h
}
