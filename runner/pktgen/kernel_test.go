package pktgen

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"netab/runner/host"
)

// A kernel is a model of pktgen's files, made after net/core/pktgen.c: what can
// be written where, what is answered, and in which order its threads obey.
type kernel struct {
	host.Host // of which it has only what is below
	sharing   bool
	flags     string // known, with blanks around each
	links     []host.Link

	mu      sync.Mutex
	threads map[string]*kthread // by file name
	devices map[string]*device
	obeys   time.Duration // how often threads look for orders
	absent  error         // if there is no pktgen
}

type kthread struct {
	result    string
	devices   []*device
	stop, run bool
}

type device struct {
	name    string
	result  string
	running bool
	sent    int64
	params  map[string]string
}

func newKernel(cpus int) *kernel {
	k := &kernel{flags: " UDPCSUM NO_TIMESTAMP ", threads: map[string]*kthread{}, devices: map[string]*device{}, obeys: 10 * time.Millisecond}
	for i := range cpus {
		k.threads["kpktgend_"+strconv.Itoa(i)] = &kthread{}
	}
	k.links = []host.Link{{Name: "lo", MTU: 65536, Up: true}, {Name: "va", MTU: 1500, Up: true}, {Name: "vb", MTU: 1500}}
	return k
}

func (k *kernel) Links() ([]host.Link, error) { return k.links, nil }

func (k *kernel) file(name string) (string, error) {
	base, ok := strings.CutPrefix(name, directory)
	if k.absent != nil {
		return "", &fs.PathError{Op: "open", Path: name, Err: k.absent}
	}
	if ok && (base == "pgctrl" || k.threads[base] != nil || k.devices[base] != nil) {
		return base, nil
	}
	return "", &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

func (k *kernel) ReadFile(name string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	base, err := k.file(name)
	if err != nil {
		return nil, err
	}
	if t := k.threads[base]; t != nil {
		return []byte(t.show()), nil
	}
	if d := k.devices[base]; d != nil {
		return []byte(d.show()), nil
	}
	return []byte("Packet Generator for packet performance testing. Version: 2.75\n"), nil
}

func (t *kthread) show() string {
	lines := map[bool]string{}
	for _, d := range t.devices {
		lines[d.running] += d.name + " "
	}
	result := t.result
	if result == "" {
		result = "NA"
	}
	return fmt.Sprintf("Running: %s\nStopped: %s\nResult: %s\n", lines[true], lines[false], result)
}

func (d *device) show() string {
	result := d.result
	if result == "" {
		result = "Idle"
	}
	return fmt.Sprintf("Params: count %s  min_pkt_size: %s  max_pkt_size: %[2]s\n"+
		"     src_mac_count: 0  dst_mac_count: 0\n     Flags: \n"+
		"Current:\n     pkts-sofar: %d  errors: 0\n     started: 1us  stopped: 5us idle: 2us\n"+
		"     seq_num: 1  cur_dst_mac_offset: 0  cur_src_mac_offset: 0\n     flows: 0\nResult: %s\n",
		d.params["count"], d.params["pkt_size"], d.sent, result)
}

func (k *kernel) WriteFile(name string, data []byte) error {
	k.mu.Lock()
	base, err := k.file(name)
	k.mu.Unlock()
	if err != nil {
		return err
	}
	if base == "pgctrl" {
		err = k.order(string(data[:len(data)-1])) // whatever the last byte is
	} else {
		k.mu.Lock()
		defer k.mu.Unlock()
		verb, value, _ := strings.Cut(strings.TrimSpace(string(data)), " ")
		if t := k.threads[base]; t != nil {
			err = k.addDevice(t, verb, value)
		} else {
			err = k.devices[base].set(k, verb, value)
		}
	}
	if err != nil {
		return &fs.PathError{Op: "write", Path: name, Err: err}
	}
	return nil
}

func (k *kernel) addDevice(t *kthread, verb, name string) error {
	if verb != "add_device" {
		return syscall.EINVAL
	}
	link, _, _ := strings.Cut(name, "@")
	err := syscall.ENODEV
	for _, l := range k.links {
		switch {
		case l.Name != link:
		case k.devices[name] != nil:
			err = syscall.EBUSY
		case link == "lo": // not ARPHRD_ETHER
			err = syscall.EINVAL
		case !l.Up:
			err = syscall.ENETDOWN
		default:
			err = 0
		}
	}
	if err != 0 {
		t.result = "ERROR: can not add device " + name
		return err
	}
	d := &device{name: name, params: map[string]string{"count": "1000"}}
	k.devices[name] = d
	t.devices = append(t.devices, d)
	t.result = "OK: add_device=" + name
	return nil
}

func (d *device) set(k *kernel, verb, value string) error {
	d.result = "OK: " + verb + "=" + value
	switch verb {
	case "clone_skb":
		if !k.sharing && value != "0" {
			return errNotSupported
		}
	case "burst":
		if !k.sharing && value != "0" && value != "1" {
			return errNotSupported
		}
	case "flag":
		if !strings.Contains(k.flags, " "+value+" ") {
			d.result = "Flag -:" + value + ":- unknown\nAvailable flags, (prepend ! to un-set flag):\nIPSRC_RND, UDPCSUM\n"
		}
		verb += " " + value
	case "dst_mac", "src_mac":
		d.result = "OK: " + strings.Replace(verb, "_", "", 1) + " " + value
	case "count", "delay", "pkt_size", "udp_src_min", "udp_src_max", "udp_dst_min", "udp_dst_max",
		"src_min", "src_max", "dst_min", "dst_max", "src6", "dst6":
	default:
		d.result = `No such parameter "` + verb + `"`
		return syscall.EINVAL
	}
	d.params[verb] = value
	return nil
}

// order is pgctrl_write. Orders are posted to the threads; start waits.
func (k *kernel) order(name string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch name {
	case "stop":
		for _, t := range k.threads {
			t.stop = true
		}
	case "start":
		for _, t := range k.threads {
			t.run = true
		}
		for round := 0; round == 0 || k.anyRunning(); round++ {
			if round == 1000 {
				return syscall.EDEADLK // the kernel would wait for ever
			}
			k.mu.Unlock()
			time.Sleep(k.obeys)
			k.mu.Lock()
			k.obey()
		}
	case "reset":
		for _, t := range k.threads {
			t.devices = nil
		}
		k.devices = map[string]*device{}
	default:
		return syscall.EINVAL
	}
	return nil
}

func (k *kernel) anyRunning() bool {
	for _, d := range k.devices {
		if d.running {
			return true
		}
	}
	return false
}

// obey is a round of pktgen_thread_worker: what runs sends, then come orders,
// stop before start.
func (k *kernel) obey() {
	for _, t := range k.threads {
		for _, d := range t.devices {
			count, _ := strconv.ParseInt(d.params["count"], 10, 64)
			if d.running {
				d.sent += 1000
			}
			if d.running && (t.stop || count > 0 && d.sent >= count) {
				d.running = false
				d.result = fmt.Sprintf("OK: 4(c2+d2) usec, %d (64byte,0frags)\n  1pps 0Mb/sec (1bps) errors: 0", d.sent)
			}
			if t.run {
				d.running, d.sent, d.result = true, 0, "Starting"
			}
		}
		t.stop, t.run = false, false
	}
}

// params are a device's, as "name value", in no order.
func (k *kernel) params(name string) map[string]string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.devices[path.Base(name)].params
}
