package session

import (
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/network"
)

// guest is a telephone on a real socket, and its seat.
type guest struct {
	t     *testing.T
	conn  *net.UDPConn
	to    *net.UDPAddr
	seat  *Seat
	sent  int
	tone  audio.Tone
	voice []int16
}

// seated returns a room that beats when the test says so, and guests in it who speak PCMU.
func seated(t *testing.T, guests int) (*Room, []*guest) {
	t.Helper()
	r := &relay.Relay{Network: network.OS{}}
	site := &Site{Relay: r}
	room := &Room{beats: true, stop: make(chan struct{}), stopped: make(chan struct{})}
	close(room.stopped)
	var all []*guest
	for i := range guests {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		e := newEndpoint(t, site, netip.MustParseAddr("127.0.0.1"), Voice{Formats: []codec.Format{codec.PCMU()}}, uint64(i))
		if room.sweep == nil {
			room.sweep = r.NewSweep()
		}
		seat, err := room.Join(e)
		if err != nil {
			t.Fatal(err)
		}
		port := conn.LocalAddr().(*net.UDPAddr).Port
		if _, err := e.Answer(describe(t, "v=0", "c=IN IP4 127.0.0.1", fmt.Sprintf("m=audio %d RTP/AVP 0", port))); err != nil {
			t.Fatal(err)
		}
		local, _ := e.stream.Local()
		all = append(all, &guest{t: t, conn: conn, to: net.UDPAddrFromAddrPort(local), seat: seat, voice: make([]int16, 160),
			tone: audio.Tone{Rate: 8000, Frequencies: []float64{float64(400 * (i + 1))}, Amplitude: 8000}})
	}
	t.Cleanup(func() {
		for _, g := range all {
			g.seat.endpoint.Close()
			_ = g.conn.Close()
		}
		room.Close()
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return room, all
}

// say sends 20 ms; over the loopback it lies in the socket when that returns.
func (g *guest) say() {
	g.t.Helper()
	_, _ = g.tone.ReadSamples(g.voice)
	encoder, err := codec.PCMU().NewEncoder()
	if err != nil {
		g.t.Fatal(err)
	}
	payload, err := encoder.Encode(nil, g.voice)
	if err != nil {
		g.t.Fatal(err)
	}
	h := rtp.Header{Sequence: uint16(g.sent), Timestamp: uint32(160 * g.sent), SSRC: 7}
	p := rtp.Packet{Header: h, Payload: payload}
	if _, err := g.conn.WriteToUDP(p.AppendTo(nil), g.to); err != nil {
		g.t.Fatal(err)
	}
	g.sent++
}

// hears waits for a packet and returns how loud it is, in -dBov.
func (g *guest) hears() int {
	g.t.Helper()
	b := make([]byte, 2000)
	_ = g.conn.SetReadDeadline(time.Now().Add(time.Minute))
	n, err := g.conn.Read(b)
	if err != nil {
		g.t.Fatal(err)
	}
	p, err := rtp.Parse(b[:n])
	if err != nil {
		g.t.Fatal(err)
	}
	decoder, err := codec.PCMU().NewDecoder()
	if err != nil {
		g.t.Fatal(err)
	}
	pcm, err := decoder.Decode(nil, p.Payload)
	if err != nil {
		g.t.Fatal(err)
	}
	return int(codec.Level(pcm))
}

func (g *guest) heard() int { return int(g.seat.endpoint.Statistics().Received.Packets) }

// catchUp waits until everything that the guest has sent was heard.
func (g *guest) catchUp() {
	for g.heard() < g.sent {
		runtime.Gosched()
	}
}

// TestRoomReads: a room reads the packets of those who are heard at its beat and sends them the mix in the same; who has left is heard without.
func TestRoomReads(t *testing.T) {
	room, guests := seated(t, 3)
	for swept := 0; swept < len(guests); {
		swept = 0
		for _, g := range guests {
			g.say()
			g.seat.room.step()
			g.hears()
			if g.seat.swept {
				swept++
			}
		}
		for _, g := range guests { // three steps a turn
			g.hears()
			g.hears()
		}
	}
	room.step() // what was read by the relay at the same time is heard now
	for _, g := range guests {
		g.catchUp()
		g.hears()
	}
	loudest := codec.Silence
	turn := func() (atBeat bool) { // whether all was read at the beat
		atBeat = true
		for _, g := range guests {
			g.say()
			atBeat = atBeat && g.heard() == g.sent-1
		}
		room.step()
		for _, g := range guests {
			atBeat = atBeat && g.heard() == g.sent
			g.catchUp()
			loudest = min(loudest, g.hears())
		}
		return atBeat
	}
	for turns, row := 0, 0; row < 10; turns++ { // the relay may still read what it has woken for before
		if row++; !turn() {
			row = 0
		}
		if turns == 200 {
			t.Fatal("packets are not heard at the beat")
		}
	}
	if loudest > 30 {
		t.Errorf("what the guests hear has at most -%d dB", loudest)
	}
	g := guests[0]
	g.seat.Leave()
	g.say()
	g.catchUp()
}
