package transport_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// browser connects as a script in a browser does.
func browser(t *testing.T, n network.Network, to netip.AddrPort, origin string, protocols ...string) (*websocket.Conn, error) {
	t.Helper()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return n.DialStream(ctx, netip.Addr{}, to) }
	tr := &http.Transport{DialContext: dial}
	defer tr.CloseIdleConnections()
	h := make(http.Header)
	if origin != "" {
		h.Set("Origin", origin)
	}
	c, _, err := websocket.Dial(t.Context(), "ws://"+to.String()+"/ws", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: tr}, Subprotocols: protocols, HTTPHeader: h})
	return c, err
}

// RFC 7118 §4, §5: subprotocol sip or nothing; text and binary; one message a frame, however large within the limit.
func TestWebSocketServer(t *testing.T) {
	simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
		b.echo = true
		to := b.listen(t, "ws://192.0.2.2:80")
		if _, err := browser(t, a.Network, to, ""); err == nil {
			t.Error("accepted without subprotocol")
		}
		if _, err := browser(t, a.Network, to, "", "chat"); err == nil {
			t.Error("accepted another subprotocol")
		}
		c, err := browser(t, a.Network, to, "https://anything.example", "chat", "sip")
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range []websocket.MessageType{websocket.MessageText, websocket.MessageBinary} {
			for _, size := range []int{0, 200_000} {
				// RFC 7118 §5: Content-Length is not needed.
				text := strings.Replace(string(request("SIP/2.0/WS x.invalid", size)), "Content-Length", "X-Length", 1)
				if err := c.Write(t.Context(), kind, []byte(text)); err != nil {
					t.Fatal(err)
				}
				if g := <-b.got; g.err != nil || len(g.request.Body()) != size || g.flow.Transport != sip.WS {
					t.Errorf("got %v", g.err)
				}
				if _, answer, err := c.Read(t.Context()); err != nil || !strings.HasPrefix(string(answer), "SIP/2.0 200 ") {
					t.Errorf("answer %q, %v", answer, err)
				}
			}
		}
		if err := c.Write(t.Context(), websocket.MessageText, []byte("\r\n\r\n")); err != nil {
			t.Error(err)
		}
		if _, pong, err := c.Read(t.Context()); string(pong) != "\r\n" {
			t.Errorf("pong %q, %v", pong, err)
		}
		// Junk and malformed messages end in a frame of their own and do not end the connection.
		c.Write(t.Context(), websocket.MessageText, []byte("\x00\x01"))
		c.Write(t.Context(), websocket.MessageText, []byte("REGISTER sip:b SIP/2.0\r\nnonsense\r\n\r\n"))
		if g := <-b.got; g.err == nil || b.Stats.Junk.Load() != 1 {
			t.Errorf("malformed: %v, junk %d", g.err, b.Stats.Junk.Load())
		}
		c.Write(t.Context(), websocket.MessageText, make([]byte, 300<<10))
		if <-b.lost; len(b.got) > 0 {
			t.Error("a message over the limit was taken")
		}
		c.CloseNow()
	})
}

func TestWebSocketOrigin(t *testing.T) {
	for _, tc := range []struct {
		origin string
		ok     bool
	}{
		{"https://phone.example.org", true},
		{"https://evil.example", false},
		{"", true}, // no browser
	} {
		simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
			b.Origins = []string{"*.example.org"}
			c, err := browser(t, a.Network, b.listen(t, "ws://192.0.2.2:80"), tc.origin, "sip")
			if (err == nil) != tc.ok {
				t.Errorf("origin %q: %v", tc.origin, err)
			}
			if err == nil {
				c.CloseNow()
			}
		})
	}
}

func TestWebSocketPlainHTTP(t *testing.T) {
	simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
		c := rawStream(t, a.Network, b.listen(t, "ws://192.0.2.2:80"))
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Protocol: sip\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || res.StatusCode != http.StatusUpgradeRequired {
			t.Errorf("%v, %v", res, err)
		}
		c.Close()
		c = rawStream(t, a.Network, netip.AddrPortFrom(addrB, 80))
		io.WriteString(c, "GET / HTTP/1.1\r\nCookie: "+strings.Repeat("x", 20000)+"\r\n\r\n")
		readAll(c)
		c.Close()
	})
}

// RFC 7118 §6: pings keep a silent connection, and find a dead one.
func TestWebSocketPing(t *testing.T) {
	simulated(t, func(t *testing.T, s *network.Sim, a, b *node) {
		to := b.listen(t, "ws://192.0.2.2:80")
		f := a.flow(t, sip.WS, to, "")
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if _, ok := a.Flow(transport.Target{Transport: sip.WS, Addr: to}); !ok {
			t.Fatal("a silent connection was closed")
		}
		start := time.Now()
		b.Network.(*network.SimHost).Crash()
		if g := <-a.lost; g != f || time.Since(start) > 61*time.Second {
			t.Errorf("lost %+v after %s", g, time.Since(start))
		}
	})
}

// clientFrame builds one WebSocket frame as a browser sends it, masked. RFC 6455 §5.2.
func clientFrame(first byte, payload []byte) []byte {
	b := []byte{first}
	switch {
	case len(payload) < 126:
		b = append(b, 0x80|byte(len(payload)))
	case len(payload) < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(len(payload)))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(len(payload)))
	}
	b = append(b, 1, 2, 3, 4)
	for i, c := range payload {
		b = append(b, c^byte(i%4+1))
	}
	return b
}

// FuzzWebSocketMessage sends data to a server as one frame with any first byte, and again as raw bytes behind a good handshake.
func FuzzWebSocketMessage(f *testing.F) {
	good := request("SIP/2.0/WS x.invalid;rport", 10)
	for _, first := range []byte{0x81, 0x82, 0x01, 0x80, 0x88, 0x89, 0x8A, 0xC1} {
		f.Add(first, good, false)
		f.Add(first, clientFrame(first, good), true)
	}
	f.Add(byte(0x81), []byte("\r\n\r\n"), false)
	f.Add(byte(0x81), []byte("SIP/2.0 200 OK\r\nContent-Length: 5\r\n\r\n"), false)
	f.Fuzz(func(t *testing.T, first byte, data []byte, raw bool) {
		simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
			b.echo = true
			c := rawStream(t, a.Network, b.listen(t, "ws://192.0.2.2:80"))
			io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
				"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Protocol: sip\r\n\r\n")
			if !raw {
				data = clientFrame(first, data)
			}
			c.SetDeadline(time.Now().Add(time.Minute))
			c.Write(data)
			c.Write(clientFrame(0x88, nil))
			readAll(c)
			c.Close()
			synctest.Wait()
			for len(b.got) > 0 {
				if g := <-b.got; g.request == nil && g.response == nil {
					t.Error("a packet without a message")
				}
			}
		})
	})
}
