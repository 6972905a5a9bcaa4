//go:build !linux || !(amd64 || arm64)

// Systems without hubs.

package mmsg

import (
	"errors"
	"net/netip"
	"time"
)

// Hub serves many UDP sockets with one thread; there is none on this system.
type Hub struct{}

// HubConn is a UDP socket of a [Hub].
type HubConn struct{}

// A Round is what a hub reads at once and sends at once.
type Round struct {
	At     time.Time
	Pinned bool
}

// NewHub returns errors.ErrUnsupported.
func NewHub(HubConfig) (*Hub, error) { return nil, errors.ErrUnsupported }

// Listen is never called.
func (*Hub) Listen(netip.AddrPort, Taker) (*HubConn, error) { return nil, errors.ErrUnsupported }

// Close is never called.
func (*Hub) Close() error { return nil }

// A Sweep serves sockets of hubs when its owner asks for it.
type Sweep struct{}

// NewSweep is never called.
func (*Hub) NewSweep() (*Sweep, error) { return nil, errors.ErrUnsupported }

// Enlist is never called.
func (*Sweep) Enlist(*HubConn) error { return errors.ErrUnsupported }

// Dismiss is never called.
func (*Sweep) Dismiss(*HubConn) {}

// Read is never called.
func (*Sweep) Read() *Round { return nil }

// Flush is never called.
func (*Sweep) Flush(*Round) {}

// Close is never called.
func (*Sweep) Close() {}

// LocalAddr is never called.
func (*HubConn) LocalAddr() netip.AddrPort { return netip.AddrPort{} }

// Send is never called.
func (*HubConn) Send([]byte, netip.AddrPort) error { return errors.ErrUnsupported }

// Pin is never called.
func (*HubConn) Pin(netip.AddrPort) {}

// Unpin is never called.
func (*HubConn) Unpin() {}

// FetchPin is never called.
func (*HubConn) FetchPin() {}

// Close is never called.
func (*HubConn) Close() error { return nil }

// Send is never called.
func (*Round) Send(*HubConn, []byte, netip.AddrPort) {}

// Space is never called.
func (*Round) Space(int) []byte { return nil }
