package traffic_test

import (
	"fmt"
	"net/netip"
	"time"

	"netab/runner/traffic"
)

// A flow over the loopback, for one slice of 250 ms of which the first 50 ms are not
// counted: sinks listen, sources connect, and then both have the whole schedule and
// keep it by themselves.
func Example() {
	report, err := oneFlow(traffic.Config{Kind: "stream", Protocol: "tcp", Message: 1000})
	if err != nil || report.Fault != "" {
		fmt.Println(err, report)
		return
	}
	var sent, received int64
	for _, end := range report.Groups[0].Ends {
		if end.Sink {
			received = end.Total.Bytes
		} else {
			sent = end.Total.Bytes
		}
	}
	slice := report.Groups[0].Windows[0]
	fmt.Println("all arrived:", sent > 0 && sent == received)
	fmt.Println("the counted part is a part of it:", slice.RxBytes > 0 && slice.RxBytes < received)
	// Output:
	// all arrived: true
	// the counted part is a part of it: true
}

func oneFlow(c traffic.Config) (*traffic.Report, error) {
	set := traffic.NewSet(c)
	defer set.Close()
	here := netip.MustParseAddr("127.0.0.1")
	sink := traffic.End{Addr: here}
	ports, err := set.Listen([]traffic.End{sink})
	if err != nil {
		return nil, err
	}
	peers, err := set.Connect([]traffic.End{{To: netip.AddrPortFrom(here, ports[0])}})
	if err != nil {
		return nil, err
	}
	sink.To = netip.AddrPortFrom(here, peers[0]) // nobody else's connection is taken
	if err := set.Accept([]traffic.End{sink}); err != nil {
		return nil, err
	}
	if err := set.Prepare(); err != nil {
		return nil, err
	}
	start := traffic.Now() + int64(50*time.Millisecond)
	return set.Run([]traffic.Window{{Start: start, Count: start + 50e6, End: start + 250e6}}, 0)
}
