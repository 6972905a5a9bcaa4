// Package linphonec drives the console telephone of Linphone 5.1: commands on standard input, files instead of sound devices.
package linphonec

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/test/peers/peer"
)

// patience is for a command that linphonec carries out.
const patience = time.Minute

// Phone is one linphonec process.
type Phone struct {
	dir     string
	source  string
	process *peer.Process
	mark    int // output up to here has been acted upon
}

const configuration = `[sip]
sip_port=%[1]d
sip_tcp_port=%[2]d
sip_tls_port=%[3]d
ipv6=0
use_ipv6=0
default_proxy=0
guess_hostname=0
register_only_when_network_is_up=0
media_encryption=none
verify_server_certs=0
verify_server_cn=0
[rtp]
audio_rtp_port=%[4]d-%[5]d
[sound]
echocancellation=0
[video]
enabled=0
[proxy_0]
reg_proxy=<sip:%[6]s;transport=%[7]s>
reg_identity=<sip:%[8]s@%[9]s>
reg_route=<sip:%[6]s;transport=%[7]s;lr>
reg_expires=120
reg_sendregister=1
publish=0
[auth_info_0]
username=%[8]s
passwd=%[10]s
domain=%[9]s
`

// Start runs linphonec for an account.
func Start(t testing.TB, a peer.Account) (*Phone, error) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, ".local/share/linphone"), 0o700); err != nil {
		return nil, err
	}
	port, err := peer.Ports(t)
	if err != nil {
		return nil, err
	}
	var ports [3]int // udp, tcp, tls; 0 is off
	for i, name := range []string{"udp", "tcp", "tls"} {
		if a.Transport == name {
			ports[i] = port
		}
	}
	text := fmt.Sprintf(configuration, ports[0], ports[1], ports[2], port+2, port+peer.BlockPorts-1, a.Server, a.Transport, a.User, a.Domain, a.Password)
	rc := filepath.Join(dir, "rc")
	if err := os.WriteFile(rc, []byte(text), 0o600); err != nil {
		return nil, err
	}
	p := &Phone{dir: dir, source: a.Source}
	if p.process, err = peer.Start(t, dir, "linphonec", "-c", rc, "-d", "0", "-l", filepath.Join(dir, "log")); err != nil {
		return nil, err
	}
	t.Cleanup(p.Close)
	return p, p.write("soundcard use files", "play "+p.source, "record "+filepath.Join(dir, "heard.wav"))
}

func (p *Phone) write(lines ...string) error {
	for _, line := range lines {
		if err := p.process.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// order gives a command; what is waited for next must be said after it.
func (p *Phone) order(lines ...string) error {
	p.mark = p.process.Mark()
	return p.write(lines...)
}

// Name is "linphonec".
func (p *Phone) Name() string { return "linphonec" }

// WaitRegistered asks until the registration is in force.
func (p *Phone) WaitRegistered(ctx context.Context) error {
	for {
		mark := p.process.Mark()
		if err := p.write("status register"); err != nil {
			return err
		}
		turn, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
		_, err := p.process.Wait(turn, mark, "registered, identity=")
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("linphonec: not registered: %w", ctx.Err())
		}
	}
}

// Dial calls uri.
func (p *Phone) Dial(uri string) error { return p.order("call " + uri) }

// Digit sends one DTMF digit as an RTP event.
func (p *Phone) Digit(digit string) error { return p.write(digit) }

// WaitIncoming waits for a call to come in.
func (p *Phone) WaitIncoming(ctx context.Context) error {
	_, err := p.process.Wait(ctx, p.mark, "Receiving new incoming call from")
	return err
}

// Answer accepts the ringing call.
func (p *Phone) Answer() error { return p.write("answer") }

// Hangup ends or refuses the call.
func (p *Phone) Hangup() error { return p.write("terminate") }

// Hold puts the call on hold, and returns when it is: what is ordered before is refused.
func (p *Phone) Hold() error { return p.change("pause", "is now paused") }

// Resume takes the call back, and returns when sound goes both ways.
func (p *Phone) Resume() error { return p.change("resume", "Media streams established") }

// change gives a command and waits for what linphonec says once it is done.
func (p *Phone) change(command, done string) error {
	if err := p.order(command); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := p.process.Wait(ctx, p.mark, done)
	return err
}

// Transfer asks that the other side call uri.
func (p *Phone) Transfer(uri string) error { return p.order("transfer " + uri) }

// Connect asks that the other side of one call talk to that of another; calls are numbered from 1.
func (p *Phone) Connect(one, other int) error {
	return p.order(fmt.Sprintf("transfer %d --to-call %d", one, other))
}

// WaitEstablished waits for the call to be answered.
func (p *Phone) WaitEstablished(ctx context.Context) error {
	_, err := p.process.Wait(ctx, p.mark, "connected.")
	return err
}

// WaitEnded waits for the call to be over, whatever the reason.
func (p *Phone) WaitEnded(ctx context.Context) error {
	_, err := p.process.Wait(ctx, p.mark, "ended (")
	p.mark = p.process.Mark()
	return err
}

// Recordings is one file, which runs across hold. Nobody can read it before [Phone.Close].
func (p *Phone) Recordings() ([]string, error) {
	return []string{filepath.Join(p.dir, "heard.wav")}, nil
}

// Close unregisters and ends linphonec.
func (p *Phone) Close() {
	_ = p.write("quit")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_, _ = p.process.WaitExit(ctx)
	p.process.Kill()
}
