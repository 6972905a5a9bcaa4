package relay_test

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/network"
)

// Two telephones are connected: each sends to its stream, and hears what the other one sends.
func ExampleJoin() {
	r := &relay.Relay{Network: network.OS{}, Ports: relay.Ports{Min: 42000, Max: 42099}}
	defer r.Close()
	local := netip.MustParseAddr("127.0.0.1")
	var streams [2]*relay.Stream
	for i, phone := range []string{"127.0.0.1:4000", "127.0.0.1:5000"} {
		s, err := r.Open(context.Background(), local)
		if err != nil {
			fmt.Println(err)
			return
		}
		s.Aim(relay.Peer{RTP: netip.MustParseAddrPort(phone), Signalled: local})
		streams[i] = s
	}
	relay.Join(streams[0], streams[1])
	fmt.Println(streams[0].Remote(), streams[1].Remote(), r.Streams())
	// Output: 127.0.0.1:4000 127.0.0.1:5000 2
}
