package session

import (
	"crypto/rand"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/media/carriage"
	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/media/srtp"
	"github.com/sipwerk/sipwerk/network"
)

var bob4 = netip.MustParseAddr("192.0.2.2")

// telephone is a peer of a leg: one socket, and an SRTP cipher if it has keys.
type telephone struct {
	t      *testing.T
	host   string
	conn   network.PacketConn
	keys   []srtp.Crypto // its own, by suite as it offers them; none: plain
	ours   srtp.Crypto   // in force, if it is secured
	theirs srtp.Crypto
	cipher *srtp.Cipher
	seq    uint16
}

func newTelephone(t *testing.T, sim *network.Sim, host string, secured bool) *telephone {
	p := &telephone{t: t, host: host, conn: socket(t, sim.Host(netip.MustParseAddr(host)), host+":4000")}
	if secured {
		var err error
		p.keys, err = srtp.Offer(rand.Reader)
		must(t, err)
	}
	return p
}

// describe is what it offers or answers: an answer takes the key with the tag that it is given.
func (p *telephone) describe(proto string, keys []srtp.Crypto, lines ...string) *sdp.Description {
	all := []string{"v=0", "c=IN IP4 " + p.host, "t=0 0", "m=audio 4000 " + proto + " 8"}
	for _, k := range keys {
		all = append(all, "a=crypto:"+k.String())
	}
	return describe(p.t, append(all, lines...)...)
}

// answer answers an offer of ours: with the last of the keys offered, or without.
func (p *telephone) answer(offer *sdp.Description, lines ...string) *sdp.Description {
	m := &offer.Media[0]
	all := m.Cryptos()
	if p.keys == nil || len(all) == 0 {
		return p.describe(m.Proto, nil, lines...)
	}
	theirs, err := srtp.ParseCrypto(all[len(all)-1])
	must(p.t, err)
	ours := p.key(theirs.Key.Suite)
	ours.Tag = theirs.Tag
	p.secure(ours, theirs)
	return p.describe(m.Proto, []srtp.Crypto{ours}, lines...)
}

func (p *telephone) key(s srtp.Suite) srtp.Crypto {
	for _, k := range p.keys {
		if k.Key.Suite == s {
			return k
		}
	}
	p.t.Fatalf("no key for %v", s)
	return srtp.Crypto{}
}

// take takes our answer to its offer.
func (p *telephone) take(answer *sdp.Description) {
	p.t.Helper()
	all := answer.Media[0].Cryptos()
	if len(all) == 0 {
		p.cipher = nil
		return
	}
	theirs, err := srtp.ParseCrypto(all[0])
	must(p.t, err)
	p.secure(p.keys[theirs.Tag-1], theirs)
}

func (p *telephone) secure(ours, theirs srtp.Crypto) {
	c, err := srtp.New(ours.Key, theirs.Key)
	must(p.t, err)
	p.ours, p.theirs, p.cipher = ours, theirs, c
}

// says sends one packet to where d wants it and reports whether the other gets just that.
func (p *telephone) says(d *sdp.Description, other *telephone) bool {
	p.t.Helper()
	p.seq++
	packet := make([]byte, 12, 100)
	copy(packet, []byte{0x80, 8, byte(p.seq >> 8), byte(p.seq), 0, 0, 0, 1, 0, 0, 0, p.host[len(p.host)-1]})
	plain := string(append(packet, "Hello"...))
	sent, ok := append(packet, "Hello"...), true
	if p.cipher != nil {
		if sent, ok = p.cipher.Seal(sent, false); !ok || string(sent) == plain {
			p.t.Fatal("not sealed")
		}
	}
	to, _ := d.Address(&d.Media[0]).AddrPort()
	got := make(chan []byte, 1)
	go func() {
		ms := []network.Datagram{{Buf: make([]byte, 2048)}}
		if _, err := other.conn.ReadBatch(ms); err == nil {
			got <- ms[0].Buf[:ms[0].N]
		}
	}()
	if _, err := p.conn.WriteBatch([]network.Datagram{{Buf: sent, Peer: to}}); err != nil {
		p.t.Fatal(err)
	}
	time.Sleep(time.Millisecond)
	synctest.Wait()
	select {
	case b := <-got:
		if other.cipher != nil {
			if b, ok = other.cipher.Open(b, false); !ok {
				p.t.Logf("%s cannot open it", other.host)
			}
		}
		return string(b) == plain
	default:
		return false
	}
}

// TestKindsMeet: a leg of each kind that the keys come to by description speaks with each other one, and neither sees what the other is.
func TestKindsMeet(t *testing.T) {
	for _, caller := range []string{"RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF", "opportunistic"} {
		for _, callee := range []Kind{Plain, SDES, Opportunistic} {
			t.Run(caller+" to "+callee.String(), func(t *testing.T) {
				world(t, func(t *testing.T, sim *network.Sim, site *Site) {
					c := newConversation(t, sim, site, caller, callee)
					c.begin()
					c.both("at first")
					c.again(c.a, c.b, c.alice, c.bob)
					c.both("after a re-INVITE of the caller")
					c.again(c.b, c.a, c.bob, c.alice)
					c.both("after a re-INVITE of the callee")
					c.a.Close()
					c.b.Close()
				})
			})
		}
	}
}

// conversation is two telephones with a leg each.
type conversation struct {
	t              *testing.T
	proto          string
	alice, bob     *telephone
	a, b           *Leg
	toAlice, toBob *sdp.Description // what we say to them
	offered        *sdp.Description
}

func newConversation(t *testing.T, sim *network.Sim, site *Site, caller string, callee Kind) *conversation {
	keyed := caller != "RTP/AVP" && caller != "RTP/AVPF"
	if caller == "opportunistic" {
		caller = "RTP/AVP"
	}
	return &conversation{t: t, proto: caller, alice: newTelephone(t, sim, "192.0.2.1", keyed), bob: newTelephone(t, sim, "192.0.2.2", callee != Plain),
		a: site.NewLeg(Peer{Remote: alice4}, 20), b: site.NewLeg(Peer{Remote: bob4, Kind: callee}, 40)}
}

func (c *conversation) begin() {
	c.t.Helper()
	var err error
	c.offered = c.alice.describe(c.proto, c.alice.keys, "a=rtcp-mux", "a=rtcp-fb:* nack")
	must(c.t, c.a.Offered(c.offered))
	c.toBob, err = c.b.Offer(c.t.Context(), c.offered)
	must(c.t, err)
	if got, want := c.toBob.Media[0].Proto, c.b.peer.Kind.terms().Profile.String(); got != want {
		c.t.Errorf("offered %s, want %s", got, want)
	}
	for _, k := range c.alice.keys {
		if strings.Contains(c.toBob.String(), k.String()[2:]) {
			c.t.Error("the caller's key reached the callee")
		}
	}
	if strings.Contains(c.toBob.String(), "rtcp-mux") || strings.HasSuffix(c.proto, "F") && strings.Contains(c.toBob.String(), "rtcp-fb") {
		c.t.Errorf("what the callee is not asked:\n%s", c.toBob)
	}
	answer := c.bob.answer(c.toBob)
	must(c.t, c.b.Answered(answer))
	c.toAlice, err = c.a.Answer(c.t.Context(), answer)
	must(c.t, err)
	must(c.t, Settle(c.a, c.b))
	c.alice.take(c.toAlice)
	if got := c.toAlice.Media[0].Proto; got != c.proto {
		c.t.Errorf("answered %s, want %s", got, c.proto)
	}
	if got := strings.Count(c.toAlice.String(), "a=crypto"); got != min(len(c.alice.keys), 1) {
		c.t.Errorf("%d keys in the answer", got)
	}
}

func (c *conversation) both(when string) {
	c.t.Helper()
	if !c.alice.says(c.toAlice, c.bob) {
		c.t.Errorf("%s: bob does not hear alice", when)
	}
	if !c.bob.says(c.toBob, c.alice) {
		c.t.Errorf("%s: alice does not hear bob", when)
	}
}

// again is a re-INVITE of the peer of leg from, with the keys that are in force.
func (c *conversation) again(from, to *Leg, by, other *telephone) {
	c.t.Helper()
	now := from.lines[0].way.Now()
	var keys []srtp.Crypto
	if now.Keying == carriage.SDES {
		keys = []srtp.Crypto{{Tag: 7, Key: by.ours.Key}}
	}
	offer := by.describe(now.Profile.String(), keys)
	must(c.t, from.Offered(offer))
	toOther, err := to.Offer(c.t.Context(), offer)
	must(c.t, err)
	far := to.lines[0].way.Now()
	if far.Keying == carriage.SDES && !strings.Contains(toOther.String(), other.theirs.Key.Suite.String()+" inline:"+strings.Split(other.theirs.String(), "inline:")[1]) {
		c.t.Errorf("another key than the one in force:\n%s", toOther)
	}
	keys = nil
	if far.Keying == carriage.SDES {
		keys = []srtp.Crypto{{Tag: 1, Key: other.ours.Key}}
	}
	answer := other.describe(far.Profile.String(), keys)
	must(c.t, to.Answered(answer))
	back, err := from.Answer(c.t.Context(), answer)
	must(c.t, err)
	must(c.t, Settle(from, to))
	if now.Keying == carriage.SDES && !strings.Contains(back.String(), strings.Split(by.theirs.String(), " ")[2]) {
		c.t.Errorf("the answer has another key than the one in force:\n%s", back)
	}
}

// TestRekey: a peer that changes its key is understood, and what we send goes on.
func TestRekey(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, site *Site) {
		c := newConversation(t, sim, site, "RTP/SAVP", Plain)
		c.begin()
		c.both("at first")
		var err error
		c.alice.keys, err = srtp.Offer(rand.Reader)
		must(t, err)
		c.begin()
		c.both("after new keys")
		c.a.Close()
		c.b.Close()
	})
}

// TestNoKeys: an offer that asks for what we have not is refused; so is an answer that leaves out what we insist on, but for a chance of protection.
func TestNoKeys(t *testing.T) {
	world(t, func(t *testing.T, _ *network.Sim, site *Site) {
		l := site.NewLeg(Peer{Remote: alice4}, 1)
		for _, lines := range []string{"m=audio 4000 RTP/SAVP 8", "m=audio 4000 RTP/SAVP 8\r\na=crypto:1 F8_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm"} {
			if err := l.Offered(describe(t, "v=0", "c=IN IP4 192.0.2.1", lines)); !errors.Is(err, sdp.ErrNothingCommon) {
				t.Errorf("%s: %v", lines, err)
			}
		}
		two := describe(t, "v=0", "c=IN IP4 192.0.2.1", "m=audio 4000 RTP/SAVP 8", "m=audio 4002 RTP/AVP 8")
		if err := l.Offered(two); err != nil || !two.Media[0].Rejected() || two.Media[1].Rejected() {
			t.Errorf("%v\n%s", err, two)
		}
		plain := describe(t, "v=0", "c=IN IP4 192.0.2.1", "m=audio 4000 RTP/AVP 8")
		for kind, want := range map[Kind]error{SDES: carriage.ErrKeys, Opportunistic: nil, Plain: nil} {
			b := site.NewLeg(Peer{Remote: alice4, Kind: kind}, 1)
			_, err := b.Offer(t.Context(), plain)
			must(t, err)
			if err := b.Answered(plain); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", kind, err, want)
			}
			b.Close()
		}
	})
}

// TestCarried: data channels cannot be carried, fax can.
func TestCarried(t *testing.T) {
	for proto, want := range map[string]bool{"UDP/DTLS/SCTP": false, "udptl": true, "RTP/AVP": true} {
		world(t, func(t *testing.T, _ *network.Sim, site *Site) {
			l := site.NewLeg(Peer{Remote: alice4}, 1)
			d, err := l.Offer(t.Context(), describe(t, "v=0", "c=IN IP4 192.0.2.1", "m=image "+strconv.Itoa(4000)+" "+proto+" 8"))
			must(t, err)
			if d.Media[0].Rejected() == want {
				t.Errorf("%s: %s", proto, d)
			}
			l.Close()
		})
	}
}
