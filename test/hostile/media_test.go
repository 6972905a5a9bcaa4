// Bytes that mean nothing for every port that carries media: those of a room with members of all kinds, the one that browsers share, and those of TURN. RFC 7983 §7; RFC 9143 §9; RFC 8656 §11.

package hostile

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	pion "github.com/pion/turn/v5"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/phone"
	"github.com/sipwerk/sipwerk/server"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/setup"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// TestNoiseOnMediaPorts: ten thousand packets for each port, from strangers and from an address that has proved to be a browser: nobody panics, nothing grows, and the members hear each other.
func TestNoiseOnMediaPorts(t *testing.T) {
	turn := freePort(t)
	h := openWith(t, map[string]string{"trust": "127.0.0.0/8", "media.shared-port": strconv.Itoa(freePort(t)), "turn.listen": "udp://127.0.0.1:" + strconv.Itoa(turn), "turn.private": "127.0.0.0/8"}, unhurried)
	_, err := (&setup.Setup{Store: h.server.Store}).Edit(t.Context(), "example.org", func(set *object.Settings) error {
		set.Put(&object.Room{Number: "4000", Quiet: true})
		return nil
	})
	if err == nil {
		err = h.server.Refresh(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	ports := new(ports)
	speaker := h.member("alice", session.Plain, ports)
	listener := h.member("bob", session.SDES, ports)
	third := h.member("user", session.WebRTC, ports)
	raw := h.browser(ports)
	relay := h.relay(turn)
	ports.add(turn, relay)
	talk, quiet := context.WithCancel(t.Context())
	var talking sync.WaitGroup
	talking.Go(func() {
		_ = speaker.Play(talk, &audio.Tone{Rate: speaker.Rate(), Frequencies: []float64{1000}, Amplitude: 8000}) // until it is quiet
	})
	hears(t, listener)
	hears(t, third)

	random := rand.New(rand.NewPCG(5, 6))
	good := goodMessages(t, "127.0.0.1")
	good = append(good, raw.check)
	stranger, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	shell := func(packets int) {
		for _, port := range ports.all() {
			to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))
			for i := range packets {
				from := stranger
				if i%2 == 0 {
					from = raw.conn
				}
				_, _ = from.WriteToUDPAddrPort(noise(random, good), to) // a port that does not take RTCP says so, and that is in order
			}
		}
	}
	if n := len(ports.all()); n != 8 { // two of each telephone, the shared one and the one behind it, two of TURN
		t.Errorf("the ports are %v", ports.all())
	}
	shell(packets / 10)
	before, goroutines := heap(), runtime.NumGoroutine()
	shell(packets)
	hears(t, listener)
	hears(t, third)
	h.keeps(before, goroutines)
	quiet()
	talking.Wait()
	raw.bye()
	for _, call := range []*phone.Call{speaker, listener, third} {
		if err := call.Hangup(); err != nil {
			t.Error(err)
		}
	}
	h.audit()
}

// freePort is one that nobody had just now.
func freePort(t *testing.T) int {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port
}

// ports are those that the server has named.
type ports struct {
	mu    sync.Mutex // guards known
	known []int
}

func (p *ports) add(all ...int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, port := range all {
		if !slices.Contains(p.known, port) {
			p.known = append(p.known, port)
		}
	}
}

func (p *ports) all() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.known)
}

// note takes the ports of sound and pictures, and of their RTCP, from a message.
func (p *ports) note(message []byte) {
	for line := range strings.Lines(string(message)) {
		if f := strings.Fields(line); len(f) > 1 && (f[0] == "m=audio" || f[0] == "m=video") {
			if port, err := strconv.Atoi(f[1]); err == nil && port > 0 {
				p.add(port, port+1)
			}
		}
	}
}

// member is a telephone in the room.
func (h *house) member(user string, kind session.Kind, p *ports) *phone.Call {
	h.t.Helper()
	telephone := &phone.Phone{URI: "sip:" + user + "@example.org", Outbound: "sip:" + h.udp.String(), Listen: []string{"udp://127.0.0.1:0"}, Media: kind, Log: slog.New(slog.DiscardHandler),
		Trace: func(t transport.Trace) {
			if !t.Sent {
				p.note(t.Data)
			}
		}}
	h.t.Cleanup(func() { _ = telephone.Close() })
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	call, err := telephone.Dial(ctx, "sip:4000@example.org")
	if err != nil {
		h.t.Fatal(err)
	}
	return call
}

// hears waits until the tone of the room is heard in a call.
func hears(t *testing.T, call *phone.Call) {
	t.Helper()
	pcm := make([]int16, call.Rate()/10)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		for n := 0; n < len(pcm); {
			got, err := call.ReadSamples(pcm[n:])
			if err != nil {
				t.Fatal(err)
			}
			n += got
		}
		if audio.Goertzel(pcm, call.Rate(), 1000) > 2000 {
			return
		}
	}
	t.Fatal("the room is not heard")
}

// browser is a member made of text and a socket, which has shown the server by a check that it is at the other end: sound and two lines of pictures on one transport, and no keys to come.
type browser struct {
	*attacker
	conn   *net.UDPConn
	check  []byte
	inside func(method string, seq int) []byte
}

func (h *house) browser(p *ports) *browser {
	h.t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { conn.Close() })
	b := &browser{attacker: h.attacker(), conn: conn}
	via := "UDP " + b.attacker.conn.LocalAddr().String()
	lines := []string{"v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "a=group:BUNDLE 0 1 2", "a=fingerprint:sha-256 " + strings.Repeat(":AB", 32)[1:]}
	for mid, m := range []string{"m=audio 9 UDP/TLS/RTP/SAVPF 0", "m=video 9 UDP/TLS/RTP/SAVPF 96", "m=video 9 UDP/TLS/RTP/SAVPF 96"} {
		lines = append(lines, m, "a=mid:"+strconv.Itoa(mid), "a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuv", "a=setup:active", "a=rtcp-mux", "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid")
		if mid > 0 {
			lines = append(lines, "a=rtpmap:96 VP8/90000")
		}
	}
	invite := request("INVITE", "sip:4000@example.org", via, "Contact: <sip:watson@"+b.attacker.conn.LocalAddr().String()+">", "From: <sip:watson@example.org>;tag=w")
	res := final(h.t, b.ask([]byte(withBody(invite, "application/sdp", strings.Join(lines, "\r\n")+"\r\n"))))
	if res == nil || res.Status != sip.StatusOK {
		h.t.Fatalf("the browser is answered %v", res)
	}
	p.note(res.Body())
	b.inside = func(method string, seq int) []byte {
		return []byte(request(method, "sip:4000@example.org", via, "From: "+res.Get(sip.HeaderFrom), "To: "+res.Get(sip.HeaderTo), "Call-ID: "+res.CallID(), "CSeq: "+strconv.Itoa(seq)+" "+method))
	}
	b.ask(b.inside("ACK", 1))
	b.prove(string(res.Body()))
	return b
}

// prove sends a check and waits for its answer. RFC 8445 §7.2.
func (b *browser) prove(answer string) {
	b.t.Helper()
	value := func(name string) string {
		_, rest, _ := strings.Cut(answer, name)
		v, _, _ := strings.Cut(rest, "\r\n")
		return v
	}
	m, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.NewUsername(value("a=ice-ufrag:")+":abcd"), stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{0x6e, 0, 0, 1}},
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: make([]byte, 8)}, stun.RawAttribute{Type: stun.AttrUseCandidate}, stun.NewShortTermIntegrity(value("a=ice-pwd:")), stun.Fingerprint)
	if err != nil {
		b.t.Fatal(err)
	}
	port, err := strconv.Atoi(strings.Fields(value("m=audio "))[0])
	if err != nil {
		b.t.Fatal(err)
	}
	b.check = m.Raw
	room := make([]byte, 2000)
	_ = b.conn.SetReadDeadline(time.Now().Add(patience))
	if _, err = b.conn.WriteToUDP(m.Raw, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}); err == nil {
		_, err = b.conn.Read(room)
	}
	if err != nil {
		b.t.Fatalf("the check is not answered: %v", err)
	}
}

// bye ends the call.
func (b *browser) bye() {
	b.t.Helper()
	if res := final(b.t, b.ask(b.inside("BYE", 2))); res == nil || res.Status != sip.StatusOK {
		b.t.Errorf("the BYE is answered %v", res)
	}
}

// relay allocates a relay at the TURN server, which stays until the end, and returns its port.
func (h *house) relay(turn int) int {
	h.t.Helper()
	c, err := server.IssueTurn(h.server.Config, "alice", "example.org", time.Hour)
	if err != nil {
		h.t.Fatal(err)
	}
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	at := "127.0.0.1:" + strconv.Itoa(turn)
	k, err := pion.NewClient(&pion.ClientConfig{STUNServerAddr: at, TURNServerAddr: at, Username: c.Username, Password: c.Password, Realm: "example.org", Conn: conn})
	if err == nil {
		err = k.Listen()
	}
	if err != nil {
		h.t.Fatal(err)
	}
	relayed, err := k.Allocate()
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		_ = relayed.Close()
		k.Close()
		_ = conn.Close()
	})
	return relayed.LocalAddr().(*net.UDPAddr).Port
}
