// Paging. RFC 5373 §4.

package conference

import (
	"bytes"
	"errors"
	"io"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// pagers are three telephones of which the first may page the others.
func pagers(w *world, oneWay bool) (alice, bob, carol *phone) {
	alice, bob, carol = w.phone("alice"), w.phone("bob"), w.phone("carol")
	w.focus.Identity = proofs{"alice": true, "bob": true}
	w.set["700"] = Settings{Title: "Hall", Page: &Page{Members: []sip.URI{w.URI("alice"), w.URI("bob"), w.URI("carol")}, OneWay: oneWay, Callers: []string{alice.uri()}}}
	return alice, bob, carol
}

// TestPage: everybody is asked to answer by itself, hears who pages, is not heard, and is let go when that one goes.
func TestPage(t *testing.T) {
	run(t, func(w *world) {
		alice, bob, carol := pagers(w, true)
		a := alice.dial("700")
		a.say(tones["alice"])
		w.Wait(time.Second)
		b, c := <-bob.rang, <-carol.rang
		invite := b.usage.Invitation()
		if invite.Get(sip.HeaderAnswerMode) != "Auto" || invite.Get(sip.HeaderCallInfo) != "<sip:example.org>;answer-after=0" || !invite.Has(sip.HeaderAlertInfo) {
			t.Errorf("the INVITE does not ask to be answered:\n%s", invite)
		}
		b.say(tones["bob"])
		w.Wait(time.Second)
		wantHeard(t, c, "alice")
		wantHeard(t, a)
		b.press("*6") // nobody takes the word
		w.Wait(time.Second)
		wantHeard(t, a)
		a.bye()
		w.Wait(time.Second)
		b.want(0, true)
		c.want(0, true)
	})
}

// TestPageTwoWay: the members are heard; one that is busy is left alone.
func TestPageTwoWay(t *testing.T) {
	run(t, func(w *world) {
		alice, bob, carol := pagers(w, false)
		w.focus.Busy = func(uri sip.URI) bool { return uri.User == "carol" }
		a := alice.dial("700")
		b := <-bob.rang
		b.say(tones["bob"])
		w.Wait(time.Second)
		wantHeard(t, a, "bob")
		if len(carol.rang) > 0 {
			t.Error("somebody in a call is paged")
		}
		b.bye()
		a.bye()
	})
}

// TestPageRefused: whoever may not page, has not proved who it is, or would page nobody.
func TestPageRefused(t *testing.T) {
	run(t, func(w *world) {
		alice, bob, carol := pagers(w, true)
		bob.dial("700").want(sip.StatusForbidden, true)
		carol.dial("700").want(sip.StatusForbidden, true)
		w.focus.Busy = func(sip.URI) bool { return true }
		alice.dial("700").want(sip.StatusBusyHere, true)
	})
}

// TestPageUnderLoss: nobody is left alone with a loudspeaker.
func TestPageUnderLoss(t *testing.T) {
	faults := siptest.Faults{Loss: 0.15, Duplicate: 0.1, Reorder: 0.1, Jitter: 30 * time.Millisecond}
	for faults.Seed = 1; faults.Seed <= 2; faults.Seed++ {
		t.Run(faults.String(), func(t *testing.T) {
			run(t, func(w *world) {
				alice, bob, carol := pagers(w, true)
				a := alice.dial("700")
				w.Wait(8 * time.Second)
				a.bye()
				w.Wait(70 * time.Second)
				for _, p := range []*phone{bob, carol} {
					for _, l := range p.lines {
						if _, over := l.state(); !over {
							t.Errorf("%s is still in the page", p.name)
						}
					}
				}
			}, faults)
		})
	}
}

// air is a multicast group: the packets that were sent there.
type air struct {
	mu      sync.Mutex // guards what follows
	packets []rtp.Packet
	closed  bool
}

func (a *air) Write(b []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p, err := rtp.Parse(bytes.Clone(b))
	if err != nil {
		return 0, err
	}
	a.packets = append(a.packets, p)
	return len(b), nil
}

func (a *air) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	return nil
}

// TestPageLoudspeakers: what is said goes to multicast groups too, as PCMU, though nobody else can be called; a group to which there is no way is told of.
func TestPageLoudspeakers(t *testing.T) {
	run(t, func(w *world) {
		alice, _, _ := pagers(w, true)
		hall, yard := netip.MustParseAddrPort("239.255.1.1:10000"), netip.MustParseAddrPort("239.255.1.2:10000")
		set := w.set["700"]
		set.Page.Members, set.Page.Loudspeakers, set.Page.Source = nil, []netip.AddrPort{hall, yard}, netip.MustParseAddr("192.0.2.7")
		w.set["700"] = set
		alice.dial("700").want(sip.StatusBusyHere, true) // there is no multicast here
		heard := new(air)
		w.focus.Multicast = func(from netip.Addr, group netip.AddrPort) (io.WriteCloser, error) {
			if from != set.Page.Source {
				t.Errorf("from %s", from)
			}
			if group == yard {
				return nil, errors.New("no route")
			}
			return heard, nil
		}
		a := alice.dial("700")
		a.say(tones["alice"])
		w.Wait(2 * time.Second)
		a.bye()
		w.Wait(time.Second)
		heard.mu.Lock()
		defer heard.mu.Unlock()
		if len(heard.packets) < 50 || !heard.closed {
			t.Fatalf("%d packets, closed %v", len(heard.packets), heard.closed)
		}
		decode, err := codec.PCMU().NewDecoder()
		if err != nil {
			t.Fatal(err)
		}
		var pcm []int16
		first := heard.packets[0].Header
		for i, p := range heard.packets {
			want := rtp.Header{Marker: i == 0, Sequence: first.Sequence + uint16(i), Timestamp: first.Timestamp + uint32(160*i), SSRC: first.SSRC}
			if p.Header != want || len(p.Payload) != 160 {
				t.Fatalf("packet %d: %+v with %d bytes, want %+v", i, p.Header, len(p.Payload), want)
			}
			if pcm, err = decode.Decode(pcm, p.Payload); err != nil {
				t.Fatal(err)
			}
		}
		var loud float64
		for _, v := range pcm[len(pcm)/2:] {
			loud = max(loud, math.Abs(float64(v)))
		}
		if loud < 1000 {
			t.Errorf("the loudspeakers are silent: %v", loud)
		}
	})
}

// TestPageRecorded: a recording of a page begins and ends beside the loudspeakers, which go on.
func TestPageRecorded(t *testing.T) {
	folder, heard := t.TempDir(), new(air)
	run(t, func(w *world) {
		alice, _, _ := pagers(w, true)
		set := w.set["700"]
		set.Page.Members, set.Page.Loudspeakers = nil, []netip.AddrPort{netip.MustParseAddrPort("239.255.1.1:10000")}
		w.set["700"] = set
		w.focus.Recordings = folder
		w.focus.Multicast = func(netip.Addr, netip.AddrPort) (io.WriteCloser, error) { return heard, nil }
		a := alice.dial("700")
		a.say(tones["alice"])
		sent := 0
		goesOn := func(when string) {
			t.Helper()
			w.Wait(2 * time.Second)
			heard.mu.Lock()
			defer heard.mu.Unlock()
			if n := len(heard.packets); n < sent+50 {
				t.Errorf("%s: %d packets to the loudspeakers after %d", when, n, sent)
			}
			sent = len(heard.packets)
		}
		goesOn("at the beginning")
		a.press("*9")
		goesOn("recorded")
		a.press("*9")
		goesOn("recorded no more")
		a.bye()
	})
	if files, err := filepath.Glob(filepath.Join(folder, "*.wav")); err != nil || len(files) != 1 {
		t.Fatalf("recordings %v, %v", files, err)
	} else if info, err := os.Stat(files[0]); err != nil || info.Size() < 50*640 {
		t.Errorf("the recording: %v, %v", info, err)
	}
}
