package session

import (
	"bytes"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// ptimes is what one side asks for in a test.
func ptimes(wanted, most int) packetTimes {
	return packetTimes{wanted: time.Duration(wanted) * time.Millisecond, most: time.Duration(most) * time.Millisecond}
}

// TestPacker: packets are cut and joined to what a side wants, in the order and with the timestamps of their samples; what is lost leaves a gap, what is no sound passes, and where something lies between nothing
// is joined. RFC 3551 §4.2; RFC 8866 §6.4, §6.5.
func TestPacker(t *testing.T) {
	type packet struct {
		seq  uint16
		at   uint32 // milliseconds
		long int    // the same; 0: a telephone event
		mark bool
	}
	row := func(first, n int, long int) (all []packet) {
		for i := range n {
			all = append(all, packet{seq: uint16(first + i), at: uint32(i * long), long: long})
		}
		return all
	}
	for name, test := range map[string]struct {
		times    packetTimes
		in, want []packet
	}{
		"20 to 40":       {ptimes(40, 0), row(7, 4, 20), row(7, 2, 40)},
		"40 to 20":       {ptimes(20, 0), row(7, 2, 40), row(7, 4, 20)},
		"20 to 30":       {ptimes(30, 0), row(7, 3, 20), row(7, 2, 30)},
		"20 to 10":       {ptimes(10, 0), row(65535, 2, 20), row(65535, 4, 10)},
		"20 to 20":       {ptimes(20, 0), row(7, 3, 20), row(7, 3, 20)},
		"limit of 30":    {ptimes(0, 30), row(7, 1, 40), []packet{{7, 0, 30, false}, {8, 30, 10, false}}},
		"within limit":   {ptimes(0, 30), row(7, 2, 10), row(7, 2, 10)},
		"want and limit": {ptimes(60, 40), row(7, 4, 20), row(7, 2, 40)},
		"lost":           {ptimes(40, 0), []packet{{7, 0, 20, false}, {9, 40, 20, false}, {10, 60, 20, false}}, []packet{{7, 0, 20, false}, {9, 40, 40, false}}},
		"late":           {ptimes(40, 0), []packet{{8, 20, 20, false}, {7, 0, 20, false}, {9, 40, 20, false}}, []packet{{8, 20, 40, false}}},
		"talk spurt":     {ptimes(40, 0), []packet{{7, 0, 20, true}, {8, 500, 20, true}, {9, 520, 20, false}}, []packet{{7, 0, 20, true}, {8, 500, 40, true}}},
		"event between":  {ptimes(40, 0), []packet{{7, 0, 20, false}, {8, 20, 0, true}, {9, 40, 40, false}}, []packet{{7, 0, 20, false}, {8, 20, 0, true}, {9, 40, 40, false}}},
	} {
		t.Run(name, func(t *testing.T) {
			k := newPacker(test.times, longestTime+time.Millisecond, []sdp.Codec{{PayloadType: 8, Name: "PCMA", Clock: 8000}})
			var got []packet
			next := byte(0)
			take := func(b []byte) {
				p, err := rtp.Parse(b)
				must(t, err)
				if p.PayloadType == eventPayloadType {
					got = append(got, packet{seq: p.Sequence, at: p.Timestamp / 8, mark: p.Marker})
					return
				}
				if want := byte(p.Timestamp / 8); p.Payload[0] != want || len(p.Payload)%8 != 0 {
					t.Errorf("%d bytes that begin with %d, want %d", len(p.Payload), p.Payload[0], want)
				}
				got = append(got, packet{seq: p.Sequence, at: p.Timestamp / 8, long: len(p.Payload) / 8, mark: p.Marker})
			}
			for _, in := range test.in {
				p := rtp.Packet{Header: rtp.Header{PayloadType: 8, Sequence: in.seq, Timestamp: in.at * 8, Marker: in.mark, SSRC: 5}}
				next = byte(in.at)
				for range in.long {
					p.Payload = append(p.Payload, bytes.Repeat([]byte{next}, 8)...)
					next++
				}
				if in.long == 0 {
					p.PayloadType, p.Payload = eventPayloadType, []byte{1, 10, 0, 160}
				}
				if whole := k.pack(p.AppendTo(nil), take); whole != nil {
					take(whole)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got  %v\nwant %v", got, test.want)
			}
		})
	}
}

// TestPackerUnasked: there is none where nothing is asked, where what is asked comes, and where payloads cannot be cut.
func TestPackerUnasked(t *testing.T) {
	alaw, opus := sdp.Codec{PayloadType: 8, Name: "PCMA", Clock: 8000}, sdp.Codec{PayloadType: 111, Name: "opus", Clock: 48000, Channels: 2}
	for _, test := range []struct {
		times packetTimes
		codec sdp.Codec
		want  bool
	}{
		{ptimes(0, 0), alaw, false}, {ptimes(20, 0), alaw, false}, {ptimes(0, 20), alaw, false}, {ptimes(0, 60), alaw, false}, {ptimes(40, 20), alaw, false},
		{ptimes(40, 0), alaw, true}, {ptimes(0, 10), alaw, true}, {ptimes(40, 0), opus, false}, {ptimes(5, 0), sdp.Codec{PayloadType: 18, Name: "G729", Clock: 8000}, false},
	} {
		if got := newPacker(test.times, usualTime, []sdp.Codec{test.codec}); (got != nil) != test.want {
			t.Errorf("%+v for %s: %v, want %v", test.times, test.codec.Name, got, test.want)
		}
	}
}

// TestPacketTimes: a side that asks for packets of another length than the far side sends gets them, relayed and converted and while it waits, and its record says so; digits and sound are as ever.
func TestPacketTimes(t *testing.T) {
	plain, wide := Voice{Formats: []codec.Format{codec.PCMA()}}, Voice{Formats: []codec.Format{codec.G722()}, Rate: 8000}
	for name, c := range map[string]struct {
		voices [2]Voice
		asks   [2]string
		want   [2]int // bytes
		mute   bool
	}{
		"40 and 20":           {[2]Voice{plain, plain}, [2]string{"ptime 40", "ptime 20"}, [2]int{320, 160}, false},
		"10 and nothing":      {[2]Voice{wide, wide}, [2]string{"ptime 10", ""}, [2]int{80, 160}, false},
		"30 and 10 at most":   {[2]Voice{plain, plain}, [2]string{"ptime 30", "maxptime 10"}, [2]int{240, 80}, false},
		"40 and 20 converted": {[2]Voice{wide, plain}, [2]string{"ptime 40", "ptime 20"}, [2]int{320, 160}, false},
		"40, by tones":        {[2]Voice{plain, plain}, [2]string{"ptime 40", "ptime 20"}, [2]int{320, 160}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			prepare := func(b *bridged) {
				b.times = map[*Endpoint]string{b.alice: c.asks[0], b.bob: c.asks[1]}
				b.mute[b.bob] = c.mute
			}
			bridgeLegs(t, [2]Kind{}, c.voices, prepare, func(b *bridged) {
				b.wait(time.Second)
				b.lengths("at first", c.want)
				b.talk("at first")
				b.digits("12#")
				b.alice.SetDirection(sdp.SendOnly)
				b.offer(b.alice, b.bob, b.a, b.b)
				b.wait(time.Second)
				b.lengths("while bob waits", [2]int{0, c.want[1]})
				b.alice.SetDirection(sdp.SendRecv)
				b.offer(b.alice, b.bob, b.a, b.b)
				b.wait(time.Second)
				b.talk("behind the hold")
				if want := time.Duration(c.want[0]) * time.Second / 8000; b.a.PacketTime() != want {
					t.Errorf("alice's packets are made %v, want %v", b.a.PacketTime(), want)
				}
			})
		})
	}
}

// lengths looks how long the payloads are that both get in half a second, and that none is missing.
func (b *bridged) lengths(when string, want [2]int) {
	b.t.Helper()
	var mu sync.Mutex
	var got [2][]rtp.Packet
	for i, e := range []*Endpoint{b.alice, b.bob} {
		e.stream.Record(func(packet []byte, _ time.Time, control bool) {
			if p, err := rtp.Parse(packet); err == nil && !control {
				mu.Lock()
				defer mu.Unlock()
				p.Payload = slices.Clone(p.Payload)
				got[i] = append(got[i], p)
			}
		})
	}
	b.wait(500 * time.Millisecond)
	b.alice.stream.Record(nil)
	b.bob.stream.Record(nil)
	mu.Lock()
	defer mu.Unlock()
	for i, all := range got {
		sum := 0
		for j, p := range all {
			sum += len(p.Payload)
			if len(p.Payload) != want[i] || j > 0 && (p.Sequence != all[j-1].Sequence+1 || p.Timestamp != all[j-1].Timestamp+uint32(want[i])) {
				b.t.Errorf("%s: side %d got %d bytes, want %d: %+v", when, i, len(p.Payload), want[i], p.Header)
				break
			}
		}
		if want[i] > 0 && (sum < 3600 || sum > 4400) {
			b.t.Errorf("%s: side %d got %d bytes in half a second", when, i, sum)
		}
	}
}
