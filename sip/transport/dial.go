// Opening and accepting connections. RFC 3261 §18.1.1, §18.2.1; RFC 5923.

package transport

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
)

// key is t as the flow table knows it: a name matters only where a certificate was checked against it.
func (t Target) key() Target {
	if !t.Transport.Secure() {
		t.Host = ""
	}
	t.Host = strings.ToLower(t.Host)
	return t
}

// dial makes a connection and serves it on this goroutine.
func (l *Layer) dial(d *dialing, t Target) {
	key := t.key()
	ctx, cancel := context.WithTimeout(l.ctx, l.Limits.Connect)
	conn, err := l.Network.DialStream(ctx, netip.Addr{}, t.Addr)
	cancel()
	if err != nil {
		l.Stats.DialFailed.Add(1)
		l.failures.add(key)
		l.flows.dialed(key, sip.Flow{}, err)
		return
	}
	s := l.stream(conn, sip.Flow{Transport: t.Transport, Local: addrPort(conn.LocalAddr()), Remote: t.Addr})
	s.target = &key
	if !l.flows.enter(s) {
		l.Stats.Refused.Add(1)
		_ = conn.Close()
		l.flows.dialed(key, sip.Flow{}, sip.ErrOverload)
		return
	}
	s.serve(func(s *stream) error { return s.connect(t) }, func(err error) {
		if err != nil {
			l.Stats.DialFailed.Add(1)
			l.failures.add(key)
			l.flows.dialed(key, sip.Flow{}, err)
			return
		}
		l.Stats.Dialed.Add(1)
		l.flows.dialed(key, s.flow, nil)
	})
}

// stream makes one of a connection.
func (l *Layer) stream(conn net.Conn, f sip.Flow) *stream {
	s := &stream{layer: l, conn: conn, carrier: conn, flow: f}
	direct, ok := conn.(network.Stream)
	s.ahead.layer, s.ahead.conn = l, direct
	if ok && f.Transport != sip.TCP {
		s.outlet = &outlet{Conn: conn, direct: direct, ahead: &s.ahead}
		s.carrier = s.outlet
	}
	return s
}

// connect does the client's part of the handshakes.
func (s *stream) connect(t Target) error {
	if t.Transport.Secure() {
		if err := s.connectTLS(t); err != nil {
			return err
		}
	}
	if isWebSocket(t.Transport) {
		return s.connectWebSocket(t)
	}
	s.wire = s.byteWire()
	return nil
}

// accept takes connections until the listener is closed.
func (l *Layer) accept(ln *listener) {
	for {
		conn, err := ln.stream.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			l.Log.Error("transport: accept connection", "listener", ln.url, "err", err)
			time.Sleep(50 * time.Millisecond) // out of file descriptors, most likely
			continue
		}
		s := l.stream(conn, sip.Flow{Transport: ln.transport, Local: addrPort(conn.LocalAddr()), Remote: addrPort(conn.RemoteAddr())})
		s.accepted = true
		if !l.flows.enter(s) {
			l.Stats.Refused.Add(1)
			_ = conn.Close()
			continue
		}
		l.Stats.Accepted.Add(1)
		l.running.Go(func() { s.serve((*stream).greet, func(error) {}) })
	}
}

// greet does the server's part of the handshakes.
func (s *stream) greet() error {
	t := s.flow.Transport
	if t.Secure() {
		if err := s.acceptTLS(); err != nil {
			return err
		}
	}
	if isWebSocket(t) {
		return s.acceptWebSocket()
	}
	s.wire = s.byteWire()
	return nil
}
