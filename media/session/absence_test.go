package session

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/stun/v4"

	"github.com/sipwerk/sipwerk/network"
)

// TestAbsence: a peer that is to send and does not is told of once, after the time that is set; one on hold may be silent, and its silence counts from the resumption.
func TestAbsence(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, site *Site) {
		alice := socket(t, sim.Host(alice4), "192.0.2.1:4000")
		var told atomic.Int32
		e := newEndpoint(t, site, alice4, Voice{Silence: time.Minute, Failed: func(err error) {
			if !errors.Is(err, ErrAbsent) {
				t.Error(err)
			}
			told.Add(1)
		}}, 1)
		offer := func(direction string) {
			t.Helper()
			_, err := e.Answer(describe(t, "v=0", "c=IN IP4 192.0.2.1", "m=audio 4000 RTP/AVP 8", "a="+direction))
			must(t, err)
		}
		check := func(when string, after time.Duration, want int32) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			if got := told.Load(); got != want {
				t.Errorf("%s: told %d times, want %d", when, got, want)
			}
		}
		offer("sendonly")
		check("on hold", 2*time.Minute, 0)
		offer("sendrecv")
		check("resumed", 50*time.Second, 0)
		to, _ := e.stream.Local()
		packet := []byte{0x80, 8, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xd5}
		_, err := alice.WriteBatch([]network.Datagram{{Buf: packet, Peer: to}})
		must(t, err)
		check("a packet has come", 50*time.Second, 0)
		check("silent", 20*time.Second, 1)
		check("still silent", 90*time.Second, 1)
		e.Close()
	})
}

// TestNoAbsence: who does not ask is told nothing.
func TestNoAbsence(t *testing.T) {
	world(t, func(t *testing.T, _ *network.Sim, site *Site) {
		e := newEndpoint(t, site, alice4, Voice{Failed: func(err error) { t.Error(err) }}, 1)
		_, err := e.Answer(describe(t, "v=0", "c=IN IP4 192.0.2.1", "m=audio 4000 RTP/AVP 8"))
		must(t, err)
		time.Sleep(2 * time.Minute)
		e.Close()
	})
}

// finder is a telephone that ICE finds, and the endpoint that it calls, whose silence is 90 s. The endpoint sits where nobody beats: only the looks are taken, for fifty beats a second of many minutes take long.
type finder struct {
	t      *testing.T
	conn   network.PacketConn
	e      *Endpoint
	to     netip.AddrPort
	name   string // of its checks
	pwd    string
	checks uint32
	told   int
}

func newFinder(t *testing.T, sim *network.Sim, site *Site) *finder {
	t.Helper()
	f := &finder{t: t, conn: socket(t, sim.Host(alice4), "192.0.2.1:4000")}
	f.e = newEndpoint(t, site, alice4, Voice{Silence: 90 * time.Second}, 1)
	f.e.sit(&Seat{room: new(Room), left: true})
	return f
}

// wait lets time pass, and the endpoint look meanwhile.
func (f *finder) wait(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(min(time.Second, time.Until(end)))
		synctest.Wait()
		if f.e.absent(time.Now()) {
			f.told++
		}
	}
}

// offer makes an offer in a direction, with ICE or without.
func (f *finder) offer(direction string, ice bool) {
	f.t.Helper()
	f.offerLine("m=audio 4000 RTP/AVP 8", direction, ice)
}

// browse makes the offer of a browser.
func (f *finder) browse(direction string) {
	f.t.Helper()
	f.offerLine("m=audio 4000 UDP/TLS/RTP/SAVPF 8", direction, true, "a=setup:passive", "a=fingerprint:sha-256 "+strings.TrimSuffix(strings.Repeat("A0:", 32), ":"))
}

func (f *finder) offerLine(m, direction string, ice bool, more ...string) {
	f.t.Helper()
	lines := append([]string{"v=0", "c=IN IP4 192.0.2.1", m, "a=rtcp-mux", "a=" + direction}, more...)
	if ice {
		lines = append(lines, "a=ice-ufrag:alic", "a=ice-pwd:alicealicealicealicealice", "a=candidate:1 1 UDP 2130706431 192.0.2.1 4000 typ host")
	}
	d, err := f.e.Answer(describe(f.t, lines...))
	must(f.t, err)
	f.to, _ = f.e.stream.Local()
	if ice {
		ours := iceOf(f.t, d)
		f.name, f.pwd = ours.Ufrag+":alic", ours.Password
	}
}

func (f *finder) send(setters ...stun.Setter) {
	f.t.Helper()
	m, err := stun.Build(setters...)
	must(f.t, err)
	_, err = f.conn.WriteBatch([]network.Datagram{{Buf: m.Raw, Peer: f.to}})
	must(f.t, err)
}

// check makes a check, by which it may choose the way.
func (f *finder) check(choose bool) {
	f.t.Helper()
	f.checks++
	var id [stun.TransactionIDSize]byte
	binary.BigEndian.PutUint32(id[:], f.checks)
	all := []stun.Setter{stun.NewTransactionIDSetter(id), stun.BindingRequest, stun.NewUsername(f.name)}
	if choose {
		all = append(all, stun.RawAttribute{Type: stun.AttrUseCandidate})
	}
	f.send(append(all, stun.NewShortTermIntegrity(f.pwd), stun.Fingerprint)...)
}

// indicate keeps the way open.
func (f *finder) indicate() {
	f.t.Helper()
	f.send(stun.TransactionID, stun.NewType(stun.MethodBinding, stun.ClassIndication))
}

// goesOn does something every few seconds, so many times.
func (f *finder) goesOn(times int, every time.Duration, do func()) {
	for range times {
		do()
		f.wait(every)
	}
}

func (f *finder) expect(when string, after time.Duration, want int) {
	f.t.Helper()
	f.wait(after)
	if f.told != want {
		f.t.Errorf("%s: told %d times, want %d", when, f.told, want)
	}
}

// TestAbsenceFound: a peer that ICE finds is gone half a minute after its checks stop only if it goes on to make them, as RFC 7675 §5.1 has it. One that checks at the beginning and keeps the way open by
// indications (RFC 8445 §11) is there as long as these come, and may be on hold and silent like any other.
func TestAbsenceFound(t *testing.T) {
	for name, step := range map[string]func(f *finder){
		"indications": func(f *finder) {
			f.goesOn(7, 20*time.Second, f.indicate)
			f.expect("indications", 0, 0)
			f.expect("silent for less than is set", 55*time.Second, 0) // 75 s since the last one
			f.expect("silent", 25*time.Second, 1)
		},
		"rare checks": func(f *finder) {
			f.goesOn(4, 20*time.Second, func() { f.check(false) })
			f.expect("silent for less than is set", 55*time.Second, 0)
			f.expect("silent", 25*time.Second, 1)
		},
		"on hold": func(f *finder) {
			f.offer("sendonly", true)
			f.expect("on hold", 3*time.Minute, 0)
		},
		"consent on hold": func(f *finder) {
			f.offer("sendonly", true)
			f.goesOn(21, 5*time.Second, func() { f.check(false) })
			f.expect("checks", 0, 0)
			f.expect("none for a while", 24*time.Second, 0) // 29 s since the last one
			f.expect("none", 2*time.Second, 1)
		},
		"consent no more": func(f *finder) {
			f.goesOn(21, 5*time.Second, func() { f.check(false) })
			f.offer("sendrecv", true)
			f.expect("silent for less than is set", 75*time.Second, 0)
			f.expect("silent", 20*time.Second, 1)
		},
		"a browser that is lost at once": func(f *finder) {
			f.browse("sendrecv")
			f.goesOn(5, 5*time.Second, func() { f.check(false) })
			f.browse("sendonly")
			f.check(false)
			f.expect("for less than consent lasts", 29*time.Second, 0)
			f.expect("without consent", 2*time.Second, 1)
		},
		"a browser that never comes": func(f *finder) {
			f.browse("sendrecv")
			f.expect("silent for less than is set", 85*time.Second, 0)
			f.expect("silent", 8*time.Second, 1)
		},
		"no consent was seen": func(f *finder) {
			f.browse("sendonly")
			f.check(false)
			f.expect("on hold", 3*time.Minute, 0)
		},
		"hold after indications": func(f *finder) {
			f.browse("sendrecv")
			f.goesOn(5, 5*time.Second, func() { f.check(false) })
			f.browse("sendrecv")
			f.goesOn(3, 25*time.Second, f.indicate)
			f.browse("sendonly")
			f.goesOn(1, 25*time.Second, f.indicate)
			f.expect("one is lost", 25*time.Second, 0)
			f.indicate()
			f.expect("on hold, by indications", 2*time.Minute, 0)
		},
		"no browser after all": func(f *finder) {
			f.browse("sendonly")
			f.check(false)
			f.wait(20 * time.Second)
			f.goesOn(3, 25*time.Second, f.indicate)
			f.expect("on hold, by indications", 2*time.Minute, 0)
		},
		"no ICE any more": func(f *finder) {
			f.goesOn(21, 5*time.Second, func() { f.check(false) })
			f.offer("sendrecv", false)
			f.expect("silent for less than is set", 75*time.Second, 0)
			f.expect("silent", 20*time.Second, 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			world(t, func(t *testing.T, sim *network.Sim, site *Site) {
				f := newFinder(t, sim, site)
				f.offer("sendrecv", true)
				f.wait(time.Second)
				f.check(true)
				f.goesOn(3, 100*time.Millisecond, func() { f.check(false) }) // of other ways
				step(f)
				f.e.Close()
			})
		})
	}
}
