package paths

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// segments are datagrams as UDP_SEGMENT cuts them: two whole ones and a rest.
const segment = 100

var segments = bytes.Repeat([]byte("0123456789"), 25)

// trySegment has the kernel cut one message.
func trySegment() (string, error) {
	p, err := udpPair()
	if err != nil {
		return "", err
	}
	defer p.close()
	if err := sendSegments(p.source); err != nil {
		return "", err
	}
	for rest := segments; len(rest) > 0; {
		n := min(segment, len(rest))
		if err := expect(p.sink, rest[:n], receive); err != nil {
			return "", err
		}
		rest = rest[n:]
	}
	return "", nil
}

func sendSegments(fd int) error {
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_SEGMENT, segment); err != nil {
		return err
	}
	return again(func() error { return send(fd, segments) })
}

// tryGRO receives at once what was sent at once, with the size of its pieces.
func tryGRO() (string, error) {
	p, err := udpPair()
	if err != nil {
		return "", err
	}
	defer p.close()
	if err := unix.SetsockoptInt(p.sink, unix.IPPROTO_UDP, unix.UDP_GRO, 1); err != nil {
		return "", err
	}
	if err := sendSegments(p.source); err != nil {
		return "not tried: no UDP_SEGMENT here", nil
	}
	size := 0
	err = expect(p.sink, segments, func(fd int, buf []byte) (int, error) {
		oob := make([]byte, unix.CmsgSpace(4))
		n, oobn, _, _, err := unix.Recvmsg(fd, buf, oob, 0)
		if err != nil {
			return n, err
		}
		messages, err := unix.ParseSocketControlMessage(oob[:oobn])
		for _, m := range messages {
			if m.Header.Level == unix.IPPROTO_UDP && m.Header.Type == unix.UDP_GRO && len(m.Data) >= 4 {
				size = int(binary.NativeEndian.Uint32(m.Data))
			}
		}
		return n, err
	})
	if err == nil && size != segment {
		err = fmt.Errorf("the kernel says that datagrams of %d bytes have %d", segment, size)
	}
	return "", err
}
