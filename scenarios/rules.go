package scenarios

import (
	"maps"

	"netab/results/vocab"
)

// A rule is what is known of a struct field beside its Go type: what it
// means, and what its value may be. Decoding and the JSON Schema both follow
// it, so that they cannot disagree.
type rule struct {
	doc      string
	enum     []string // of a string
	text     *syntax  // of a string, or of the values of a map of strings
	key      *syntax  // of the keys of a map
	list     bool     // of a string: a list of its words is taken too
	min, max int      // of a number; none if max is 0
	chars    int      // of a text, at most; see limits.go
	most     int      // entries of a map or a list
	until    Duration // of a length of time, at most
	from     Duration // of a length of time, at least
	zero     bool     // of a duration or a share: nothing is a value too
	def      any      // the default, as YAML writes it
	turn     int      // of a device's setting: those of lower numbers are set before
}

// A ruleBook holds the rule of each field by "Type.key".
type ruleBook map[string]rule

const (
	minMTU     = 68    // RFC 791: every IPv4 device takes 68 bytes
	maxMTU     = 65536 // of lo; the other devices' is 65535
	minMTUv6   = 1280  // RFC 8200
	maxMessage = 64 << 20
	maxSizes   = 64
	maxDepth   = 1024
	maxBatch   = 1024 // UIO_MAXIOV: sendmmsg and recvmmsg take no more
	maxBurst   = 1_000_000
	maxRate    = 1_000_000_000
	maxPacing  = 1_000_000_000_000
	maxFlows   = 1000
	maxQueues  = 4096 // rtnl_create_link() of net/core/rtnetlink.c takes no more
)

// rules is the book of all fields of a scenario file.
func rules() ruleBook {
	cpus := cpuSetSyntax()
	book := ruleBook{
		"Scenario.name":     {doc: "Name of the scenario: small letters, digits, dashes. Default: the file's name.", text: nameSyntax()},
		"Scenario.question": {doc: "The question that the run answers, in one or two lines.", chars: maxQuestion},
		"Scenario.matrix":   {doc: "Factors whose levels are combined to arms, the first varying slowest: path (traffic.message) or name -> levels.", most: maxFactors},
		"Scenario.arms":     {doc: "Arms by name, each with what differs from the common configuration.", most: maxArms},
		"Scenario.baseline": {doc: "Name of the arm that the others are compared with. Default: the first.", chars: maxLabel},
		"Scenario.only":     {doc: "Arms that are measured, the baseline always: names, or levels that several have in common (message=64,rps=on). Default: all.", chars: maxLabel, most: maxArms},
		"Scenario.shard":    {doc: "The part of the arms that is measured, such as 2/3, beside the baseline; other machines or nights measure the others. Default: all of them.", text: shardSyntax()},
		"Scenario.measure":  {doc: "How sure to become, and how long that may take."},
		"Scenario.guest":    {doc: "The virtual machine that kernels are booted in."},
		"Scenario.gate":     {doc: "Metrics that a gate judges beside measure.metrics, each with the change that matters, in place of measure.resolution.", key: metricSyntax()},

		"Config.topology":  {doc: "The path between source and sink."},
		"Config.traffic":   {doc: "What the flows carry."},
		"Config.placement": {doc: "On which CPUs the threads of the roles run."},
		"Config.knobs":     {doc: "Kernel and device settings."},
		"Config.kernel":    {doc: "Kernel that is booted in a guest for the arm: a bzImage or vmlinux, a build tree, an installed version, a .deb or .rpm, or apt:PACKAGE. Default: the one that is running.", text: kernelSyntax()},

		"Guest.memory":    {doc: "Memory of the guest. Default: 256M, or what the arms need if that is more.", min: minGuestMemory, max: maxGuestMemory},
		"Guest.cpus":      {doc: "CPUs of the guest.", min: 1, max: maxGuestCPUs, def: defaultGuestCPUs},
		"Guest.cpu_model": {doc: "CPU model and features, as qemu-system-x86_64 -cpu help names them.", text: wordSyntax("CPU model", "-_.,+="), def: defaultCPUModel},
		"Guest.accel":     {doc: "auto: KVM where a boot proves that it works, else TCG, whose times are not hardware time; kvm; tcg.", enum: []string{"auto", "kvm", "tcg"}, def: "auto"},
		"Guest.turns":     {doc: "auto: guests under TCG are up at once, as many as half of the memory has room for, and execute in turns; off: one boot after the other.", enum: []string{"auto", "off"}, def: "auto"},

		"Topology.kind":           {doc: "loopback: lo of an own namespace; veth: a pair between two namespaces; nic: two existing devices moved into two namespaces.", enum: vocab.Words(vocab.Topologies()), def: string(vocab.Loopback)},
		"Topology.family":         {doc: "Address family.", enum: []string{"ipv4", "ipv6"}, def: "ipv4"},
		"Topology.mtu":            {doc: "MTU of both ends in bytes. Default: the device's own.", min: minMTU, max: maxMTU},
		"Topology.queues":         {doc: "Receive and transmit queues of each veth end.", min: 1, max: maxQueues},
		"Topology.source_device":  {doc: "Device of the source, for nic.", text: deviceSyntax()},
		"Topology.sink_device":    {doc: "Device of the sink, for nic.", text: deviceSyntax()},
		"Topology.source_address": {doc: "Address of the source with its prefix length, for veth and nic. Default: chosen by netab.", text: prefixSyntax()},
		"Topology.sink_address":   {doc: "Address of the sink with its prefix length, for veth and nic. Default: chosen by netab.", text: prefixSyntax()},

		"Placement.mode":   {doc: "distinct: each role on cores of its own; same: all on one CPU; free: where the scheduler likes.", enum: []string{"distinct", "same", "free"}, def: "distinct"},
		"Placement.source": {doc: "CPU set of the source threads, cycled over sources, flows or threads.", text: cpus},
		"Placement.sink":   {doc: "CPU set of the sink threads, cycled over sinks, flows or threads.", text: cpus},

		"Placement.source_policy": {doc: "Scheduling policy of the source threads; fifo and round-robin are real-time ones, at the lowest priority.", enum: policies(), def: "other"},
		"Placement.sink_policy":   {doc: "Scheduling policy of the sink threads.", enum: policies(), def: "other"},
		"Placement.source_nice":   {doc: "Niceness of the source threads, of policies other and batch.", min: -20, max: 19},
		"Placement.sink_nice":     {doc: "Niceness of the sink threads, of policies other and batch.", min: -20, max: 19},

		"Knobs.sysctl":   {doc: "Sysctls by name; several numbers are text or a list.", key: sysctlSyntax(), list: true},
		"Knobs.device":   {doc: "Settings by device: source, sink, both, or the name of a device.", key: deviceSyntax()},
		"Knobs.irq":      {doc: "CPU set of interrupts, by device name or interrupt number.", key: deviceSyntax(), text: cpus},
		"Knobs.governor": {doc: "CPU frequency governor of all CPUs.", text: wordSyntax("governor", "_-")},

		"Measure.confidence":   {doc: "Confidence of every interval.", def: "95%"},
		"Measure.resolution":   {doc: "The smallest relative change that matters.", def: "1%"},
		"Measure.width":        {doc: "Relative half-width asked of a level, for a scenario of one arm.", def: "5%"},
		"Measure.max_time":     {doc: "The run ends here, decided or not; all sessions together measure for so long.", until: maxTime, def: defaultMaxTime.String()},
		"Measure.max_bytes":    {doc: "The run ends, too, when every arm has received so many bytes of payload in counted slices, decided or not.", min: 1, max: 1 << 60},
		"Measure.max_messages": {doc: "The run ends, too, when every arm has received so many messages, or made so many transactions, in counted slices, decided or not.", max: 1 << 60},
		"Measure.sessions":     {doc: "The question is asked so often, each time for its part of max_time, and the verdict's unit is the session where sessions differ by more than their trials explain. Default: once.", min: 1, max: maxSessions},
		"Measure.spread":       {doc: "What the sessions are spread over: the first begins at once, each other one at random in its part.", until: maxTime},
		"Measure.boots":        {doc: "Boots of each kernel, where kernels are compared: the unit of that verdict. max_time is of all boots together.", min: 1, max: maxBoots, def: defaultBoots},
		"Measure.slice":        {doc: "A stretch in which one arm is active.", from: minSlice, until: maxSlice, def: defaultSlice.String()},
		"Measure.settle":       {doc: "First part of each slice, not counted.", until: maxSlice, def: defaultSettle.String()},
		"Measure.disturbed":    {doc: "apart: trials that other programs, the hypervisor or a CPU quota disturbed are shown, and verdicts are of the others; count: they count like all others, for machines that are never quiet.", enum: []string{"apart", "count"}, def: "apart"},
		"Measure.decided":      {doc: "stay: every arm is measured until the run ends; rest: arms that have their verdicts at a look are measured no more, so that the time goes to those that are open.", enum: []string{"stay", "rest"}, def: "stay"},
		"Measure.canaries":     {doc: "auto: the distance between the CPUs of source and sink, and the speed of each, are measured in settle parts some ten times a second, and what takes longer between trials: half a percent of the time at most; off: nothing of that.", enum: []string{"auto", "off"}, def: "auto"},
		"Measure.grain":        {doc: "slice: arms take turns as finely as their knobs allow; trial: each arm has a setup and a turn of its own in every trial.", enum: vocab.Words([]vocab.Grain{vocab.BySlice, vocab.ByTrial}), def: string(vocab.BySlice)},
		"Measure.trial":        {doc: "All slices of one trial together. Default: " + defaultTrial.String() + ", or what the arms need."},
		"Measure.seed":         {doc: "Seed of every random order. Default: drawn, and recorded."},
		"Measure.metrics":      {doc: "Metrics that are judged, the headline first; of traffic beside: NAME.METRIC. Default: what the kind of traffic is about.", text: metricSyntax()},
	}
	maps.Copy(book, deviceRules())
	maps.Copy(book, trafficRules())
	return book
}

func policies() []string { return []string{"other", "batch", "idle", "fifo", "round-robin"} }
