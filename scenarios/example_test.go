package scenarios_test

import (
	"errors"
	"fmt"

	"netab/scenarios"
)

func Example() {
	src := []byte(`
question: Is a larger message faster over veth?
topology: veth
traffic: UDP_STREAM
matrix:
  traffic.message: [64, 1K]
  rps:
    path: knobs.device.sink.rps_cpus
    levels: {off: none, sink: sink}
`)
	s, err := scenarios.ParseWith("sizes.yaml", src, []string{"traffic.flows=2"})
	if err != nil {
		fmt.Println(err)
		return
	}
	arms, err := scenarios.Expand(s, scenarios.CPUs{Online: []int{0, 1, 2, 3}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("baseline:", s.BaselineArm(arms))
	for _, arm := range arms {
		fmt.Printf("%s: source on %v, sink on %v, rps_cpus %q\n", arm.Name, arm.CPUs.Source, arm.CPUs.Sink, arm.Knobs[0].Value)
	}
	// Output:
	// baseline: message=64,rps=off
	// message=64,rps=off: source on [0 1], sink on [2 3], rps_cpus ""
	// message=64,rps=sink: source on [0 1], sink on [2 3], rps_cpus "2-3"
	// message=1K,rps=off: source on [0 1], sink on [2 3], rps_cpus ""
	// message=1K,rps=sink: source on [0 1], sink on [2 3], rps_cpus "2-3"
}

func ExampleErrors_Render() {
	_, err := scenarios.Parse("rps.yaml", []byte("topolgy: veth\ntraffic: {message: 64KB}\n"))
	var faults scenarios.Errors
	if errors.As(err, &faults) {
		fmt.Print(faults.Render())
	}
	// Output:
	// rps.yaml:1:1: unknown key "topolgy"; did you mean "topology"?
	//     1 | topolgy: veth
	//       | ^
	// rps.yaml:2:20: traffic.message: "64KB" is not a size; want bytes such as 1472, 64K or 1MiB (K, M and G are powers of 1024)
	//     2 | traffic: {message: 64KB}
	//       |                    ^
}
