// What this machine has not, and what a server does without it: codecs of calls that end here, IPv6.

package server

import (
	"context"
	"errors"
	"net/netip"

	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/codec/opus"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/network"
)

// errIPv6 says that there is no IPv6.
var errIPv6 = errors.New("this machine has no IPv6: a listener without an address serves IPv4 alone")

// Missing tells what a server on this machine does without, a sentence for each.
func Missing() []string {
	_, noOpus := opus.Open()
	return missing(noOpus, ipv6(context.Background(), network.OS{}))
}

// missing are the sentences of those errors that are some.
func missing(all ...error) (list []string) {
	for _, err := range all {
		if err != nil {
			list = append(list, err.Error())
		}
	}
	return list
}

// ipv6 tells whether a machine has IPv6, by its loopback.
func ipv6(ctx context.Context, n network.Network) error {
	l, err := n.ListenStream(ctx, netip.AddrPortFrom(netip.IPv6Loopback(), 0))
	if err != nil {
		return errIPv6
	}
	return l.Close()
}

// soundRate is the sample rate of calls that end here: what G.722 has, and enough for speech.
const soundRate = 16000

// sound returns how the services speak: without libopus they do without Opus.
func sound(library *opus.Library) session.Voice {
	v := session.Voice{Rate: soundRate, Formats: []codec.Format{codec.G722(), codec.PCMA(), codec.PCMU()}}
	if library.Speaks() {
		v.Formats = append([]codec.Format{library.Format(soundRate, opus.Settings{FEC: true})}, v.Formats...)
	}
	return v
}
