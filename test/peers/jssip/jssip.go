// Package jssip runs a JsSIP user agent in Node: a SIP stack for browsers, over the WebSocket library ws.
package jssip

import (
	"context"
	"embed"
	"testing"

	"github.com/sipwerk/sipwerk/test/peers/peer"
)

//go:embed phone.mjs package.json package-lock.json
var files embed.FS

// Phone is one JsSIP user agent: it registers, rings, and refuses calls as busy.
type Phone struct{ process *peer.Process }

// Install puts JsSIP and ws into a folder.
func Install(ctx context.Context, dir string) error { return peer.InstallNode(ctx, dir, files) }

// Start connects to a WebSocket URL and registers.
func Start(t testing.TB, dir, url string, a peer.Account) (*Phone, error) {
	p, err := peer.Start(t, dir, "node", "phone.mjs", url, "sip:"+a.User+"@"+a.Domain, a.Password)
	if err != nil {
		return nil, err
	}
	return &Phone{process: p}, nil
}

// WaitFor waits for a line that starts the event called name: "registered", "newRTCSession", "failed".
func (p *Phone) WaitFor(ctx context.Context, name string) (string, error) {
	return p.process.Wait(ctx, 0, name)
}

// Quit unregisters and ends.
func (p *Phone) Quit(ctx context.Context) error {
	if err := p.process.Write("quit"); err != nil {
		return err
	}
	_, err := p.process.WaitExit(ctx)
	return err
}
