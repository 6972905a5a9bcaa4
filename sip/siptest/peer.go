// A raw scripted peer: it says and expects messages as text, legal or not, over UDP.

package siptest

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
)

// Peer is a host that does only what the test says. What it sends is not audited.
type Peer struct {
	Name string
	Host *network.SimHost

	bench *Bench
	conn  network.PacketConn
	in    chan incoming
	seen  [][]byte
	count int
}

// incoming is one datagram.
type incoming struct {
	from netip.AddrPort
	data []byte
}

// Peer adds a raw peer that listens on UDP port 5060 of a host called name.
func (b *Bench) Peer(name string) *Peer {
	b.T.Helper()
	h := b.Host(name)
	addr := b.Addr(name)
	conns, err := h.ListenPacket(context.Background(), netip.AddrPortFrom(addr, 5060), 1)
	if err != nil {
		b.T.Fatal(err)
	}
	p := &Peer{Name: name, Host: h, bench: b, conn: conns[0], in: make(chan incoming, 1024)}
	b.mu.Lock()
	b.raw[addr] = true
	b.mu.Unlock()
	b.parts = append(b.parts, p)
	go p.read()
	return p
}

func (p *Peer) read() {
	for {
		ms := []network.Datagram{{Buf: make([]byte, 65536)}}
		if _, err := p.conn.ReadBatch(ms); err != nil {
			close(p.in)
			return
		}
		p.in <- incoming{ms[0].Peer, ms[0].Buf[:ms[0].N]}
	}
}

func (p *Peer) audit() []string { return nil }

func (p *Peer) close() []string {
	if err := p.conn.Close(); err != nil {
		return []string{p.Name + ": " + err.Error()}
	}
	return portsLeft(p.Name, p.Host)
}

// Send sends text to the host called to. Lines may end in LF and be indented; a missing Content-Length is added; {name} becomes address and port of the
// host of that name, {branch} a fresh branch.
func (p *Peer) Send(to, text string) {
	p.bench.T.Helper()
	p.SendBytes(to, []byte(p.expand(text)))
}

// SendBytes sends bytes as they are.
func (p *Peer) SendBytes(to string, data []byte) {
	p.bench.T.Helper()
	p.send(netip.AddrPortFrom(p.bench.Addr(to), 5060), data)
}

func (p *Peer) send(to netip.AddrPort, data []byte) {
	p.bench.T.Helper()
	if _, err := p.conn.WriteBatch([]network.Datagram{{Buf: data, N: len(data), Peer: to}}); err != nil {
		p.bench.T.Errorf("%s: send: %v", p.Name, err)
	}
}

// expand makes a message of a template.
func (p *Peer) expand(text string) string {
	head, body, _ := strings.Cut(strings.ReplaceAll(strings.TrimLeft(text, "\n"), "\r\n", "\n"), "\n\n")
	lines := strings.Split(strings.TrimRight(head, "\n\t "), "\n")
	length := false
	for i, l := range lines {
		lines[i] = strings.TrimLeft(l, "\t")
		length = length || strings.HasPrefix(lines[i], "Content-Length:")
	}
	if !length {
		lines = append(lines, "Content-Length: "+strconv.Itoa(len(body)))
	}
	out := strings.Join(lines, "\r\n")
	p.count++
	out = strings.ReplaceAll(out, "{branch}", fmt.Sprintf("%s%s%d", sip.MagicCookie, p.Name, p.count))
	p.bench.mu.Lock()
	for addr, name := range p.bench.names {
		out = strings.ReplaceAll(out, "{"+name+"}", addr.String()+":5060")
	}
	p.bench.mu.Unlock()
	return out + "\r\n\r\n" + body
}

// Received is a message that a peer got: one of the two is set.
type Received struct {
	Request  *sip.Request
	Response *sip.Response
	From     netip.AddrPort
	Text     string
}

// Expect waits up to 64*T1 for the next message and returns it; its start line must begin with start ("INVITE", "SIP/2.0 180"). Retransmissions of what came before
// are passed over. The test fails and stops if something else comes, or nothing.
func (p *Peer) Expect(start string) Received {
	p.bench.T.Helper()
	deadline := time.NewTimer(32 * time.Second)
	defer deadline.Stop()
	for {
		select {
		case m := <-p.in:
			if p.again(m.data) {
				continue
			}
			if !bytes.HasPrefix(m.data, []byte(start)) {
				p.bench.T.Fatalf("%s expects %s and gets\n%s", p.Name, start, m.data)
			}
			synctest.Wait()
			return p.parse(m)
		case <-deadline.C:
			p.bench.T.Fatalf("%s expects %s and gets nothing", p.Name, start)
		}
	}
}

// Silence lets d pass and fails the test if anything but retransmissions comes.
func (p *Peer) Silence(d time.Duration) {
	p.bench.T.Helper()
	p.bench.Wait(d)
	for {
		select {
		case m := <-p.in:
			if !p.again(m.data) {
				p.bench.T.Errorf("%s expects nothing and gets\n%s", p.Name, m.data)
			}
		default:
			return
		}
	}
}

// again reports whether the same bytes came before.
func (p *Peer) again(data []byte) bool {
	for _, s := range p.seen {
		if bytes.Equal(s, data) {
			return true
		}
	}
	p.seen = append(p.seen, data)
	return false
}

func (p *Peer) parse(m incoming) Received {
	p.bench.T.Helper()
	r := Received{From: m.from, Text: string(m.data)}
	var err error
	if sip.IsResponse(m.data) {
		r.Response, err = sip.ParseResponse(bytes.Clone(m.data))
	} else {
		r.Request, err = sip.ParseRequest(bytes.Clone(m.data))
	}
	if err != nil {
		p.bench.T.Fatalf("%s got an illegal message: %v\n%s", p.Name, err, m.data)
	}
	return r
}

// Reply answers a request that was received. tag goes into To unless one is there; lines are header fields, and behind an empty line a body.
func (p *Peer) Reply(to Received, status sip.Status, tag string, lines ...string) {
	p.bench.T.Helper()
	res := to.Request.Reply(status)
	if addr, err := res.To(); err == nil && addr.Tag() == "" && tag != "" {
		res.Set(sip.HeaderTo, addr.WithTag(tag).String())
	}
	head, body, _ := strings.Cut(strings.Join(lines, "\n"), "\n\n")
	for l := range strings.SplitSeq(head, "\n") {
		if name, value, ok := strings.Cut(l, ":"); ok {
			res.AddName(strings.TrimSpace(name), strings.TrimSpace(value))
		}
	}
	if body != "" {
		res.SetBody("application/sdp", []byte(body))
	}
	p.send(to.From, []byte(p.fill(res.String())))
}

// fill puts addresses into a text that is complete otherwise.
func (p *Peer) fill(text string) string {
	p.bench.mu.Lock()
	defer p.bench.mu.Unlock()
	for addr, name := range p.bench.names {
		text = strings.ReplaceAll(text, "{"+name+"}", addr.String()+":5060")
	}
	return text
}
