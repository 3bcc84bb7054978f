package topology_test

import (
	"context"
	"fmt"

	"netab/runner/agent"
	"netab/runner/place"
	"netab/runner/topology"
	"netab/scenarios"
)

// A topology has two sides, each with an agent that opens sockets there. Its
// namespaces and devices end with the agents, so there is nothing to clean up but
// them. Namespaces are root's to make, so this is not run as a test.
func ExampleBuild() {
	ctx := context.Background()
	here := place.NewLocal()
	defer here.Close(ctx)
	built, err := topology.Build(ctx, place.Both(here), scenarios.Topology{Kind: "veth", MTU: 9000}, agent.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer built.Close(ctx)
	link, err := built.Source.Link()
	fmt.Printf("from %s to %s over %s, MTU %d, %v\n", built.Source.Addr, built.Sink.Addr, built.Source.Device, link.MTU, err)
}
