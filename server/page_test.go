// Pages, the intercom and queues as the router leads to them. RFC 5373 §4.

package server

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/sip"
)

// made returns an object with its defaults.
func made[T object.Object](kind, name string) T { return object.KindNamed(kind).Named(name).(T) }

// question is what somebody asks the router by dialling.
func question(caller, dialled string) *b2bua.Question {
	req := sip.NewRequest(sip.MethodInvite, sip.MustParseURI("sip:"+dialled+"@example.org"))
	req.Set(sip.HeaderFrom, "<sip:"+caller+"@example.org>;tag=1")
	return &b2bua.Question{Request: req, Caller: b2bua.Caller{Account: sip.MustParseURI("sip:" + caller + "@example.org")}}
}

// TestIntercom: a telephone answers by itself for those whom its account allows that.
func TestIntercom(t *testing.T) {
	s := start(t, nil)
	ask := func(caller, dialled string) b2bua.Route { return s.calls.Router.Route(question(caller, dialled)) }
	if r := ask("alice", "*80bob"); r.Refuse != sip.StatusForbidden {
		t.Errorf("not allowed by anybody: %+v", r)
	}
	edit(t, s, func(set *object.Settings) {
		a := made[*object.Account]("account", "bob")
		a.AnswerModeFrom = []string{"alice"}
		set.Accounts = map[string]*object.Account{"bob": a}
	})
	r := ask("alice", "*80bob")
	if len(r.Ring) != 1 || r.Ring[0].Account.User != "bob" || r.RingTime != intercomTime || !slices.Contains(r.Ring[0].Headers, b2bua.Field{Name: sip.HeaderAnswerMode, Value: "Auto"}) {
		t.Errorf("allowed: %+v", r)
	}
	if r := ask("mallory", "*80bob"); r.Refuse != sip.StatusForbidden {
		t.Errorf("somebody else: %+v", r)
	}
	if r := ask("alice", "*80nobody"); r.Refuse != sip.StatusNotFound {
		t.Errorf("nobody: %+v", r)
	}
	if r := ask("alice", "bob"); len(r.Ring) != 1 || r.Ring[0].Account.User != "bob" || len(r.Ring[0].Headers) > 0 {
		t.Errorf("a call like any other: %+v", r)
	}
}

// TestPageSettings: a page of the settings is a room that calls its members.
func TestPageSettings(t *testing.T) {
	s := start(t, nil)
	edit(t, s, func(set *object.Settings) {
		p := made[*object.Page]("page", "900")
		p.Title, p.Members, p.Callers = "Hall", []string{"bob"}, []string{"alice"}
		set.Pages = map[string]*object.Page{"900": p}
	})
	q := question("alice", "900")
	if r := s.calls.Router.Route(q); r.Application != s.conferences {
		t.Errorf("%+v", r)
	}
	set, ok := s.conferences.Rooms.Room(q.Request)
	if !ok || set.Page == nil || !set.Page.OneWay || set.Page.Members[0].String() != "sip:bob@example.org" || set.Page.Callers[0] != "sip:alice@example.org" || set.Title != "Hall" {
		t.Errorf("%+v, %+v", set, set.Page)
	}
}

// TestQueueSettings: a queue of the settings is found, its agents ring for an offer of it, and their lamps show it.
func TestQueueSettings(t *testing.T) {
	s := start(t, nil)
	edit(t, s, func(set *object.Settings) {
		q := made[*object.Queue]("queue", "700")
		q.Title, q.Agents, q.Exit, q.Announce = "Support", []string{"alice", "bob"}, "0", object.Duration(time.Minute)
		m := made[*object.Mailbox]("mailbox", "alice")
		set.Mailboxes = map[string]*object.Mailbox{"alice": m}
		q.Otherwise = "voicemail:alice"
		set.Queues = map[string]*object.Queue{"700": q}
	})
	set, ok := s.queues.Directory.Queue("sip:700@example.org")
	if !ok || set.Title != "Support" || set.Agents[1] != "sip:bob@example.org" || set.Exit != '0' || set.Otherwise.UserName() != "voicemail:alice" || set.Announce != time.Minute {
		t.Errorf("%+v", set)
	}
	if set.Music == nil {
		t.Error("the music of the server is not that of the queue")
	}
	if all := s.queues.Status(); len(all) != 1 || len(all[0].Agents) != 2 || all[0].Agents[0].State != pbx.AgentAway {
		t.Errorf("%+v", all)
	}
	if r := s.calls.Router.Route(question("alice", "700")); r.Application == nil && len(r.Ring) == 0 {
		t.Errorf("%+v", r)
	}
	if name, ok := s.lamps.Onlookers.Shared(sip.MustParseURI("sip:700@example.org")); !ok || name != "sip:700@example.org" {
		t.Error("the queue has no lamp")
	}
	if looks := s.lamps.Onlookers; looks.Sees("sip:bob@example.org", "sip:700@example.org") != pbx.SeesPeer || looks.Sees("sip:carol@example.org", "sip:700@example.org") != pbx.SeesCall || !looks.Online("sip:700@example.org") {
		t.Error("who may see the queue")
	}
	if !s.queues.Login("sip:bob@example.org", "sip:700@example.org", false) {
		t.Error("bob is no agent")
	}
}

// routes is a network that says where a datagram would leave, and from where somebody has sent.
type routes struct {
	network.Network
	local, from netip.Addr
}

func (r *routes) LocalAddr(netip.Addr) (netip.Addr, error) {
	if !r.local.IsValid() {
		return r.local, syscall.ENETUNREACH
	}
	return r.local, nil
}

func (r *routes) ListenPacket(_ context.Context, addr netip.AddrPort, _ int) ([]network.PacketConn, error) {
	r.from = addr.Addr()
	return []network.PacketConn{nil}, nil
}

// TestMulticastSource: a page goes out to the network of the telephones, not into the machine itself.
func TestMulticastSource(t *testing.T) {
	for _, c := range []struct {
		listen, from, route, group, want string
	}{
		{"udp://:5060", "", "192.168.1.5", "239.255.1.1:10000", "192.168.1.5"},
		{"ws://127.0.0.1:8080 udp://:5060", "", "192.168.1.5", "239.255.1.1:10000", "192.168.1.5"},
		{"ws://127.0.0.1:8080", "", "192.168.1.5", "239.255.1.1:10000", "192.168.1.5"},
		{"ws://127.0.0.1:8080 udp://10.0.0.5:5060 tcp://10.0.0.5:5060", "", "192.168.1.5", "239.255.1.1:10000", "10.0.0.5"},
		{"udp://203.0.113.5:5060 udp://10.0.0.5:5060", "", "192.168.1.5", "239.255.1.1:10000", "192.168.1.5"},
		{"udp://203.0.113.5:5060 udp://10.0.0.5:5060", "10.0.0.5", "192.168.1.5", "239.255.1.1:10000", "10.0.0.5"},
		{"udp://10.0.0.5:5060", "", "2001:db8::5", "[ff05::1]:10000", "2001:db8::5"},
		{"udp://10.0.0.5:5060 udp://[2001:db8::6]:5060", "", "2001:db8::5", "[ff05::1]:10000", "2001:db8::6"},
		{"udp://:5060", "", "", "239.255.1.1:10000", ""}, // no route
	} {
		net := new(routes)
		net.local, _ = netip.ParseAddr(c.route)
		s := &Server{Config: &config.Config{Listen: strings.Fields(c.listen)}}
		s.relay = &relay.Relay{Network: net}
		page := object.Page{MulticastFrom: c.from}
		want, _ := netip.ParseAddr(c.want)
		if _, err := s.multicast(page.Source(), netip.MustParseAddrPort(c.group)); net.from != want || (err == nil) != want.IsValid() {
			t.Errorf("%s, %q, route %s: from %s, %v, want %s", c.listen, c.from, c.route, net.from, err, want)
		}
	}
}

// TestPageMulticast: a telephone that listens on a multicast group of the machine hears a page, without a call.
func TestPageMulticast(t *testing.T) {
	s := start(t, nil)
	loopback, err := net.InterfaceByIndex(1)
	if err != nil || loopback.Flags&net.FlagLoopback == 0 {
		t.Fatalf("interface 1 is no loopback: %v, %v", loopback, err)
	}
	listener, err := net.ListenMulticastUDP("udp4", loopback, &net.UDPAddr{IP: net.IPv4(239, 255, 83, 73)})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.LocalAddr().(*net.UDPAddr).Port
	edit(t, s, func(set *object.Settings) {
		p := made[*object.Page]("page", "900")
		p.Multicast, p.MulticastFrom = []string{fmt.Sprintf("239.255.83.73:%d", port)}, "127.0.0.1"
		set.Pages = map[string]*object.Page{"900": p}
	})
	call, err := telephone(t, s, "alice", "udp").Dial(t.Context(), "sip:900@example.org")
	if err != nil {
		t.Fatal(err)
	}
	defer call.Hangup()
	_ = listener.SetReadDeadline(time.Now().Add(30 * time.Second))
	buf := make([]byte, 2048)
	var before rtp.Packet
	for i := range 5 {
		n, err := listener.Read(buf)
		if err != nil {
			t.Fatalf("packet %d: %v", i, err)
		}
		p, err := rtp.Parse(bytes.Clone(buf[:n]))
		if err != nil || p.PayloadType != 0 || len(p.Payload) != 160 || i > 0 && (p.SSRC != before.SSRC || p.Sequence != before.Sequence+1) {
			t.Errorf("packet %d: %+v %v after %+v", i, p.Header, err, before.Header)
		}
		before = p
	}
}
