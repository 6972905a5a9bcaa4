// Package baresip drives baresip 1.0 without sound devices: files for microphone and loudspeaker, its control socket for orders.
package baresip

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/test/peers/peer"
)

// Phone is one baresip process.
type Phone struct {
	dir     string
	process *peer.Process
	control net.Conn
	lamp    int // lines that were looked at for lamps

	mu     sync.Mutex
	events []event
	news   chan struct{}
}

// event is what the control socket tells.
type event struct {
	Event    bool   `json:"event"`
	Type     string `json:"type"`
	Param    string `json:"param"`
	Response bool   `json:"response"`
	OK       bool   `json:"ok"`
	Data     string `json:"data"`
	Token    string `json:"token"`
}

const configuration = `sip_listen 127.0.0.1:0
net_interface 127.0.0.1
audio_source aufile,%[1]s
audio_player aubridge,sink1
audio_alert aubridge,alert1
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports %[7]d-%[8]d
module_path %[2]s
module aubridge.so
module aufile.so
module g711.so
module sndfile.so
module srtp.so
module dtls_srtp.so
module ice.so
module uuid.so
module_tmp account.so
module_app ctrl_tcp.so
module_app menu.so
module_app contact.so
%[6]s
module_app presence.so
ctrl_tcp_listen 127.0.0.1:%[3]d
snd_path %[4]s/snd
rtcp_mux %[5]s
`

// sight is a camera that sends stripes, and a screen that nobody sees.
const sight = `
module vp8.so
module fakevideo.so
video_source fakevideo,nil
video_display fakevideo,nil
video_size 176x144
video_fps 10
video_bitrate 100000
`

// security is how an account is told to protect its sound.
func security(m peer.Media) (parameters, mux string) {
	switch m {
	case peer.SDES:
		return ";mediaenc=srtp-mand", "no"
	case peer.DTLS:
		return ";mediaenc=dtls_srtp;medianat=ice", "yes"
	}
	return "", "no"
}

// Start runs baresip for an account.
func Start(t testing.TB, a peer.Account) (*Phone, error) {
	dir := t.TempDir()
	port, err := peer.Ports(t)
	if err != nil {
		return nil, err
	}
	parameters, mux := security(a.Media)
	lamp, module := "no", ""
	codecs := "audio_codecs=pcmu,pcma"
	if a.Lamp {
		lamp, module = "yes", "module_app mwi.so"
	}
	if a.Video {
		module += sight
		codecs += ";video_codecs=vp8"
	}
	account := fmt.Sprintf("<sip:%s@%s;transport=%s>;auth_user=%s;auth_pass=%s;answermode=manual;%s;regint=120;mwi=%s;outbound=\"sip:%s;transport=%s\"%s\n",
		a.User, a.Domain, a.Transport, a.User, a.Password, codecs, lamp, a.Server, a.Transport, parameters)
	files := map[string]string{
		"config":   fmt.Sprintf(configuration, a.Source, modules(), port, dir, mux, module, port+2, port+peer.BlockPorts-1),
		"accounts": account,
		"contacts": contacts(a.Watch),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "snd"), 0o700); err != nil {
		return nil, err
	}
	p := &Phone{dir: dir, news: make(chan struct{})}
	if p.process, err = peer.Start(t, dir, "baresip", "-4", "-f", dir, "-s", "-v"); err != nil {
		return nil, err
	}
	if err := p.connect(port); err != nil {
		return nil, err
	}
	t.Cleanup(p.Close)
	return p, nil
}

// contacts is the file of the contacts: one whose presence is subscribed to, if any.
func contacts(watch string) string {
	if watch == "" {
		return ""
	}
	return "\"Lamp\" <" + watch + ">;presence=p2p\n"
}

// Lamp is what a telephone shows of somebody else.
type Lamp string

// What baresip says of it.
const (
	LampOff Lamp = "Online" // registered, in no call
	LampOn  Lamp = "Busy"
)

// WaitWatched waits until the first word of [peer.Account.Watch] has come. What it says is not shown: baresip shows changes.
func (p *Phone) WaitWatched(ctx context.Context) error {
	_, err := p.process.Wait(ctx, 0, "application/pidf+xml")
	return err
}

// WaitPresence waits until baresip has said that the lamp of [peer.Account.Watch] has changed to l, since it last was waited for.
func (p *Phone) WaitPresence(ctx context.Context, l Lamp) error {
	for {
		line, err := p.process.Wait(ctx, p.lamp, "changed status from")
		if err != nil {
			return err
		}
		p.lamp++
		if _, to, _ := strings.Cut(line, " to "); strings.Contains(to, string(l)) {
			return nil
		}
	}
}

// modules is where Debian puts them.
func modules() string {
	found, err := filepath.Glob("/usr/lib/*/baresip/modules")
	if err == nil && len(found) > 0 {
		return found[0]
	}
	return "/usr/lib/baresip/modules"
}

func (p *Phone) connect(port int) (err error) {
	for range 1200 {
		if p.control, err = net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port)); err == nil {
			go p.read()
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

// read takes netstrings of JSON from the control socket.
func (p *Phone) read() {
	r := bufio.NewReader(p.control)
	for {
		size, err := r.ReadString(':')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(size, ":"))
		if err != nil {
			return
		}
		text := make([]byte, n+1) // with the closing comma
		for got := 0; got < len(text); {
			m, err := r.Read(text[got:])
			if err != nil {
				return
			}
			got += m
		}
		var e event
		if json.Unmarshal(text[:n], &e) == nil {
			p.mu.Lock()
			p.events = append(p.events, e)
			close(p.news)
			p.news = make(chan struct{})
			p.mu.Unlock()
		}
	}
}

func (p *Phone) order(command, params string) error {
	text, err := json.Marshal(map[string]string{"command": command, "params": params, "token": command})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.control, "%d:%s,", len(text), text)
	return err
}

// wait takes the first event that fits, with all before it, off the list.
func (p *Phone) wait(ctx context.Context, fits func(event) bool) error {
	for {
		p.mu.Lock()
		at := slices.IndexFunc(p.events, fits)
		if at >= 0 {
			p.events = p.events[at+1:]
		}
		news := p.news
		p.mu.Unlock()
		if at >= 0 {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return fmt.Errorf("baresip: the awaited event never came: %w", ctx.Err())
		}
	}
}

func called(name string) func(event) bool {
	return func(e event) bool { return e.Event && e.Type == name }
}

// Name is "baresip".
func (p *Phone) Name() string { return "baresip" }

// WaitRegistered asks until the registration is in force; its event may have come before the control socket was open.
func (p *Phone) WaitRegistered(ctx context.Context) error {
	for {
		if err := p.order("reginfo", ""); err != nil {
			return err
		}
		turn, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		err := p.wait(turn, func(e event) bool { return e.Response && e.Token == "reginfo" && strings.Contains(e.Data, "OK") })
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
}

// Dial calls uri.
func (p *Phone) Dial(uri string) error { return p.order("dial", uri) }

// WaitIncoming waits for a call to come in.
func (p *Phone) WaitIncoming(ctx context.Context) error { return p.wait(ctx, called("CALL_INCOMING")) }

// Answer accepts the ringing call.
func (p *Phone) Answer() error { return p.order("accept", "") }

// Hangup ends or refuses the call.
func (p *Phone) Hangup() error { return p.order("hangup", "") }

// Hold puts the call on hold.
func (p *Phone) Hold() error { return p.order("hold", "") }

// Resume takes the call back.
func (p *Phone) Resume() error { return p.order("resume", "") }

// Transfer asks that the other side call uri.
func (p *Phone) Transfer(uri string) error { return p.order("transfer", uri) }

// Digit sends one DTMF digit as an RTP event.
func (p *Phone) Digit(digit string) error { return p.order("sndcode", digit) }

// WaitReceiving waits until sound comes in: the receiver's bit rate that baresip shows is not 0.
func (p *Phone) WaitReceiving(ctx context.Context) error {
	rate := regexp.MustCompile(`audio=[0-9]+/([0-9]+)`)
	for mark := p.process.Mark(); ; mark = p.process.Mark() {
		line, err := p.process.Wait(ctx, mark, "audio=")
		if err != nil {
			return err
		}
		if m := rate.FindStringSubmatch(line); m != nil && m[1] != "0" {
			return nil
		}
	}
}

// WaitFrames implements peer.Viewer for its one line: baresip counts no pictures, but says what comes of them in a second.
func (p *Phone) WaitFrames(ctx context.Context, _, frames int) error {
	rate := regexp.MustCompile(`video=[0-9]+/([0-9]+)`)
	mark := p.process.Mark()
	for seconds := 0; seconds < frames/fps; mark = p.process.Mark() {
		line, err := p.process.Wait(ctx, mark, "video=")
		if err != nil {
			return err
		}
		if m := rate.FindStringSubmatch(line); m != nil && m[1] != "0" {
			seconds++
		}
	}
	return nil
}

// fps is how many pictures a second the telephones send here.
const fps = 10

// WaitLamp waits until the lamp of the mailbox goes on or off.
func (p *Phone) WaitLamp(ctx context.Context, on bool) error {
	state := "Messages-Waiting: no"
	if on {
		state = "Messages-Waiting: yes"
	}
	return p.wait(ctx, func(e event) bool { return e.Event && e.Type == "MWI_NOTIFY" && strings.Contains(e.Param, state) })
}

// WaitEstablished waits for the call to be answered.
func (p *Phone) WaitEstablished(ctx context.Context) error {
	return p.wait(ctx, called("CALL_ESTABLISHED"))
}

// WaitEnded waits for the call to be closed.
func (p *Phone) WaitEnded(ctx context.Context) error { return p.wait(ctx, called("CALL_CLOSED")) }

// Recordings lists what was decoded; there is a new file after each renegotiation.
func (p *Phone) Recordings() ([]string, error) {
	found, err := filepath.Glob(filepath.Join(p.dir, "snd", "dump-*-dec.wav"))
	slices.Sort(found)
	return found, err
}

// Close unregisters and ends baresip.
func (p *Phone) Close() {
	if p.process == nil || p.control == nil {
		return
	}
	_ = p.order("quit", "")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_, _ = p.process.WaitExit(ctx)
	p.process.Kill()
	_ = p.control.Close()
}
