// Package packet sends UDP datagrams as ready-made Ethernet frames through an
// AF_PACKET socket with a ring that it shares with the kernel: the fastest way
// from user space to a device, and the stand-in for pktgen where the kernel has
// none.
//
// The frames of all slots are made once and never written again. Rewriting one
// would be wrong, not just slow: over lo and veth a slot is given back before
// the receiver has copied its payload. So every datagram of a slot is the same,
// and what shall vary (source port, IP identification) varies from slot to
// slot. Datagrams with sequence numbers or times in them need another source.
//
// It is by hand because the libraries for Go have no ring to send through
// (mdlayher/packet none at all, gopacket's afpacket one to receive from).
package packet

import (
	"errors"
	"fmt"
	"math/bits"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// dataOffset is where the frame begins in a slot: behind the header, rounded up
// (tpacket_parse_header in net/packet/af_packet.c).
const dataOffset = (unix.SizeofTpacket2Hdr + unix.TPACKET_ALIGNMENT - 1) &^ (unix.TPACKET_ALIGNMENT - 1)

// waitLimit is for how long Send waits for a free slot, so that its caller sees
// in between that it shall stop: an AF_PACKET socket cannot be shut down.
const waitLimit = 100e6 // ns

// A Source is a ring of frames and the socket that sends them. It is for one
// thread.
type Source struct {
	fd      int
	memory  []byte
	words   []uint32 // memory as words; the first one of a slot is its status
	shift   uint     // slot to word
	mask    uint32
	next    uint32 // the slot to be sent next, which is the kernel's next one too
	batch   int
	payload int64
	poll    unix.PollFd
	limit   unix.Timespec // ppoll writes the rest of the time here
}

// Open makes the ring in the network namespace of the calling thread. It needs
// CAP_NET_RAW, and CAP_NET_ADMIN for a send buffer beyond net.core.wmem_max,
// without which the ring may become smaller.
func Open(c Config) (*Source, error) {
	link, err := lookUp(c.Device)
	if err != nil {
		return nil, err
	}
	if c, err = c.withDefaults(link.MTU); err != nil {
		return nil, err
	}
	// Without a protocol the socket receives nothing; the kernel takes that of
	// each frame from its Ethernet header.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if errors.Is(err, unix.EPERM) {
		return nil, fmt.Errorf("open packet socket: %w: needs root or CAP_NET_RAW", err)
	}
	if err != nil {
		return nil, fmt.Errorf("open packet socket: %w", err)
	}
	s := &Source{fd: fd, batch: c.Batch, payload: int64(c.Payload)}
	if err := s.setUp(c, link.Index); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", c.Device, err), s.Close())
	}
	return s, nil
}

func (s *Source) setUp(c Config, index int) error {
	if !c.Qdisc {
		if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1); err != nil {
			return fmt.Errorf("bypass the qdisc: %w", err)
		}
	}
	if err := s.share(c); err != nil {
		return err
	}
	if err := unix.Bind(s.fd, &unix.SockaddrLinklayer{Ifindex: index}); err != nil {
		return fmt.Errorf("bind packet socket: %w", err)
	}
	for slot := range s.mask + 1 {
		s.fill(c, slot)
	}
	s.poll = unix.PollFd{Fd: int32(s.fd), Events: unix.POLLOUT}
	return nil
}

// share makes the ring and maps it. The option PACKET_LOSS stays off: with it the kernel
// passes over frames that it cannot send as if it had sent them.
func (s *Source) share(c Config) error {
	if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V2); err != nil {
		return fmt.Errorf("choose TPACKET_V2: %w", err)
	}
	c, err := fitSendBuffer(s.fd, c)
	if err != nil {
		return err
	}
	// Slots of a power of two fill the blocks without gaps, and so the memory.
	page := os.Getpagesize()
	frame := max(powerOfTwo(dataOffset+c.headers()+c.Payload), page/c.Slots)
	block := max(frame, page)
	ring := unix.TpacketReq{Block_size: uint32(block), Block_nr: uint32(c.Slots * frame / block),
		Frame_size: uint32(frame), Frame_nr: uint32(c.Slots)}
	if err := unix.SetsockoptTpacketReq(s.fd, unix.SOL_PACKET, unix.PACKET_TX_RING, &ring); err != nil {
		return fmt.Errorf("make a ring of %d frames of %d bytes: %w", c.Slots, frame, err)
	}
	memory, err := unix.Mmap(s.fd, 0, c.Slots*frame, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("map the ring: %w", err)
	}
	s.memory = memory
	s.words = unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(memory))), len(memory)/4)
	s.shift = uint(bits.TrailingZeros(uint(frame / 4)))
	s.mask = uint32(c.Slots - 1)
	return nil
}

// fill makes the frame of one slot.
func (s *Source) fill(c Config, slot uint32) {
	start := int(slot) << s.shift * 4
	b := s.memory[start+dataOffset : start+dataOffset]
	frame := c.appendFrame(b, c.Source.Port()+uint16(int(slot)%c.Ports), uint16(slot))
	(*unix.Tpacket2Hdr)(unsafe.Pointer(&s.memory[start])).Len = uint32(len(frame))
}

// packetCost is what we reckon that the kernel charges the send buffer for a
// packet besides its payload. It is 870 bytes here, others were seen to take 770
// to 1300. It must not be more than twice the truth, see fitSendBuffer.
const packetCost = 1500

// fitSendBuffer makes room for all slots, or takes fewer slots where it may not.
// More room than for twice the slots would be wrong: poll(2) says that the
// socket is writable while less than half of its send buffer is used, even when
// no slot is free. With less it is the other way round: a slot is free, and poll
// does not wait for room. In both cases a waiting source would spin.
func fitSendBuffer(fd int, c Config) (Config, error) {
	for ; c.Slots >= c.Ports; c.Slots /= 2 {
		size := c.Slots * (packetCost + c.Payload) / 2 // the kernel doubles it
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, size) == nil {
			return c, nil
		}
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, size); err != nil {
			return c, fmt.Errorf("set send buffer: %w", err)
		}
		got, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF)
		if err != nil {
			return c, fmt.Errorf("read send buffer: %w", err)
		}
		if got >= 2*size {
			return c, nil
		}
	}
	return c, fmt.Errorf("no send buffer for a slot for each of %d ports: run as root, or raise net.core.wmem_max", c.Ports)
}

// Close gives the ring back. What is under way still arrives.
func (s *Source) Close() error {
	var errs []error
	if s.memory != nil {
		s.words = nil
		errs = append(errs, unix.Munmap(s.memory))
		s.memory = nil
	}
	return errors.Join(append(errs, unix.Close(s.fd))...)
}
