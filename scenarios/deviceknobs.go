package scenarios

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// A new setting of devices is a field here and its rule below: the field's YAML key
// is the family of its knobs. A text is one knob; a mapping is one knob for each key,
// which is the knob's name.

// DeviceKnobs are the settings of one network device. An empty string leaves
// a setting alone.
type DeviceKnobs struct {
	RPSCPUs           string            `yaml:"rps_cpus,omitempty" json:"rps_cpus,omitempty"`         // CPU set; "none" or "off" clears it; of all rx queues
	RPSFlowCnt        string            `yaml:"rps_flow_cnt,omitempty" json:"rps_flow_cnt,omitempty"` // per rx queue
	XPSCPUs           string            `yaml:"xps_cpus,omitempty" json:"xps_cpus,omitempty"`         // CPU set, of all tx queues
	Queue             map[string]Queue  `yaml:"queue,omitempty" json:"queue,omitempty"`               // "rx-0", "tx-1": settings of one queue
	Offload           map[string]string `yaml:"offload,omitempty" json:"offload,omitempty"`           // gro, gso, tso, lro, rx-checksum, tx-checksum, sg, or a kernel feature name -> on/off
	Channels          map[string]int    `yaml:"channels,omitempty" json:"channels,omitempty"`         // rx, tx, combined -> count
	GROFlushTimeout   string            `yaml:"gro_flush_timeout,omitempty" json:"gro_flush_timeout,omitempty"`
	NAPIDeferHardIRQs string            `yaml:"napi_defer_hard_irqs,omitempty" json:"napi_defer_hard_irqs,omitempty"`
	TxQueueLen        string            `yaml:"tx_queue_len,omitempty" json:"tx_queue_len,omitempty"`
	Threaded          string            `yaml:"threaded,omitempty" json:"threaded,omitempty"` // on/off: NAPI in a kernel thread
	MTU               string            `yaml:"mtu,omitempty" json:"mtu,omitempty"`
	Qdisc             string            `yaml:"qdisc,omitempty" json:"qdisc,omitempty"` // see Qdisc
	Netem             Netem             `yaml:"netem,omitempty" json:"netem,omitzero"`  // the qdisc netem by its parameters
}

// A Queue is the settings of one rx or tx queue, stronger than the device's.
type Queue struct {
	RPSCPUs    string `yaml:"rps_cpus,omitempty" json:"rps_cpus,omitempty"`
	RPSFlowCnt string `yaml:"rps_flow_cnt,omitempty" json:"rps_flow_cnt,omitempty"`
	XPSCPUs    string `yaml:"xps_cpus,omitempty" json:"xps_cpus,omitempty"`
}

// deviceRules are the rules of these fields. What makes queues and NAPI instances
// has an earlier turn, as the others are set on these.
func deviceRules() ruleBook {
	mtu, cpus := countSyntax(minMTU, maxMTU), cpuSetSyntax()
	queueCPUs := "CPU set that receive packet steering may send packets of %s to; none turns it off."
	book := ruleBook{
		"DeviceKnobs.rps_cpus":             {doc: fmt.Sprintf(queueCPUs, "all receive queues"), text: cpus},
		"DeviceKnobs.rps_flow_cnt":         {doc: "Entries of the flow table for receive flow steering, of each receive queue.", text: countSyntax(0, 1<<30)},
		"DeviceKnobs.xps_cpus":             {doc: "CPU set that chooses the transmit queues.", text: cpus},
		"DeviceKnobs.queue":                {doc: "Settings of single queues (rx-0, tx-1), stronger than the device's.", key: queueSyntax()},
		"DeviceKnobs.offload":              {doc: "Offloads on or off: gro, gso, tso, lro, rx-checksum, tx-checksum, sg, or a feature by its kernel name.", key: offloadSyntax(), text: onOffSyntax(), turn: -1},
		"DeviceKnobs.channels":             {doc: "Queue counts.", key: enumSyntax("rx", "tx", "combined"), min: 0, max: maxQueues, turn: -2},
		"DeviceKnobs.gro_flush_timeout":    {doc: "How long GRO may hold packets back; the kernel's unit is ns.", text: nanosSyntax()},
		"DeviceKnobs.napi_defer_hard_irqs": {doc: "Empty polls before interrupts are enabled again.", text: countSyntax(0, maxPackets)},
		"DeviceKnobs.tx_queue_len":         {doc: "Length of the transmit queue in packets.", text: countSyntax(0, maxPackets)},
		"DeviceKnobs.threaded":             {doc: "NAPI in a kernel thread.", text: onOffSyntax()},
		"DeviceKnobs.mtu":                  {doc: "MTU in bytes.", text: mtu},
		"DeviceKnobs.qdisc":                {doc: "Queueing discipline at the root of the device, with parameters as tc takes them; default: what the kernel gives it.", text: qdiscSyntax()},
		"DeviceKnobs.netem":                {doc: "What the qdisc netem does to packets on their way out of the device, in place of qdisc; of source or sink laid over that of both."},

		"Queue.rps_cpus":     {doc: fmt.Sprintf(queueCPUs, "this queue"), text: cpus},
		"Queue.rps_flow_cnt": {doc: "Entries of this queue's flow table for receive flow steering.", text: countSyntax(0, 1<<30)},
		"Queue.xps_cpus":     {doc: "CPU set that chooses this transmit queue.", text: cpus},
	}
	maps.Copy(book, netemRules())
	return book
}

// clone is d with maps of its own.
func (d DeviceKnobs) clone() DeviceKnobs {
	for v, i := reflect.ValueOf(&d).Elem(), 0; i < v.NumField(); i++ {
		field := v.Field(i)
		if field.Kind() != reflect.Map || field.IsNil() {
			continue
		}
		own := reflect.MakeMapWithSize(field.Type(), field.Len())
		for key, value := range field.Seq2() {
			own.SetMapIndex(key, value)
		}
		field.Set(own)
	}
	return d
}

// device flattens the settings of one device: by their turns, in the order of the
// fields, and those of single queues last.
func (r *resolver) device(name string, dev DeviceKnobs) []Knob {
	path, book := join("knobs.device", name), deviceRules()
	var err error
	if at := join(path, "netem"); dev.Netem != (Netem{}) {
		if dev.Qdisc, err = dev.qdisc(r.draft.cfg.Knobs.Device["both"]); err != nil {
			r.fail(at, err)
		}
		r.draft.where[join(path, "qdisc")] = r.draft.where.at(at)
	}
	out := r.settings(path, name, "", reflect.ValueOf(dev))
	slices.SortStableFunc(out, func(a, b Knob) int {
		return cmp.Compare(book["DeviceKnobs."+a.Family].turn, book["DeviceKnobs."+b.Family].turn)
	})
	queues := slices.SortedFunc(maps.Keys(dev.Queue), func(a, b string) int {
		return cmp.Or(cmp.Compare(a[:2], b[:2]), cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
	for _, queue := range queues {
		out = append(out, r.settings(join(path+".queue", queue), name, queue, reflect.ValueOf(dev.Queue[queue]))...)
	}
	return out
}

// settings makes a knob of each text that is set, and of each entry of a mapping.
func (r *resolver) settings(path, device, queue string, v reflect.Value) []Knob {
	var out []Knob
	for _, m := range membersOf(v.Type()) {
		field, at := v.FieldByIndex(m.index), join(path, m.key)
		switch {
		case field.Kind() == reflect.String && field.String() != "":
			out = append(out, r.knob(at, Knob{Family: m.key, Device: device, Queue: queue, Value: field.String()}))
		case field.Kind() == reflect.Map && field.Type().Elem().Kind() != reflect.Struct: // of single queues
			values := map[string]string{}
			for key, value := range field.Seq2() {
				values[key.String()] = fmt.Sprint(value)
			}
			for _, key := range inFileOrder(r, at, values) {
				out = append(out, r.knob(join(at, key), Knob{Family: m.key, Device: device, Name: key, Value: values[key]}))
			}
		}
	}
	return out
}
