package ice_test

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/sipwerk/sipwerk/media/ice"
	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/network"
)

// A browser calls a server: the browser checks, the server answers. Whoever has found the way is told, and the stream sends there alone.
func Example() {
	r := &relay.Relay{Network: network.OS{}}
	defer r.Close()
	local := netip.MustParseAddr("127.0.0.1")
	done := make(chan string, 2)
	var agents [2]*ice.Agent
	for i, name := range []string{"browser", "server"} {
		stream, err := r.Open(context.Background(), local)
		if err != nil {
			fmt.Println(err)
			return
		}
		at, _ := stream.Local()
		agents[i], err = ice.New(ice.Config{
			Stream: stream, Lite: name == "server", Offerer: name == "browser", Local: []netip.AddrPort{at},
			Selected: func(netip.AddrPort) { done <- name },
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		defer agents[i].Close()
	}
	browser, server := agents[0], agents[1]
	_ = server.Remote(ice.Remote{Credentials: browser.Credentials()}) // from the offer
	_ = browser.Remote(ice.Remote{Credentials: server.Credentials(), Lite: true, Candidates: server.Candidates(), Complete: true})
	for range agents {
		fmt.Println(<-done)
	}
	// Unordered output:
	// browser
	// server
}
