package paths

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"unsafe"

	"golang.org/x/sys/unix"
)

// localExperiment is an EtherType that no protocol listens to (IEEE 802).
const localExperiment = 0x88b5

// tryPacket sends one frame over lo through a TX ring that bypasses the qdisc,
// and receives it with a packet socket
// (Documentation/networking/packet_mmap.rst).
func tryPacket() (string, error) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		return "", fmt.Errorf("lo: %w", err)
	}
	sink, err := packetSocket(lo.Index, localExperiment)
	if err != nil {
		return "", err
	}
	defer unix.Close(sink)
	source, err := packetSocket(lo.Index, 0) // receives nothing
	if err != nil {
		return "", err
	}
	defer unix.Close(source)
	for _, option := range [][2]int{{unix.PACKET_VERSION, unix.TPACKET_V2}, {unix.PACKET_QDISC_BYPASS, 1}} {
		if err := unix.SetsockoptInt(source, unix.SOL_PACKET, option[0], option[1]); err != nil {
			return "", err
		}
	}
	size := unix.Getpagesize()
	ring := &unix.TpacketReq{Block_size: uint32(size), Block_nr: 1, Frame_size: uint32(size), Frame_nr: 1}
	if err := unix.SetsockoptTpacketReq(source, unix.SOL_PACKET, unix.PACKET_TX_RING, ring); err != nil {
		return "", fmt.Errorf("PACKET_TX_RING: %w", err)
	}
	memory, err := unix.Mmap(source, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return "", fmt.Errorf("map the ring: %w", err)
	}
	defer unix.Munmap(memory)
	frame := make([]byte, 14, 60)
	binary.BigEndian.PutUint16(frame[12:], localExperiment)
	frame = append(frame, "netab tries a packet socket"...)
	copy(memory[txData:], frame)
	header := (*unix.Tpacket2Hdr)(unsafe.Pointer(&memory[0]))
	header.Len = uint32(len(frame))
	header.Status = unix.TP_STATUS_SEND_REQUEST
	var n int
	err = again(func() (err error) {
		n, err = answer(unix.Syscall6(unix.SYS_SENDTO, uintptr(source), 0, 0, 0, 0, 0))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("send: %w", err)
	}
	if n != len(frame) {
		return "", fmt.Errorf("sent %d of %d bytes", n, len(frame))
	}
	// lo has looped the frame back by now, once as sent, once as received.
	if err := expect(sink, bytes.Clone(frame), receive); err != nil {
		return "", err
	}
	return "IPv4 over lo needs route_localnet and accept_local", nil
}

// txData is where a frame begins behind its header in a TX ring: the header's
// size aligned to TPACKET_ALIGNMENT (tpacket_fill_skb: tp_hdrlen - sizeof(struct
// sockaddr_ll)).
const txData = (unsafe.Sizeof(unix.Tpacket2Hdr{}) + 15) &^ 15

func packetSocket(device, protocol int) (int, error) {
	fd, err := open(unix.AF_PACKET, unix.SOCK_RAW, 0)
	if err != nil {
		return -1, err
	}
	bigEndian := uint16(protocol>>8 | protocol&0xff<<8)
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: bigEndian, Ifindex: device}); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("bind to lo: %w", err)
	}
	return fd, nil
}
