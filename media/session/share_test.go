package session

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/network"
)

// TestEndpointsShare: endpoints of a server that answer a browser, and call one, go over one port, and each is heard by its own; a telephone has a port for itself. RFC 8445 §7.2.2.
func TestEndpointsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := &network.Sim{Seed: 1}
		server := &relay.Relay{Network: sim.Host(server4), Shared: sharedPort}
		here := &Site{Relay: server}
		var peers []*relay.Relay
		var calls [][2]*Endpoint
		for i, kind := range []Kind{WebRTC, WebRTC, Plain} {
			address := alice4
			if i == 1 {
				address = bob4
			}
			if i < 2 {
				peers = append(peers, &relay.Relay{Network: sim.Host(address)})
			}
			far, err := (&Site{Relay: peers[i%2], FullICE: true}).NewEndpoint(t.Context(), Peer{Remote: server4, Kind: kind}, Voice{})
			must(t, err)
			peer := Peer{Remote: address}
			if i == 1 {
				peer.Kind = kind // it is called by the server
			}
			near, err := here.NewEndpoint(t.Context(), peer, Voice{})
			must(t, err)
			pair := [2]*Endpoint{far, near}
			if i == 1 {
				agree(t, near, far)
			} else {
				agree(t, far, near)
			}
			if at, _ := near.stream.Local(); (at.Port() == sharedPort) != (kind == WebRTC) || near.ours.Media[0].Place.RTP != at {
				t.Errorf("call %d is at %v", i, at)
			}
			calls = append(calls, pair)
		}
		time.Sleep(time.Second) // checks and handshakes
		for i, c := range calls {
			tone := float64(700 + 400*i)
			go say(t, c[0], tone, 400*time.Millisecond)
			got := heard(t, c[1], 400*time.Millisecond)
			if level := audio.Goertzel(got[len(got)/2:], 8000, tone); level < 6000 {
				t.Errorf("call %d: level %.0f", i, level)
			}
		}
		for _, c := range calls {
			c[0].Close()
			c[1].Close()
		}
		if n := server.Streams(); n != 0 {
			t.Errorf("%d streams left", n)
		}
		must(t, errors.Join(server.Close(), peers[0].Close(), peers[1].Close(), sim.Close()))
	})
}
