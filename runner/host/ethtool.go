package host

import (
	"bytes"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Commands of SIOCETHTOOL that x/sys does not name (include/uapi/linux/ethtool.h).
const (
	ethtoolStrings     = 0x1b
	ethtoolStringSets  = 0x37
	ethtoolGetFeatures = 0x3a
	ethtoolSetFeatures = 0x3b
	ethtoolGetChannels = 0x3c
	ethtoolSetChannels = 0x3d

	ethtoolFeatureNames = 4 // enum ethtool_stringset
	ethtoolStringLen    = 32
)

// An ethtoolSocket asks one device. It is ours and not safchain/ethtool's
// because that library hands the kernel a uintptr of a variable on the
// goroutine's stack: a collection that moves the stack before the system call
// makes the kernel write elsewhere, and every feature reads false.
type ethtoolSocket struct {
	fd     int
	device string
}

// withEthtool opens the ioctl socket in the namespace of the calling thread.
func withEthtool(device, what string, do func(ethtoolSocket) error) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("ethtool: %w", err)
	}
	defer unix.Close(fd)
	if err := do(ethtoolSocket{fd: fd, device: device}); err != nil {
		return fmt.Errorf("%s: %s: %w", device, what, err)
	}
	return nil
}

// call makes one request. All of ethtool's structs are arrays of 32-bit words
// of which the first is the command; request has room for the answer.
func (e ethtoolSocket) call(request []uint32) error {
	if len(e.device) >= unix.IFNAMSIZ {
		return unix.ENODEV
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&request[0])
	req := &struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte // the rest of struct ifreq's union
	}{data: unsafe.Pointer(&request[0])}
	copy(req.name[:], e.device)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(e.fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(req))); errno != 0 {
		return errno
	}
	return nil
}

// featureNames reads the string set whose indices are the bits of a feature
// mask.
func (e ethtoolSocket) featureNames() ([]string, error) {
	// struct ethtool_sset_info: cmd, reserved, 64-bit mask, a length per set.
	sets := []uint32{ethtoolStringSets, 0, 1 << ethtoolFeatureNames, 0, 0}
	if err := e.call(sets); err != nil {
		return nil, err
	}
	n := int(sets[4])
	// struct ethtool_gstrings: cmd, set, length, then the strings.
	request := make([]uint32, 3+n*ethtoolStringLen/4)
	request[0], request[1], request[2] = ethtoolStrings, ethtoolFeatureNames, uint32(n)
	if err := e.call(request); err != nil {
		return nil, err
	}
	text := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(request[3:]))), n*ethtoolStringLen)
	names := make([]string, n)
	for i := range names {
		name, _, _ := bytes.Cut(text[i*ethtoolStringLen:(i+1)*ethtoolStringLen], []byte{0})
		names[i] = string(name)
	}
	return names, nil
}

// features reads the state of every named feature.
func (e ethtoolSocket) features() (map[string]Feature, error) {
	names, err := e.featureNames()
	if err != nil {
		return nil, err
	}
	// struct ethtool_gfeatures: cmd, size, then per 32 features the masks
	// available, requested, active and never changed.
	blocks := (len(names) + 31) / 32
	request := make([]uint32, 2+4*blocks)
	request[0], request[1] = ethtoolGetFeatures, uint32(blocks)
	if err := e.call(request); err != nil {
		return nil, err
	}
	out := make(map[string]Feature, len(names))
	for i, name := range names {
		if name == "" {
			continue
		}
		block := request[2+4*(i/32):]
		bit := func(mask int) bool { return block[mask]>>(i%32)&1 == 1 }
		// A feature that the driver does not offer at all reads "available"
		// false: it can be neither switched nor asked for.
		out[name] = Feature{Active: bit(2), Requested: bit(1), Fixed: bit(3) || !bit(0)}
	}
	return out, nil
}

// setFeatures changes the named features.
func (e ethtoolSocket) setFeatures(features map[string]bool) error {
	names, err := e.featureNames()
	if err != nil {
		return err
	}
	// struct ethtool_sfeatures: cmd, size, then per 32 features the masks valid
	// and requested.
	blocks := (len(names) + 31) / 32
	request := make([]uint32, 2+2*blocks)
	request[0], request[1] = ethtoolSetFeatures, uint32(blocks)
	known := 0
	for i, name := range names {
		on, asked := features[name]
		if !asked || name == "" {
			continue
		}
		known++
		request[2+2*(i/32)] |= 1 << (i % 32)
		if on {
			request[3+2*(i/32)] |= 1 << (i % 32)
		}
	}
	if known != len(features) {
		return fmt.Errorf("the kernel does not know all of the features %v", features)
	}
	return e.call(request)
}

// channels reads the queue counts. struct ethtool_channels: cmd, the four
// maxima, the four counts.
func (e ethtoolSocket) channels() (Channels, error) {
	r := make([]uint32, 9)
	r[0] = ethtoolGetChannels
	err := e.call(r)
	return Channels{MaxRX: int(r[1]), MaxTX: int(r[2]), MaxOther: int(r[3]), MaxCombined: int(r[4]),
		RX: int(r[5]), TX: int(r[6]), Other: int(r[7]), Combined: int(r[8])}, err
}

func (e ethtoolSocket) setChannels(c Channels) error {
	return e.call([]uint32{ethtoolSetChannels, 0, 0, 0, 0, uint32(c.RX), uint32(c.TX), uint32(c.Other), uint32(c.Combined)})
}
