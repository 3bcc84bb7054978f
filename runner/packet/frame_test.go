package packet

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
)

func testConfig(ipv6 bool) Config {
	c := Config{Device: "va", SourceMAC: [6]byte{2, 0, 0, 0, 0, 1}, SinkMAC: [6]byte{2, 0, 0, 0, 0, 2},
		Source: netip.MustParseAddrPort("198.18.0.1:40000"), Sink: netip.MustParseAddrPort("198.18.0.2:5000")}
	if ipv6 {
		c.Source, c.Sink = netip.MustParseAddrPort("[2001:2::1]:40000"), netip.MustParseAddrPort("[2001:2::2]:5000")
	}
	return c
}

// checksums checks those of a frame by RFC 1071's own test: the sum over the
// data with the checksum in it is all ones. The sum is made byte by byte, as
// the code does not.
func checksums(t *testing.T, c Config, frame []byte) {
	t.Helper()
	ones := func(b []byte) uint16 {
		var sum uint32
		for i, v := range b {
			sum += uint32(v) << (8 * (1 - i%2))
			if sum > 0xffff {
				sum -= 0xffff
			}
		}
		return uint16(sum)
	}
	ip := frame[14:]
	addresses, length := ip[8:40], 40
	if c.Source.Addr().Is4() {
		addresses, length = ip[12:20], 20
		if ones(ip[:20]) != 0xffff {
			t.Errorf("IPv4 checksum of % x", ip[:20])
		}
	}
	udp := ip[length:]
	covered := append([]byte{0, 17, udp[4], udp[5]}, addresses...)
	if ones(append(covered, udp...)) != 0xffff || udp[6] == 0 && udp[7] == 0 {
		t.Errorf("UDP checksum of % x", udp)
	}
}

// TestChecksumIsNeverZero goes through all source ports, one of which has a sum
// of zero, and sends that one.
func TestChecksumIsNeverZero(t *testing.T) {
	for _, ipv6 := range []bool{false, true} {
		ones := 0
		for port := range 65536 {
			frame := testConfig(ipv6).appendFrame(nil, uint16(port), 0)
			switch binary.BigEndian.Uint16(frame[len(frame)-2:]) {
			case 0:
				t.Errorf("port %d: no checksum", port)
			case 0xffff:
				ones++
				checksums(t, testConfig(ipv6), frame)
			}
		}
		if ones != 1 {
			t.Errorf("%d ports with the checksum ffff", ones)
		}
	}
}

// TestZeroSumArrives sends a frame with the checksum ffff to an IPv6 socket,
// which takes none with 0.
func TestZeroSumArrives(t *testing.T) {
	p := loopback(t, true)
	for port := range 65536 {
		frame := p.appendFrame(nil, uint16(port), 0)
		if binary.BigEndian.Uint16(frame[len(frame)-2:]) != 0xffff {
			continue
		}
		p.Source = netip.AddrPortFrom(p.Source.Addr(), uint16(port))
		p.open(t).SendUpTo(1)
		if _, from, ok := p.receive(t, nil); !ok || int(from) != port {
			t.Errorf("from port %d: %v", from, ok)
		}
		return
	}
	t.Error("no port has the checksum ffff")
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4}, []byte{255, 255, 255, 255}, uint16(0), uint16(65535), uint16(1), uint(3))
	f.Add(make([]byte, 16), make([]byte, 16), uint16(1), uint16(2), uint16(9), uint(1472))
	f.Fuzz(func(t *testing.T, source, sink []byte, from, to, id uint16, payload uint) {
		a, ok := netip.AddrFromSlice(source)
		b, ok2 := netip.AddrFromSlice(sink)
		if !ok || !ok2 || a.Is4() != b.Is4() {
			return
		}
		c := Config{Source: netip.AddrPortFrom(a, from), Sink: netip.AddrPortFrom(b, to), Payload: int(payload % 9000)}
		frame := c.appendFrame(nil, from, id)
		if len(frame) != c.headers()+c.Payload {
			t.Fatalf("%d bytes, want %d", len(frame), c.headers()+c.Payload)
		}
		checksums(t, c, frame)
	})
}

func TestRefusedConfigs(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"MTU 1500 of va":            func(c *Config) { c.Payload = 1473 },
		"past 65535":                func(c *Config) { c.Ports = 65535 - 40000 + 2 },
		"not of one address family": func(c *Config) { c.Sink = netip.MustParseAddrPort("[::1]:1") },
		"need a source":             func(c *Config) { c.Source = netip.AddrPort{} },
		"can be negative":           func(c *Config) { c.Batch = -1 },
		"at most 65536":             func(c *Config) { c.Slots = 65537 },
	} {
		c := testConfig(false)
		change(&c)
		if _, err := c.withDefaults(1500); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q, want %q", err, want)
		}
	}
	c := testConfig(false)
	c.Payload, c.Ports, c.Batch, c.Slots = 1472, 65535-40000+1, 33, 3
	if got, err := c.withDefaults(1500); err != nil || got.Slots != 32768 {
		t.Errorf("%d slots, %v", got.Slots, err)
	}
	c.Ports, c.Batch, c.Slots = 0, 1, 1
	if got, err := c.withDefaults(1500); err != nil || got.Slots != 1 || got.Ports != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := Open(Config{Device: "no-such-device"}); err == nil || !strings.Contains(err.Error(), "no-such-device") {
		t.Error(err)
	}
}
