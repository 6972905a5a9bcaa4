// Pages and the intercom: telephones that answer by themselves, for those who may make them. RFC 5373.

package server

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/media/prompt"
	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/service/conference"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/sip"
)

// page are the settings of the room of a page.
func (d *domain) page(p *object.Page) conference.Settings {
	page := &conference.Page{OneWay: p.Mode == object.PageOneWay, Loudspeakers: p.Loudspeakers(), Source: p.Source()}
	for _, m := range p.Members {
		page.Members = append(page.Members, d.uri(m))
	}
	if len(p.Callers) > 0 && !slices.Contains(p.Callers, "*") {
		page.Callers = []string{}
		for _, c := range p.Callers {
			uri := d.uri(c)
			page.Callers = append(page.Callers, uri.String())
		}
	}
	return conference.Settings{URI: d.uri(p.Number), Title: p.Title, Page: page}
}

// multicast opens the way to a group of loudspeakers, from an address of this machine: that of the page; else the one on which the server listens, if it is the only one and others can
// reach it; else the one by which the system's routes lead to the group. No such datagram leaves the local network: the TTL of multicast is 1 unless somebody asks for more.
func (s *Server) multicast(from netip.Addr, group netip.AddrPort) (io.WriteCloser, error) {
	if !from.IsValid() {
		from = soleAddress(s.Config.Listen, group.Addr().Is4())
	}
	if !from.IsValid() {
		var err error
		if from, err = s.relay.Network.LocalAddr(group.Addr()); err != nil {
			return nil, fmt.Errorf("multicast to %s: %w", group, err)
		}
	}
	conns, err := s.relay.Network.ListenPacket(context.Background(), netip.AddrPortFrom(from, 0), 1)
	if err != nil {
		return nil, fmt.Errorf("multicast to %s: %w", group, err)
	}
	return &groupWriter{conns[0], group}, nil
}

// soleAddress is the address of IPv4 or else of IPv6 on which all listeners listen that others can reach; the zero value if they are not of one mind.
func soleAddress(listen []string, ip4 bool) (sole netip.Addr) {
	for _, l := range listen {
		a := listenAddress(l)
		switch {
		case !a.IsValid() || a.IsUnspecified() || sole.IsValid() && a.Is4() == ip4 && !a.IsLoopback() && a != sole:
			return netip.Addr{}
		case a.Is4() == ip4 && !a.IsLoopback():
			sole = a
		}
	}
	return sole
}

// groupWriter sends to a group.
type groupWriter struct {
	network.PacketConn
	group netip.AddrPort
}

// Write implements [io.Writer]: each is a datagram.
func (w *groupWriter) Write(b []byte) (int, error) {
	_, err := w.WriteBatch([]network.Datagram{{Buf: b, Peer: w.group}})
	return len(b), err
}

// intercomTime is how long a telephone may take to answer by itself; one that rings instead is taken as one that will not.
const intercomTime = 30 * time.Second

// intercom leads the code of the intercom with an extension behind it to the telephones of that account, which are asked to answer by themselves; false if something else was
// dialled. It is for accounts that the called one has allowed.
func (r *router) intercom(q *b2bua.Question) (b2bua.Route, bool) {
	number, ok := strings.CutPrefix(q.Request.URI.UserName(), pbx.IntercomCode)
	if !ok || number == "" {
		return b2bua.Route{}, false
	}
	there := q.Request.URI
	there.User = number
	account, known := r.registrar.Resolve(there)
	switch {
	case !known:
		return b2bua.Route{Refuse: sip.StatusNotFound}, true
	case !r.mayAddress(q.Caller.Account, account):
		return b2bua.Route{Refuse: sip.StatusForbidden}, true
	}
	party := b2bua.Party{Account: account, MaxCalls: 1}
	for header, value := range conference.AutoAnswer(account.Host) {
		party.Headers = append(party.Headers, b2bua.Field{Name: header, Value: value})
	}
	return b2bua.Route{Ring: []b2bua.Party{party}, RingTime: intercomTime, Cause: "intercom"}, true
}

// noExtension answers a code that wants an extension behind it.
func noExtension(ctx context.Context, l *pbx.Line) error {
	return l.Say(ctx, prompt.Text("impossible"))
}

// mayAddress reports whether a caller may make the telephones of an account answer by themselves.
func (r *router) mayAddress(caller, account sip.URI) bool {
	d := r.domains.of(account)
	if d == nil || caller.Host == "" || r.domains.of(caller) != d {
		return false
	}
	a, _ := d.directory.Settings(d.name).Account(account.UserName())
	return !a.DND && slices.ContainsFunc(a.AnswerModeFrom, func(s string) bool { return s == "*" || s == caller.UserName() })
}
