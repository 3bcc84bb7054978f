package host_test

import (
	"errors"
	"fmt"
	"io/fs"

	"netab/runner/host"
)

// Whoever speaks to a Host does not learn where it is: Local is this process's own
// namespace, and an agent.Agent answers the same calls from another.
func Example() {
	look := func(h host.Host) {
		system, err := h.ReadFile("/proc/sys/kernel/ostype")
		if err != nil {
			fmt.Println(err)
		}
		fmt.Print("a machine with ", string(system))
		links, err := h.Links()
		if err != nil {
			fmt.Println(err)
		}
		for _, link := range links {
			if link.Name == "lo" {
				fmt.Println("device", link.Index, "is", link.Name)
			}
		}
		_, err = h.ReadFile("/proc/sys/net/none")
		fmt.Println("what is not there is said so:", errors.Is(err, fs.ErrNotExist))
	}
	look(host.Local{})
	// Output:
	// a machine with Linux
	// device 1 is lo
	// what is not there is said so: true
}
