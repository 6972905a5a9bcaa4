//go:build amd64 || arm64

package kernel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/cilium/ebpf"

	"github.com/sipwerk/sipwerk/media/rtp"
)

var (
	alice   = netip.MustParseAddrPort("127.0.0.2:4000")
	toAlice = netip.MustParseAddrPort("127.0.0.1:16384")
	toBob   = netip.MustParseAddrPort("127.0.0.1:16386")
	bob     = netip.MustParseAddrPort("127.0.0.3:5001")
)

// open opens a table. Where the system allows none, the error has to say so, and there is nothing else to be seen.
func open(t *testing.T) *Table {
	t.Helper()
	table, err := Open()
	if err != nil {
		if fault := new(ebpf.VerifierError); errors.As(err, &fault) {
			t.Errorf("the program is refused: %+v", fault)
		}
		t.Logf("this system allows none: %v", err)
		return nil
	}
	t.Cleanup(func() {
		if err := table.Close(); err != nil {
			t.Error(err)
		}
	})
	return table
}

// standing is that of a stream whose last packet had the number 100.
func standing(table *Table) rtp.Standing {
	return rtp.Standing{SSRC: 7, Highest: 100, Timestamp: 16000, Epoch: table.clock.at.Add(-2 * time.Second), Transit: -16000}
}

// carried is an entry from alice to bob that has begun.
func carried(t *testing.T, table *Table) *Entry {
	t.Helper()
	e, err := table.Reserve()
	if err != nil {
		t.Fatal(err)
	}
	if err = table.Start(e, Way{From: alice, At: toAlice, Via: toBob, To: bob, Clock: 8000, Standing: standing(table)}); err != nil {
		t.Fatal(err)
	}
	return e
}

// sum16 is the checksum of the internet.
func sum16(parts ...[]byte) uint16 {
	var sum uint32
	for _, b := range parts {
		for i := 0; i < len(b); i += 2 {
			word := uint32(b[i]) << 8
			if i+1 < len(b) {
				word |= uint32(b[i+1])
			}
			sum += word
		}
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// frame is an IPv4 packet with UDP as Ethernet carries it.
func frame(from, to netip.AddrPort, payload []byte) []byte {
	key := keyOf(from, to)
	b := make([]byte, linkSize+20+8, linkSize+20+8+len(payload))
	b[12], b[13] = 8, 0
	ip := b[linkSize:]
	ip[0], ip[1], ip[6], ip[8], ip[9] = 0x45, 0xb8, 0x40, 64, 17
	binary.BigEndian.PutUint16(ip[2:], uint16(28+len(payload)))
	copy(ip[12:], key[:])
	binary.BigEndian.PutUint16(ip[24:], uint16(8+len(payload)))
	b = append(b, payload...)
	seal(b)
	return b
}

// seal writes the checksums.
func seal(b []byte) {
	ip := b[linkSize:]
	copy(ip[10:], []byte{0, 0})
	binary.BigEndian.PutUint16(ip[10:], sum16(ip[:20]))
	copy(ip[26:], []byte{0, 0})
	binary.BigEndian.PutUint16(ip[26:], udpSumOf(ip))
}

func udpSumOf(ip []byte) uint16 {
	sum := sum16(ip[12:20], []byte{0, 17}, ip[24:26], ip[20:])
	if sum == 0 {
		return 0xffff
	}
	return sum
}

// voice is an RTP packet of the stream, with a number and the timestamp that belongs to it.
func voice(seq uint16) []byte {
	p := rtp.Packet{Header: rtp.Header{Sequence: seq, Timestamp: uint32(seq) * 160, SSRC: 7}, Payload: bytes.Repeat([]byte{byte(seq)}, 160)}
	return p.AppendTo(nil)
}

// buffer is the part of struct __sk_buff that a test may set.
type buffer struct {
	_         [40]byte
	Interface uint32
	_         [176 - 44]byte
	Segments  uint32
	_         [8 + 4]byte
}

// pass shows the program a packet, as it comes in by an interface, and returns what it says and what becomes of the packet.
func pass(t *testing.T, table *Table, b []byte, c buffer) (int32, []byte) {
	t.Helper()
	out := make([]byte, len(b)+64)
	opt := ebpf.RunOptions{Data: b, DataOut: out, Context: c}
	verdict, err := table.program.Run(&opt)
	if err != nil {
		t.Fatal(err)
	}
	return int32(verdict), opt.DataOut
}

// TestProgramRewrites: a packet leaves with the addresses of the next leg, correct checksums, one hop more behind it and no type of service, and its content as it was.
func TestProgramRewrites(t *testing.T) {
	table := open(t)
	if table == nil {
		return
	}
	e := carried(t, table)
	for i, change := range []func(b []byte){
		func([]byte) {},
		func(b []byte) { b[linkSize+5] = 9 }, // another identification
		func(b []byte) { copy(b[len(b)-160:], []byte{0xff, 0xff, 1}) }, // another payload
		func(b []byte) { b[linkSize+8] = 2 },
	} {
		in := frame(alice, toAlice, voice(uint16(101+i)))
		change(in)
		seal(in)
		verdict, out := pass(t, table, in, buffer{Interface: loopback})
		if verdict != next {
			t.Fatalf("%d: verdict %d", i, verdict)
		}
		want := bytes.Clone(in)
		key := keyOf(toBob, bob)
		copy(want[linkSize+12:], key[:])
		want[linkSize+1], want[linkSize+8] = 0, want[linkSize+8]-1
		seal(want)
		if !bytes.Equal(out, want) {
			t.Errorf("%d: got\n%x\nwant\n%x", i, out, want)
		}
	}
	bare := frame(alice, toAlice, voice(105))
	copy(bare[udpSum:], []byte{0, 0})
	if _, out := pass(t, table, bare, buffer{Interface: loopback}); !bytes.Equal(out[udpSum:udpSum+2], []byte{0, 0}) || out[linkSize+15] != 1 {
		t.Errorf("a packet without checksum gets %x", out[udpSum:udpSum+2])
	}
	if c := e.Count(); c.Packets != 5 || c.Bytes != 5*172 || c.Standing.Highest != 105 || c.Standing.Last.IsZero() {
		t.Errorf("counted %+v", c)
	}
}

// strange is what the program must leave as it is.
var strange = map[string]func(b []byte, c *buffer) []byte{
	"another source": func([]byte, *buffer) []byte {
		return frame(netip.MustParseAddrPort("127.0.0.9:4000"), toAlice, voice(101))
	},
	"another port": func([]byte, *buffer) []byte {
		return frame(netip.MustParseAddrPort("127.0.0.2:4001"), toAlice, voice(101))
	},
	"to another socket":    func([]byte, *buffer) []byte { return frame(alice, toBob, voice(101)) },
	"back":                 func([]byte, *buffer) []byte { return frame(toAlice, alice, voice(101)) },
	"another SSRC":         func(b []byte, _ *buffer) []byte { b[len(b)-161]++; return b },
	"RTCP":                 func(b []byte, _ *buffer) []byte { b[linkSize+29] = 200; return b },
	"STUN":                 func(b []byte, _ *buffer) []byte { b[linkSize+28] = 0; return b },
	"DTLS":                 func(b []byte, _ *buffer) []byte { b[linkSize+28] = 22; return b },
	"TCP":                  func(b []byte, _ *buffer) []byte { b[linkSize+9] = 6; return b },
	"options":              func(b []byte, _ *buffer) []byte { b[linkSize] = 0x46; return b },
	"a first fragment":     func(b []byte, _ *buffer) []byte { b[linkSize+6] = 0x20; return b },
	"a later fragment":     func(b []byte, _ *buffer) []byte { b[linkSize+7] = 1; return b },
	"the last hop":         func(b []byte, _ *buffer) []byte { b[linkSize+8] = 1; return b },
	"cut":                  func(b []byte, _ *buffer) []byte { return b[:len(b)-1] },
	"lengths that differ":  func(b []byte, _ *buffer) []byte { b[linkSize+25]--; return b },
	"shorter than RTP":     func([]byte, *buffer) []byte { return frame(alice, toAlice, voice(101)[:11]) },
	"longer than the way":  func([]byte, *buffer) []byte { return frame(alice, toAlice, append(voice(101), make([]byte, 1900)...)) },
	"no IP":                func(b []byte, _ *buffer) []byte { b[12], b[13] = 8, 6; return b },
	"VLAN":                 func(b []byte, _ *buffer) []byte { return append(append(bytes.Clone(b[:12]), 0x81, 0, 0, 5), b[12:]...) },
	"for another machine":  func(b []byte, _ *buffer) []byte { b[0] = 2; return b },
	"several in one":       func(b []byte, c *buffer) []byte { c.Segments = 100; return b },
	"a number that jumps":  func([]byte, *buffer) []byte { return frame(alice, toAlice, voice(3100)) },
	"a number long past":   func([]byte, *buffer) []byte { return frame(alice, toAlice, voice(0)) },
	"before the first one": func([]byte, *buffer) []byte { return frame(alice, toAlice, voice(65535)) },
	"IPv6": func([]byte, *buffer) []byte {
		b := make([]byte, 14+40+8+172)
		b[12], b[13], b[14], b[20] = 0x86, 0xdd, 0x60, 17
		return b
	},
}

// TestProgramLeaves: what is not exactly a packet of the stream goes on as it is, and is not counted.
func TestProgramLeaves(t *testing.T) {
	table := open(t)
	if table == nil {
		return
	}
	e := carried(t, table)
	for name, make := range strange {
		c := buffer{Interface: loopback}
		in := make(frame(alice, toAlice, voice(101)), &c)
		if verdict, out := pass(t, table, in, c); verdict != next || !bytes.Equal(out, in) {
			t.Errorf("%s: verdict %d\n%x\n%x", name, verdict, in, out)
		}
	}
	in := frame(alice, toAlice, voice(101))
	e.Stop()
	if _, out := pass(t, table, in, buffer{Interface: loopback}); !bytes.Equal(out, in) {
		t.Error("a stopped stream is carried")
	}
	if c := e.Count(); c.Packets != 0 {
		t.Errorf("counted %+v", c)
	}
}

// TestProgramNoise: random bytes, and packets of the stream with some bytes changed, leave the program standing; what it takes for one of the stream it passes on whole.
func TestProgramNoise(t *testing.T) {
	table := open(t)
	if table == nil {
		return
	}
	carried(t, table)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 5000 {
		in := make([]byte, 14+random.IntN(300))
		if i%2 == 0 {
			in = frame(alice, toAlice, voice(uint16(101+i/100)))
		}
		for range 1 + random.IntN(3) {
			in[random.IntN(len(in))] = byte(random.Uint32())
		}
		if _, out := pass(t, table, in, buffer{Interface: loopback}); len(out) != len(in) {
			t.Fatalf("%x becomes %x", in, out)
		}
	}
}

// TestProgramCounts: numbers, jitter and totals are what rtp.Receiver makes of the same packets at the same times.
func TestProgramCounts(t *testing.T) {
	table := open(t)
	if table == nil {
		return
	}
	r := &rtp.Receiver{Clock: 8000}
	take := func(seq uint16, at time.Time) {
		p := rtp.Packet{Header: rtp.Header{Sequence: seq, Timestamp: uint32(seq) * 160, SSRC: 7}}
		r.Receive(&p, at)
	}
	for seq := range uint16(101) {
		take(seq, table.clock.at.Add(time.Duration(seq)*20*time.Millisecond-2*time.Second))
	}
	e, err := table.Reserve()
	if err != nil {
		t.Fatal(err)
	}
	begin, _ := r.Standing()
	if err := table.Start(e, Way{From: alice, At: toAlice, Via: toBob, To: bob, Clock: 8000, Standing: begin}); err != nil {
		t.Fatal(err)
	}
	beside := *r
	var packets uint32
	for _, seq := range []uint16{101, 102, 104, 103, 103, 110, 109, 1500, 1501} {
		pass(t, table, frame(alice, toAlice, voice(seq)), buffer{Interface: loopback})
		c := e.Count()
		take(seq, c.Standing.Last)
		beside.Advance(uint32(c.Packets)-packets, c.Standing)
		packets = uint32(c.Packets)
		if got, want := beside.Statistics(), r.Statistics(); got != want {
			t.Fatalf("number %d: got %+v, want %+v", seq, got, want)
		}
	}
}

// TestProgramTaken: a place that has been given to another way carries nothing for the first one, even if the program still finds it.
func TestProgramTaken(t *testing.T) {
	table := open(t)
	if table == nil {
		return
	}
	first := carried(t, table)
	other := Way{From: bob, At: toBob, Via: toAlice, To: alice, Clock: 8000, Standing: standing(table)}
	first.known = false // as if it had not been forgotten yet
	table.Release(first)
	second, err := table.Reserve()
	if err != nil || second.index != first.index {
		t.Fatalf("place %d, %v", second.index, err)
	}
	if err := table.Start(second, other); err != nil {
		t.Fatal(err)
	}
	in := frame(alice, toAlice, voice(101))
	if _, out := pass(t, table, in, buffer{Interface: loopback}); !bytes.Equal(out, in) {
		t.Error("it goes the way of another")
	}
	if _, out := pass(t, table, frame(bob, toBob, voice(101)), buffer{Interface: loopback}); bytes.Equal(out, frame(bob, toBob, voice(101))) {
		t.Error("the other is not carried")
	}
}

// TestProgramReused: a place that another way has had counts nothing before it begins again.
func TestProgramReused(t *testing.T) {
	table := open(t)
	if table == nil {
		return
	}
	first := carried(t, table)
	pass(t, table, frame(alice, toAlice, voice(101)), buffer{Interface: loopback})
	table.Release(first)
	second, err := table.Reserve()
	if err != nil || second.index != first.index {
		t.Fatalf("place %d, %v", second.index, err)
	}
	if c := second.Count(); c != (Count{}) {
		t.Errorf("counted %+v", c)
	}
}
