package question

import (
	"fmt"

	"netab/results"
	"netab/results/vocab"
)

var codeOtherCongestion = vocab.Warns("other-congestion")

// UsualCongestion is the machine's congestion control where it is not the one that
// TCP has here unless a scenario says otherwise; "" else.
func UsualCongestion(m *results.Machine) string {
	if usual := m.Sysctls["net.ipv4.tcp_congestion_control"]; usual != ours {
		return usual
	}
	return ""
}

// ours is the default of scenarios.
const ours = "cubic"

// OtherCongestion warns of a level that others would measure otherwise: that of a run of
// one arm is read as what the machine gives, and iperf3, netperf and neper take the
// congestion control that the machine has by default, which may pace.
func (q *Question) OtherCongestion(m *results.Machine) []results.Warning {
	usual := UsualCongestion(m)
	if usual == "" || len(q.Arms) != 1 || q.Arms[0].Config.Traffic.Protocol != vocab.TCP || !q.Defaulted("traffic.congestion") {
		return nil
	}
	return []results.Warning{{Code: codeOtherCongestion, Text: fmt.Sprintf(
		"this level is of %s, as netab sets it; iperf3, netperf and neper would take this machine's default, %s (--set traffic.congestion=%s measures with it)", ours, usual, usual)}}
}
