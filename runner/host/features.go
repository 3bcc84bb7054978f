package host

import (
	"bytes"
	"fmt"
	"unsafe"
)

// Commands of SIOCETHTOOL that x/sys does not name (include/uapi/linux/ethtool.h).
const (
	ethtoolStrings     = 0x1b
	ethtoolStringSets  = 0x37
	ethtoolGetFeatures = 0x3a
	ethtoolSetFeatures = 0x3b

	ethtoolFeatureNames = 4 // enum ethtool_stringset
	ethtoolStringLen    = 32
	maxFeatures         = 1024 // netdev_features_t has 64 bits
)

// A Feature is the state of one ethtool feature.
type Feature struct {
	Active    bool
	Fixed     bool // the driver never changes it
	Requested bool
}

// Features are a device's ethtool features by kernel name ("rx-gro").
func Features(h Host, device string) (map[string]Feature, error) {
	names, err := featureNames(h, device)
	if err != nil {
		return nil, fmt.Errorf("%s: read features: %w", device, err)
	}
	// struct ethtool_gfeatures: cmd, size, then per 32 features the masks
	// available, requested, active and never changed.
	blocks := (len(names) + 31) / 32
	request := make([]uint32, 2+4*blocks)
	request[0], request[1] = ethtoolGetFeatures, uint32(blocks)
	masks, err := h.Ethtool(device, request)
	if err != nil {
		return nil, fmt.Errorf("%s: read features: %w", device, err)
	}
	out := make(map[string]Feature, len(names))
	for i, name := range names {
		if name == "" {
			continue
		}
		block := masks[2+4*(i/32):]
		bit := func(mask int) bool { return block[mask]>>(i%32)&1 == 1 }
		// A feature that the driver does not offer at all reads "available"
		// false: it can be neither switched nor asked for.
		out[name] = Feature{Active: bit(2), Requested: bit(1), Fixed: bit(3) || !bit(0)}
	}
	return out, nil
}

// SetFeatures changes the named features of a device.
func SetFeatures(h Host, device string, features map[string]bool) error {
	if err := setFeatures(h, device, features); err != nil {
		return fmt.Errorf("%s: set features: %w", device, err)
	}
	return nil
}

func setFeatures(h Host, device string, features map[string]bool) error {
	names, err := featureNames(h, device)
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
	_, err = h.Ethtool(device, request)
	return err
}

// featureNames reads the string set whose indices are the bits of a feature
// mask.
func featureNames(h Host, device string) ([]string, error) {
	// struct ethtool_sset_info: cmd, reserved, 64-bit mask, a length per set.
	sets, err := h.Ethtool(device, []uint32{ethtoolStringSets, 0, 1 << ethtoolFeatureNames, 0, 0})
	if err != nil {
		return nil, err
	}
	n := int(sets[4])
	if n > maxFeatures {
		return nil, fmt.Errorf("the kernel names %d features", n)
	}
	// struct ethtool_gstrings: cmd, set, length, then the strings.
	request := make([]uint32, 3+n*ethtoolStringLen/4)
	request[0], request[1], request[2] = ethtoolStrings, ethtoolFeatureNames, uint32(n)
	answer, err := h.Ethtool(device, request)
	if err != nil || n == 0 {
		return nil, err
	}
	text := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(answer[3:]))), n*ethtoolStringLen)
	names := make([]string, n)
	for i := range names {
		name, _, _ := bytes.Cut(text[i*ethtoolStringLen:(i+1)*ethtoolStringLen], []byte{0})
		names[i] = string(name)
	}
	return names, nil
}
