package load_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/load"
)

// A server on this machine gets 500 calls a second for ten seconds, after a warm-up of three.
func ExampleRun() {
	run := &load.Run{Plan: load.Plan{
		Scenario: load.Call, Target: netip.MustParseAddrPort("127.0.0.1:5060"), Domain: "example.org",
		Users: load.Users{Count: 1000, Name: "u{n}", Password: "p{n}"},
		Rate:  500, Warmup: 3 * time.Second, Window: 10 * time.Second, Sleep: load.Nap,
	}}
	result, err := run.Do(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d failed, p99 %.0f µs\n", result.Counts.Failed, result.Latency.P99)
}

func ExampleCompare() {
	before, _ := load.ReadResults(strings.NewReader(`{"version":1,"scenario":"call","transport":"udp","rate":500,"latency_us":{"p50":800}}`))
	after, _ := load.ReadResults(strings.NewReader(`{"version":1,"scenario":"call","transport":"udp","rate":500,"latency_us":{"p50":400}}`))
	for _, c := range load.Compare(after, before) {
		p50, _ := c.Value(load.FigureP50)
		ratio, _ := p50.Ratio()
		fmt.Printf("%s at %g/s: p50 is %g times as long\n", c.Scenario, c.Rate, ratio)
	}
	// Output: call at 500/s: p50 is 0.5 times as long
}
