// Junk from everywhere, and connections that never say anything whole, while an honest telephone goes on. RFC 3261 §26.3.2.4.

package hostile

import (
	"crypto/rand"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// What the flood is made of.
const (
	floodTime    = 2 * time.Second
	floodSources = 16
	floodRate    = 50_000 // packets a second, as far as the machine goes along
	slowPeers    = 400
)

// junk are packets of every kind that costs a server something: bytes, text, half a message, a message with a fault, keep-alives.
func junk() [][]byte {
	good := request("OPTIONS", "sip:example.org", "UDP 203.0.113.1")
	noise := make([]byte, 300)
	_, _ = rand.Read(noise)
	noise[0] = 'O'
	return [][]byte{noise, []byte(strings.Repeat("hello ", 50)), []byte(good[:60]), []byte(strings.Replace(good, "CSeq: 1", "CSeq: x", 1)),
		[]byte("GET / HTTP/1.1\r\n\r\n"), []byte("\r\n\r\n"), []byte("\x80\x00junk")}
}

// flood sends until stop is closed, from a source of its own, and returns how many packets that were.
func (h *house) flood(source net.IP, stop <-chan struct{}) (sent int) {
	conn, err := net.DialUDP("udp", &net.UDPAddr{IP: source}, net.UDPAddrFromAddrPort(h.udp))
	if err != nil {
		h.t.Error(err)
		return 0
	}
	defer conn.Close()
	packets := junk()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return sent
		case <-tick.C:
		}
		for range floodRate / floodSources / 200 {
			_, _ = conn.Write(packets[sent%len(packets)]) // a full socket drops it
			sent++
		}
	}
}

// slow opens a connection that says half a request and then nothing.
func (h *house) slow(source net.IP) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: source}}
	conn, err := d.Dial("tcp", h.tcp.String())
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { conn.Close() })
	_, _ = conn.Write([]byte("OPTIONS sip:example.org SIP/2.0\r\nVia: "))
}

// TestFloodOfJunk: of the requests of a telephone, sent again as RFC 3261 §17.1.2.2 has it, at least 99 in 100 are answered, and hardly any has to be sent again.
func TestFloodOfJunk(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	h := open(t, nil)
	for i := range slowPeers {
		h.slow(net.IPv4(127, 0, 2, byte(1+i%250)))
	}
	stop := make(chan struct{})
	var floods sync.WaitGroup
	var sent atomic.Int64
	for i := range floodSources {
		floods.Go(func() { sent.Add(int64(h.flood(net.IPv4(127, 0, 1, byte(1+i)), stop))) })
	}
	phone := h.attacker()
	asked, answered, again := 0, 0, 0
	for end := time.Now().Add(floodTime); time.Now().Before(end); asked++ {
		call := rand.Text()
		message := []byte(request("OPTIONS", "sip:example.org", "UDP "+phone.conn.LocalAddr().String(), "Call-ID: "+call))
		for wait := 500 * time.Millisecond; wait <= 4*time.Second; wait *= 2 {
			phone.send(message)
			if phone.hears(call, wait) {
				answered++
				break
			}
			again++
		}
	}
	close(stop)
	floods.Wait()
	t.Logf("%d packets of junk, %d requests, %d answered, %d sent again", sent.Load(), asked, answered, again)
	if 100*answered < 99*asked || 100*again > 5*asked+100 {
		t.Errorf("%d requests, %d answered, %d sent again", asked, answered, again)
	}
	h.audit()
}

// hears waits for the answer to a call's request.
func (a *attacker) hears(call string, wait time.Duration) bool {
	_ = a.conn.SetReadDeadline(time.Now().Add(wait))
	room := make([]byte, 4096)
	for {
		n, err := a.conn.Read(room)
		if err != nil {
			return false
		}
		if res, err := sip.ParseResponse(room[:n]); err == nil && res.CallID() == call && res.Status == sip.StatusOK {
			return true
		}
	}
}
