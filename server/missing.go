// What this machine has not, and what a server does without it.

package server

import (
	"errors"
	"net"
)

// errIPv6 says that there is no IPv6.
var errIPv6 = errors.New("this machine has no IPv6: a listener without an address serves IPv4 alone")

// Missing tells what a server on this machine does without, a sentence for each.
func Missing() []string {
	_, noOpus := sound()
	var list []string
	for _, err := range []error{noOpus, ipv6()} {
		if err != nil {
			list = append(list, err.Error())
		}
	}
	return list
}

// ipv6 tells whether the machine has IPv6.
func ipv6() error {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return errIPv6
	}
	return l.Close()
}
