package kernel

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// An .rpm is a lead, a header of signatures, a header, and a compressed cpio archive:
// "Package File Format" of the RPM reference manual. Everything is big endian.
//
// Read here and not by a library: of the format this is all that is needed, and the
// libraries bring OpenPGP with them. Signatures are not checked; the checksum of the
// payload is.
const (
	rpmMagic    = "\xed\xab\xee\xdb"
	rpmLead     = 96
	headerMagic = "\x8e\xad\xe8\x01"

	rpmSource = 1 // of the lead's type

	maxHeaderEntries = 1 << 16
	maxHeader        = 64 << 20 // a kernel's, with its thousands of files, has some MB
)

// Tags of the header (lib/rpmtag.h).
const (
	tagName          = 1000
	tagVersion       = 1001
	tagRelease       = 1002
	tagArch          = 1022
	tagPayloadFormat = 1124
	tagPayloadDigest = 5092 // SHA-256 of the payload as it is in the file
)

// Types of tags.
const (
	typeString      = 6
	typeStringArray = 8
	typeI18N        = 9
)

// openRPM opens an RPM package.
func openRPM(r io.ReaderAt, size int64) (*archive, error) {
	lead := make([]byte, rpmLead)
	if _, err := r.ReadAt(lead, 0); err != nil || !bytes.HasPrefix(lead, []byte(rpmMagic)) {
		return nil, errors.New("it is no .rpm, or cut off in its first 96 bytes")
	}
	if binary.BigEndian.Uint16(lead[6:]) == rpmSource {
		return nil, errors.New("it is a source package: want a binary one, such as kernel-core or kernel-default")
	}
	_, off, err := rpmHeader(r, rpmLead, size)
	if err != nil {
		return nil, fmt.Errorf("its header of signatures: %w", err)
	}
	off = (off + 7) &^ 7
	tags, off, err := rpmHeader(r, off, size)
	if err != nil {
		return nil, fmt.Errorf("its header: %w", err)
	}
	if format := tags[tagPayloadFormat]; format != "" && format != "cpio" {
		return nil, fmt.Errorf("its payload is %q: want cpio", format)
	}
	a := &archive{info: packageInfo{name: tags[tagName], version: tags[tagVersion] + "-" + tags[tagRelease], arch: tags[tagArch]}}
	payload := io.NewSectionReader(r, off, size-off)
	if err := checkPayload(payload, tags[tagPayloadDigest]); err != nil {
		return nil, err
	}
	plain, err := decompress(payload)
	if err != nil {
		return nil, fmt.Errorf("its payload: %w", err)
	}
	files := cpioFiles(plain)
	a.next = func() (*entry, error) {
		e, err := files()
		if err != nil && !errors.Is(err, io.EOF) {
			err = fmt.Errorf("its payload is damaged: %w", err)
		}
		return e, err
	}
	return a, nil
}

// checkPayload holds it against its checksum.
func checkPayload(payload io.Reader, want string) error {
	if want == "" {
		return nil // before rpm 4.14
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, payload); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		return fmt.Errorf("it is cut off or damaged: the SHA-256 of its payload is %s, and its header says %s; fetch it again", got, want)
	}
	return nil
}

// rpmHeader reads a header at off: the first text of each tag that is one, and where
// the header ends.
func rpmHeader(r io.ReaderAt, off, size int64) (tags map[uint32]string, end int64, err error) {
	const intro, indexEntry = 16, 16
	cut := fmt.Errorf("it is cut off at byte %d: fetch it again", size)
	head := make([]byte, intro)
	if off+intro > size {
		return nil, 0, cut
	}
	if _, err := r.ReadAt(head, off); err != nil {
		return nil, 0, err
	}
	if string(head[:4]) != headerMagic {
		return nil, 0, fmt.Errorf("at byte %d there is none: the file is damaged; fetch it again", off)
	}
	entries, store := int64(binary.BigEndian.Uint32(head[8:])), int64(binary.BigEndian.Uint32(head[12:]))
	if entries > maxHeaderEntries || store > maxHeader {
		return nil, 0, fmt.Errorf("it has %d entries and %d bytes, more than any package: the file is damaged", entries, store)
	}
	off += intro
	if off+entries*indexEntry+store > size {
		return nil, 0, cut
	}
	data := make([]byte, entries*indexEntry+store)
	if _, err := r.ReadAt(data, off); err != nil {
		return nil, 0, err
	}
	index, text := data[:entries*indexEntry], data[entries*indexEntry:]
	tags = map[uint32]string{}
	for e := range slices.Chunk(index, indexEntry) {
		tag, kind, at := binary.BigEndian.Uint32(e), binary.BigEndian.Uint32(e[4:]), binary.BigEndian.Uint32(e[8:])
		if kind != typeString && kind != typeStringArray && kind != typeI18N || int64(at) >= store {
			continue
		}
		value, _, ended := bytes.Cut(text[at:], []byte{0})
		if ended {
			tags[tag] = string(value)
		}
	}
	return tags, off + int64(len(data)), nil
}

// cpioFiles gives the regular files of a newc archive (cpio(5)). Of hard links only
// the last has the content, and only that is given.
func cpioFiles(r io.Reader) func() (*entry, error) {
	const header, maxName = 110, 4096
	const regular, format = 0o100000, 0o170000
	var left, pad int64 // of the last file
	return func() (*entry, error) {
		for {
			if _, err := io.CopyN(io.Discard, r, left+pad); err != nil {
				return nil, cutOff(err)
			}
			left, pad = 0, 0
			head := make([]byte, header)
			if _, err := io.ReadFull(r, head); err != nil {
				return nil, cutOff(err)
			}
			if magic := string(head[:6]); magic != "070701" && magic != "070702" {
				return nil, fmt.Errorf("%q is no header of a file in a cpio archive", magic)
			}
			field := func(i int) (v int64) {
				n, err := strconv.ParseUint(string(head[6+8*i:14+8*i]), 16, 32)
				if err != nil {
					return -1
				}
				return int64(n)
			}
			mode, size, nameSize := field(1), field(6), field(11)
			if mode < 0 || size < 0 || nameSize < 1 || nameSize > maxName {
				return nil, errors.New("the header of a file in the cpio archive is no hexadecimal numbers, or its name is too long")
			}
			name := make([]byte, nameSize+padding(header+nameSize))
			if _, err := io.ReadFull(r, name); err != nil {
				return nil, cutOff(err)
			}
			name, _, _ = bytes.Cut(name[:nameSize], []byte{0})
			if string(name) == "TRAILER!!!" {
				return nil, io.EOF
			}
			left, pad = size, padding(size)
			if mode&format == regular && size > 0 {
				return &entry{string(name), &counted{r, &left}}, nil
			}
		}
	}
}

// padding is up to the next multiple of 4.
func padding(n int64) int64 { return -n & 3 }

// cutOff makes an end where none may be an error.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// counted reads what is left of a file.
type counted struct {
	r    io.Reader
	left *int64
}

func (c *counted) Read(p []byte) (int, error) {
	if *c.left == 0 {
		return 0, io.EOF
	}
	n, err := c.r.Read(p[:min(int64(len(p)), *c.left)])
	*c.left -= int64(n)
	if *c.left > 0 {
		err = cutOff(err)
	} else if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}
