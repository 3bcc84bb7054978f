package agent_test

import (
	"context"
	"fmt"
	"os"

	"netab/runner/agent"
	"netab/runner/host"
)

// An agent is a process with a network namespace of its own, which ends with it.
// A program that starts agents begins with this: the agent is the same program.
// Namespaces are root's to make, so this is not run as a test.
func Example() {
	if len(os.Args) > 1 && os.Args[1] == "agent" {
		if err := agent.Serve(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	starter := agent.NewStarter()
	defer starter.Close()
	ctx := context.Background()
	a, err := starter.Start(ctx, agent.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer a.Close(ctx)
	// It is a host.Host: its lo is not the machine's.
	if err := a.SetLink("lo", host.LinkChange{Up: new(true)}); err != nil {
		fmt.Println(err)
	}
	links, err := a.Links()
	fmt.Println(links, err)
}
