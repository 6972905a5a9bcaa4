package dtls

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/srtp"
	"github.com/sipwerk/sipwerk/network"
)

// identities are made once: their keys cost time, and a bubble may not share what waits.
var identities = sync.OnceValues(func() ([2]*Identity, error) {
	a, err := NewIdentity()
	if err != nil {
		return [2]*Identity{}, err
	}
	b, err := NewIdentity()
	return [2]*Identity{a, b}, err
})

// end is one side: a socket, an association, and what came of it.
type end struct {
	conn   network.PacketConn
	aside  relay.Aside
	a      *Association
	cipher chan *srtp.Cipher
	failed chan error
}

func (e *end) Aside(f relay.Aside) { e.aside = f }

func (e *end) SendTo(b []byte, to netip.AddrPort, _ bool) error {
	_, err := e.conn.WriteBatch([]network.Datagram{{Buf: bytes.Clone(b), Peer: to}})
	return err
}

func (e *end) read() {
	ms := []network.Datagram{{Buf: make([]byte, 4096)}}
	for {
		if _, err := e.conn.ReadBatch(ms); err != nil {
			return
		}
		if e.aside != nil {
			e.aside(ms[0].Buf[:ms[0].N], ms[0].Peer, false)
		}
	}
}

var (
	here     = netip.MustParseAddrPort("192.0.2.1:4000")
	there    = netip.MustParseAddrPort("192.0.2.2:5000")
	stranger = netip.MustParseAddrPort("203.0.113.66:6000")
)

// world runs f in a bubble with an active and a passive end that know where the other is, but not its fingerprint.
func world(t *testing.T, c network.Conditions, f func(t *testing.T, sim *network.Sim, active, passive *end)) {
	ids, err := identities()
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		sim := &network.Sim{Seed: 7}
		sim.SetConditions(c)
		ends := [2]*end{}
		for i, at := range []netip.AddrPort{here, there} {
			e := newEnd(t, sim, at)
			peer := Peer{Described: there, Signalled: there.Addr()}
			if i == 1 {
				peer = Peer{Described: here, Signalled: here.Addr()}
			}
			e.a = Over(e, peer, Config{
				Identity: ids[i], Active: i == 0,
				Secure: func(c *srtp.Cipher) { e.cipher <- c }, Failed: func(err error) { e.failed <- err },
			})
			ends[i] = e
		}
		f(t, sim, ends[0], ends[1])
		for _, e := range ends {
			e.a.Close()
			e.a.Close()
		}
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
}

func newEnd(t *testing.T, sim *network.Sim, at netip.AddrPort) *end {
	t.Helper()
	conns, err := sim.Host(at.Addr()).ListenPacket(context.Background(), at, 1)
	if err != nil {
		t.Fatal(err)
	}
	e := &end{conn: conns[0], cipher: make(chan *srtp.Cipher, 1), failed: make(chan error, 1)}
	go e.read()
	return e
}

// trustEachOther gives each end the other's fingerprint.
func trustEachOther(active, passive *end) {
	active.a.Trust([]Fingerprint{passive.a.config.Identity.Fingerprint()})
	passive.a.Trust([]Fingerprint{active.a.config.Identity.Fingerprint()})
}

// talk tells whether both ciphers are there and fit.
func talk(t *testing.T, active, passive *end) {
	t.Helper()
	a, b := <-active.cipher, <-passive.cipher
	for i, pair := range [][2]*srtp.Cipher{{a, b}, {b, a}} {
		packet := make([]byte, 30, 64)
		packet[0] = 0x80
		binary.BigEndian.PutUint16(packet[2:], uint16(i))
		sealed, ok := pair[0].Seal(packet, false)
		if _, heard := pair[1].Open(sealed, false); !ok || !heard {
			t.Errorf("direction %d: sealed %v, opened %v", i, ok, heard)
		}
	}
	if s := a.State().Send.Key.Suite; s != srtp.AEAD128GCM {
		t.Errorf("suite %v", s)
	}
}

// TestHandshake: RFC 5763 §5, RFC 5764 §4.2, over a network that loses, repeats and reorders.
func TestHandshake(t *testing.T) {
	for name, c := range map[string]network.Conditions{
		"quiet": {Delay: 20 * time.Millisecond},
		"lossy": {Delay: 20 * time.Millisecond, Jitter: 30 * time.Millisecond, Loss: 0.25, Duplicate: 0.1, Reorder: 0.1},
	} {
		t.Run(name, func(t *testing.T) {
			world(t, c, func(t *testing.T, _ *network.Sim, active, passive *end) {
				trustEachOther(active, passive)
				passive.a.Connect() // nothing: it waits
				active.a.Connect()
				talk(t, active, passive)
			})
		})
	}
}

// TestEarlyHello: the handshake may run before the peer's description is known, but gives no keys. RFC 5763 §6.5.
func TestEarlyHello(t *testing.T) {
	world(t, network.Conditions{}, func(t *testing.T, _ *network.Sim, active, passive *end) {
		active.a.Trust([]Fingerprint{passive.a.config.Identity.Fingerprint()})
		active.a.Connect()
		time.Sleep(time.Minute)
		if len(active.cipher) != 1 || len(passive.cipher) != 0 || len(passive.failed) != 0 {
			t.Fatal("the passive side has keys, or the active one has none")
		}
		trustEachOther(active, passive)
		talk(t, active, passive)
	})
}

// TestWrongFingerprint: whoever has another certificate than was signalled gets no keys, in either role and whenever the fingerprint
// comes. RFC 5763 §5.
func TestWrongFingerprint(t *testing.T) {
	for _, late := range []bool{false, true} {
		for wrong := range 2 {
			world(t, network.Conditions{}, func(t *testing.T, _ *network.Sim, active, passive *end) {
				deceived, other := active, passive
				if wrong == 1 {
					deceived, other = passive, active
				}
				other.a.Trust([]Fingerprint{deceived.a.config.Identity.Fingerprint()})
				bad := []Fingerprint{deceived.a.config.Identity.Fingerprint()}
				if !late {
					deceived.a.Trust(bad)
				}
				active.a.Connect()
				if late {
					time.Sleep(time.Second)
					deceived.a.Trust(bad)
				}
				if err := <-deceived.failed; !errors.Is(err, ErrUntrusted) {
					t.Errorf("error %v", err)
				}
				synctest.Wait()
				if len(deceived.cipher) != 0 {
					t.Error("keys for the wrong certificate")
				}
			})
		}
	}
}

// TestThirdParty: another host's ClientHello, whenever it comes, neither takes the call nor harms it.
func TestThirdParty(t *testing.T) {
	world(t, network.Conditions{Delay: 10 * time.Millisecond}, func(t *testing.T, sim *network.Sim, active, passive *end) {
		mallory := newEnd(t, sim, stranger)
		mallory.a = Over(mallory, Peer{Described: there}, Config{
			Identity: active.a.config.Identity, Active: true, // it even has a copy of the certificate
			Secure: func(c *srtp.Cipher) { mallory.cipher <- c }, Failed: func(err error) { mallory.failed <- err },
		})
		defer mallory.a.Close()
		mallory.a.Trust([]Fingerprint{passive.a.config.Identity.Fingerprint()})
		mallory.a.Connect()
		time.Sleep(time.Second)
		trustEachOther(active, passive)
		active.a.Connect()
		talk(t, active, passive)
		if err := <-mallory.failed; err == nil || len(mallory.cipher) != 0 {
			t.Error("the third party got keys")
		}
	})
}

// TestForgedAddress: datagrams that carry the peer's address, but not its keys, do not end a handshake or an association: alerts and data
// without protection, cut bytes, thousands of them afterwards. RFC 6347 §4.1.2.7.
func TestForgedAddress(t *testing.T) {
	world(t, network.Conditions{Delay: 10 * time.Millisecond}, func(t *testing.T, _ *network.Sim, active, passive *end) {
		forge := func() {
			for _, e := range []*end{active, passive} {
				for _, content := range []byte{19, changeCipherSpec, 21, handshake, applicationData, 24} {
					e.a.Receive([]byte{content, 254, 253, 0, 0, 0, 0, 0, 0, 99, byte(content), 0, 2, 2, 40})
					e.a.Receive([]byte{content, 254, 253, 0, 1, 0, 0, 0, 0, 99, byte(content), 0, 2, 2, 40})
				}
				e.a.Receive([]byte{handshake, 254, 253, 0, 0})
				e.a.Receive(make([]byte, 3000))
			}
		}
		trustEachOther(active, passive)
		active.a.Connect()
		for range 5 {
			time.Sleep(7 * time.Millisecond)
			forge()
		}
		talk(t, active, passive)
		for range 3000 {
			forge()
			synctest.Wait()
		}
		if len(active.failed)+len(passive.failed) != 0 || !active.a.secured() || !passive.a.secured() {
			t.Error("the association has ended")
		}
		select {
		case <-passive.a.finished:
			t.Error("a forged datagram has ended the association")
		default:
		}
		active.a.Close() // close_notify is protected, and heard
		time.Sleep(time.Second)
		select {
		case <-passive.a.finished:
		default:
			t.Error("the peer's end was not heard")
		}
	})
}

// TestNobodyThere: the active side gives up; a passive one that heard nothing costs nothing.
func TestNobodyThere(t *testing.T) {
	world(t, network.Conditions{Loss: 1}, func(t *testing.T, _ *network.Sim, active, passive *end) {
		trustEachOther(active, passive)
		begin := time.Now()
		active.a.Connect()
		if err := <-active.failed; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if took := time.Since(begin); took != patience {
			t.Errorf("gave up after %v", took)
		}
		if passive.a.finished != nil {
			t.Error("the passive side runs")
		}
	})
}

// TestCloseEarly: closing in the middle tells nobody and leaves nothing.
func TestCloseEarly(t *testing.T) {
	world(t, network.Conditions{Delay: 50 * time.Millisecond}, func(t *testing.T, _ *network.Sim, active, passive *end) {
		active.a.Connect()
		time.Sleep(120 * time.Millisecond)
		active.a.Close()
		passive.a.Close()
		active.a.Connect()
		passive.a.Receive([]byte{handshake, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
		if len(active.failed)+len(passive.failed)+len(active.cipher)+len(passive.cipher) != 0 {
			t.Error("somebody was told of a handshake that was given up")
		}
	})
}

// TestAdmit: which sources an association without ICE hears.
func TestAdmit(t *testing.T) {
	described, nat := netip.MustParseAddrPort("10.0.0.9:4000"), netip.MustParseAddrPort("198.51.100.7:30000")
	o := &over{peer: Peer{Described: described, Signalled: nat.Addr()}, to: described, association: Start(Config{})}
	for _, step := range []struct {
		from netip.AddrPort
		want bool
	}{
		{stranger, false}, {nat, true}, {nat, true}, {netip.AddrPortFrom(nat.Addr(), 7), false}, {described, true}, {nat, false}, {described, true},
	} {
		if got := o.admit(step.from); got != step.want || got && o.to != step.from {
			t.Errorf("%v: %v, then to %v", step.from, got, o.to)
		}
	}
	o.association.state, o.heard, o.to = secure, true, nat
	if o.admit(described) || !o.admit(nat) {
		t.Error("the peer changes after the keys are agreed")
	}
}

func TestInbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newInbox(func([]byte) error { return nil })
		for range 2 * maxQueue {
			i.put([]byte("x"))
		}
		if len(i.queue) != maxQueue {
			t.Errorf("%d datagrams wait", len(i.queue))
		}
		b := make([]byte, 10)
		for range maxQueue {
			if n, _, err := i.ReadFrom(b); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		begin := time.Now()
		_ = i.SetReadDeadline(begin.Add(time.Second))
		if _, _, err := i.ReadFrom(b); err == nil || time.Since(begin) != time.Second {
			t.Errorf("error %v after %v", err, time.Since(begin))
		}
		_ = i.SetReadDeadline(begin)
		if _, _, err := i.ReadFrom(b); err == nil {
			t.Error("no error after the deadline")
		}
		_ = i.SetReadDeadline(time.Time{})
		go func() { time.Sleep(time.Hour); _ = i.Close() }()
		if _, _, err := i.ReadFrom(b); !errors.Is(err, net.ErrClosed) {
			t.Errorf("error %v", err)
		}
		if _, err := i.WriteTo(b, nil); !errors.Is(err, net.ErrClosed) {
			t.Errorf("error %v", err)
		}
	})
}

func FuzzInspect(f *testing.F) {
	f.Add([]byte{handshake, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, ok := inspect(b); ok && !r.plain && !r.sealed {
			t.Error("nothing in it, and let through")
		}
	})
}
