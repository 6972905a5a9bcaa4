// Bytes that mean nothing, for the SIP port and for the ports of a call. RFC 3550 §5.1; RFC 4475 §2.

package hostile

import (
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// packets is how many there are of each kind of noise.
const packets = 10_000

// noise returns a packet: random bytes, a message with some bytes changed, or the beginning of one protocol with the rest of another.
func noise(random *rand.Rand, good [][]byte) []byte {
	b := make([]byte, random.IntN(600))
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	switch random.IntN(4) {
	case 0:
		if len(b) > 0 {
			b[0] = 0x80 // RTP
		}
	case 1, 2:
		b = slices.Clone(good[random.IntN(len(good))])
		for range 1 + random.IntN(8) {
			b[random.IntN(len(b))] = byte(random.Uint32())
		}
	}
	return b
}

// goodMessages are the torture messages, and what they look like at the server.
func goodMessages(t *testing.T, sentBy string) [][]byte {
	var good [][]byte
	for _, c := range index(t) {
		if !strings.Contains(c.File, "longreq") {
			good = append(good, localize(torture(t, c.File), sentBy))
		}
	}
	return good
}

// heap is how much memory is in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestNoise: the server takes no harm and keeps nothing.
func TestNoise(t *testing.T) {
	h := strict(t)
	a := h.attacker()
	good := goodMessages(t, a.conn.LocalAddr().String())
	random := rand.New(rand.NewPCG(1, 2))
	round := func(n int) {
		for i := range n {
			a.send(noise(random, good))
			if i%50 == 0 {
				a.drain()
			}
		}
		a.drain()
	}
	round(packets / 10)
	before, goroutines := heap(), runtime.NumGoroutine()
	round(packets)
	h.audit()
	h.keeps(before, goroutines)
}

// keeps waits until no more goroutines run and no more memory is in use than before, but for what may be under way.
func (h *house) keeps(before uint64, goroutines int) {
	h.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		after, n := heap(), runtime.NumGoroutine()
		if n <= goroutines+5 && after <= before+4<<20 {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("%d goroutines, %d before; %d bytes in use, %d before", n, goroutines, after, before)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// drain has the server take what was sent, and throws away what it said.
func (a *attacker) drain() {
	a.t.Helper()
	end := "drain" + strconv.Itoa(rand.Int())
	a.send([]byte(request("OPTIONS", "sip:example.org", "UDP "+a.conn.LocalAddr().String(), "Call-ID: "+end)))
	for a.read().CallID() != end {
	}
}

// TestMediaNoise: a call to the echo number goes on while its port is shelled, and ends as calls do.
func TestMediaNoise(t *testing.T) {
	h := trusting(t)
	a := h.attacker()
	via := "UDP " + a.conn.LocalAddr().String()
	invite := withBody(request("INVITE", "sip:echo@example.org", via, "Contact: <sip:alice@"+a.conn.LocalAddr().String()+">"), "application/sdp", offer)
	res := final(t, a.ask([]byte(invite)))
	if res == nil || res.Status != sip.StatusOK {
		t.Fatalf("the call is answered %v", res)
	}
	inside := func(method string, seq int) []byte {
		cseq := "CSeq: " + strconv.Itoa(seq) + " " + method
		return []byte(request(method, "sip:echo@example.org", via, "From: "+res.Get(sip.HeaderFrom), "To: "+res.Get(sip.HeaderTo), "Call-ID: "+res.CallID(), cseq))
	}
	if got := a.ask(inside("ACK", 1)); len(got) != 0 {
		t.Errorf("an ACK is answered: %v", got)
	}
	_, media, _ := strings.Cut(string(res.Body()), "m=audio ")
	port, err := strconv.Atoi(strings.Fields(media)[0])
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(3, 4))
	good := goodMessages(t, "127.0.0.1")
	for _, to := range []int{port, port + 1} {
		conn, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: to})
		if err != nil {
			t.Fatal(err)
		}
		for range packets / 2 {
			// A port that does not take RTCP says so, and that is in order.
			_, _ = conn.Write(noise(random, good))
		}
		conn.Close()
	}
	h.until(1, "sipwerk_feature_calls")
	if res := final(t, a.ask(inside("BYE", 2))); res == nil || res.Status != sip.StatusOK {
		t.Errorf("the BYE is answered %v", res)
	}
	h.audit()
}
