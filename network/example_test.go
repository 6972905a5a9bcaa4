package network_test

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"time"

	"github.com/sipwerk/sipwerk/network"
)

// A datagram crosses a simulated network. In a bubble of testing/synctest the delay costs no time.
func ExampleSim() {
	sim := &network.Sim{Seed: 1}
	defer sim.Close()
	sim.SetConditions(network.Conditions{Delay: 20 * time.Millisecond})
	sim.Observe = func(t network.Transmission) { fmt.Printf("%v → %v: %s\n", t.From, t.To, t.Data) }

	a, b := netip.MustParseAddrPort("192.0.2.1:5060"), netip.MustParseAddrPort("192.0.2.2:5060")
	from, to := socket(sim.Host(a.Addr()), a), socket(sim.Host(b.Addr()), b)
	if _, err := from.WriteBatch([]network.Datagram{{Buf: []byte("hello"), Peer: b}}); err != nil {
		log.Fatal(err)
	}
	ms := []network.Datagram{{Buf: make([]byte, 2048)}}
	if _, err := to.ReadBatch(ms); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s from %v\n", ms[0].Buf[:ms[0].N], ms[0].Peer)
	// Output:
	// 192.0.2.1:5060 → 192.0.2.2:5060: hello
	// hello from 192.0.2.1:5060
}

// socket works on every network, simulated or real.
func socket(n network.Network, addr netip.AddrPort) network.PacketConn {
	conns, err := n.ListenPacket(context.Background(), addr, 1)
	if err != nil {
		log.Fatal(err)
	}
	return conns[0]
}
