// The listeners as people see them: URLs with the real ports.

package server

import (
	"net/netip"
	"net/url"
	"strings"
)

// Listener is one address listened on.
type Listener struct {
	Transport string // udp, tcp, tls, ws, wss, http
	Addr      netip.AddrPort
}

// URL writes the listener as the configuration does, with the real port.
func (l Listener) URL() string {
	host := l.Addr.String()
	if l.Addr.Addr().IsUnspecified() {
		_, port, _ := strings.Cut(host[strings.LastIndexByte(host, ']')+1:], ":")
		host = ":" + port
	}
	return l.Transport + "://" + host
}

// Listeners returns the SIP listeners in the order of the configuration, and then HTTP.
func (s *Server) Listeners() []Listener {
	var ls []Listener
	for i, addr := range s.stack.Addrs() {
		scheme, _, _ := strings.Cut(s.Config.Listen[i], ":")
		ls = append(ls, Listener{Transport: strings.ToLower(scheme), Addr: addr})
	}
	if a := s.web.addr(); a.IsValid() {
		ls = append(ls, Listener{Transport: "http", Addr: a})
	}
	return ls
}

// Address is the address by which this machine is probably known to telephones.
func (s *Server) Address() netip.Addr { return ownAddress(s.Config.Listen) }

// advertised adds the advertised host to a listener's URL, unless that names one.
func advertised(listen, host string) string {
	u, err := url.Parse(listen)
	if err != nil || host == "" || u.Query().Has("advertise") {
		return listen
	}
	u.RawQuery = url.Values{"advertise": {host}}.Encode()
	return u.String()
}
