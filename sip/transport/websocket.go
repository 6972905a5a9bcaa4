// SIP over WebSocket, server and client: one message a frame, subprotocol "sip". RFC 7118.

package transport

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"github.com/sipwerk/sipwerk/sip"
)

// subprotocol is what both sides must name in the handshake. RFC 7118 §4.
const subprotocol = "sip"

// upgradeHeader is the longest HTTP request that opens a WebSocket: cookies included, and no more.
const upgradeHeader = 16 << 10

// frameWire carries each message in a WebSocket message of its own.
type frameWire struct {
	conn   *websocket.Conn
	outlet *outlet // below conn, if the system allows it
	ping   *time.Timer
	stop   context.CancelFunc // ends a ping that is under way

	mu      sync.Mutex
	ended   bool           // guarded by mu: no ping may start
	pinging sync.WaitGroup // a ping is under way
}

// acceptWebSocket reads the HTTP request of a browser and upgrades the connection.
func (s *stream) acceptWebSocket() error {
	br := bufio.NewReaderSize(io.LimitReader(s.carrier, upgradeHeader), 4096)
	req, err := http.ReadRequest(br)
	if err != nil {
		return err
	}
	// Behind the request the limit no longer holds.
	rest, _ := br.Peek(br.Buffered())
	br = bufio.NewReader(io.MultiReader(bytes.NewReader(bytes.Clone(rest)), s.carrier))
	w := &upgradeWriter{conn: s.carrier, header: make(http.Header), reader: br}
	if !offersSIP(req.Header) {
		w.Header().Set("Sec-WebSocket-Protocol", subprotocol)
		http.Error(w, "subprotocol sip required", http.StatusBadRequest)
		return errors.New("transport: WebSocket without subprotocol sip")
	}
	options := &websocket.AcceptOptions{Subprotocols: []string{subprotocol}, OriginPatterns: s.layer.Origins,
		InsecureSkipVerify: len(s.layer.Origins) == 0}
	conn, err := websocket.Accept(w, req, options)
	if err != nil {
		return err
	}
	s.wire = &frameWire{conn: conn, outlet: s.outlet}
	return nil
}

func offersSIP(h http.Header) bool {
	for _, line := range h.Values("Sec-WebSocket-Protocol") {
		for name := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(name), subprotocol) {
				return true
			}
		}
	}
	return false
}

// connectWebSocket asks the server for an upgrade over the connection that is open.
func (s *stream) connectWebSocket(t Target) error {
	use := func(context.Context, string, string) (net.Conn, error) { return s.carrier, nil }
	client := &http.Client{Transport: &http.Transport{DialContext: use, DisableCompression: true}}
	host := t.Addr.String()
	if t.Host != "" {
		host = net.JoinHostPort(strings.Trim(t.Host, "[]"), strconv.Itoa(int(t.Addr.Port())))
	}
	ctx, cancel := context.WithTimeout(s.layer.ctx, s.layer.Limits.Handshake)
	defer cancel()
	// Always ws: TLS, where it is wanted, lies below already.
	conn, _, err := websocket.Dial(ctx, "ws://"+host+"/", &websocket.DialOptions{HTTPClient: client, Subprotocols: []string{subprotocol}})
	if err != nil {
		return err
	}
	if conn.Subprotocol() != subprotocol {
		_ = conn.CloseNow()
		return errors.New("transport: server does not speak subprotocol sip")
	}
	s.wire = &frameWire{conn: conn, outlet: s.outlet}
	return nil
}

func (w *frameWire) run(s *stream) error {
	l := s.layer
	w.conn.SetReadLimit(int64(l.Limits.Message))
	ctx, cancel := context.WithCancel(context.Background())
	w.stop = cancel
	w.ping = time.AfterFunc(l.Limits.Ping, func() { w.beat(ctx, s) })
	for {
		s.pace.busy(s)
		s.setReadDeadline(l.Limits.Idle)
		_, r, err := w.conn.Reader(context.Background())
		if err != nil {
			return err
		}
		s.setReadDeadline(l.Limits.Partial)
		if err := w.take(s, r); err != nil {
			return err
		}
		s.push()
	}
}

// take reads one WebSocket message, text or binary, and hands it over.
func (w *frameWire) take(s *stream, r io.Reader) error {
	l := s.layer
	buf := l.pools.buffers.Get().(*[]byte)
	defer l.pools.buffers.Put(buf)
	b := (*buf)[:0]
	for {
		if len(b) == cap(b) {
			b = append(b, make([]byte, len(b))...)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	l.readFrame(s, b)
	return nil
}

// readFrame handles the payload of one WebSocket message: a SIP message, a keep-alive, or junk.
func (l *Layer) readFrame(s *stream, b []byte) {
	out := l.outbox(nil, nil)
	message := trimLineEnds(b)
	switch {
	case len(message) == 0:
		if len(b) >= pingLength {
			l.answerPing(out, s.flow)
		}
	case !startsLikeMessage(message):
		l.Stats.Junk.Add(1)
	default:
		p := l.packet(s, out)
		p.Waited = s.ahead.waited
		l.take(p, s.flow, message, nil)
		l.giveBack(p)
	}
	l.Flush(out)
	l.pools.outboxes.Put(out)
}

func (w *frameWire) try(b []byte, ends []int) (int, bool) {
	if w.outlet == nil {
		return 0, false // a frame may have to wait for the one before
	}
	if w.frames(b, ends) != nil {
		return 0, true // send meets it again
	}
	return len(b), w.outlet.waits()
}

func (w *frameWire) send(b []byte, ends []int) error {
	if err := w.frames(b, ends); err != nil {
		return err
	}
	return w.outlet.flush()
}

func (w *frameWire) frames(b []byte, ends []int) error {
	start := 0
	for _, end := range ends {
		message := b[start:end]
		start = end
		kind := websocket.MessageText
		if !utf8.Valid(message) {
			kind = websocket.MessageBinary
		}
		// The deadline of the connection bounds the write.
		if err := w.conn.Write(context.Background(), kind, message); err != nil {
			return err
		}
	}
	return nil
}

// beat pings the peer, and closes the connection if nothing comes back. RFC 7118 §6.
func (w *frameWire) beat(ctx context.Context, s *stream) {
	if !w.mayPing() {
		return
	}
	defer w.pinging.Done()
	l := s.layer
	ctx, cancel := context.WithTimeout(ctx, l.Limits.Ping)
	defer cancel()
	if err := w.conn.Ping(ctx); err != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			l.Stats.TimedOut.Add(1)
		}
		s.close()
		return
	}
	s.setReadDeadline(l.Limits.Idle)
	w.ping.Reset(l.Limits.Ping)
}

func (w *frameWire) mayPing() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended {
		w.pinging.Add(1)
	}
	return !w.ended
}

func (w *frameWire) release() {
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	w.stop()
	w.pinging.Wait()
	w.ping.Stop()
	_ = w.conn.CloseNow()
}

// upgradeWriter answers the HTTP request of a handshake: a refusal in full, or the switch of protocols, after which the connection is handed over.
type upgradeWriter struct {
	conn   net.Conn
	reader *bufio.Reader
	header http.Header
	status int
}

// Header implements [http.ResponseWriter].
func (w *upgradeWriter) Header() http.Header { return w.header }

// WriteHeader implements [http.ResponseWriter].
func (w *upgradeWriter) WriteHeader(status int) {
	w.status = status
	if status != http.StatusSwitchingProtocols {
		w.header.Set("Connection", "close")
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	_ = w.header.Write(&b)
	b.WriteString("\r\n")
	_, _ = w.conn.Write(b.Bytes())
}

// Write implements [http.ResponseWriter].
func (w *upgradeWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	return w.conn.Write(b)
}

// Hijack implements [http.Hijacker].
func (w *upgradeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.conn, bufio.NewReadWriter(w.reader, bufio.NewWriter(w.conn)), nil
}

// isWebSocket reports whether messages travel in frames.
func isWebSocket(t sip.Transport) bool { return t == sip.WS || t == sip.WSS }
