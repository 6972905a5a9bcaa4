// The recording of a room: the whole mix, written beside the beat.

package conference

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
)

// tapeLength is how many frames of 20 ms wait for the disk; what comes beyond is lost.
const tapeLength = 500

// recording is a file under way.
type recording struct {
	file     string
	rate     int
	encoding audio.Encoding

	mu     sync.Mutex // guards what follows
	frames chan []int16
	closed bool
}

// RoomEvent is something that happens to a room in use.
type RoomEvent struct {
	Room string // the URI of the conference
	What string // "opened", "closed", "locked", "unlocked", "recording", "recorded", "silent": not all loudspeakers of a page can be reached
	File string // of the recording
	Err  error  // why the recording failed
}

// recorded reports whether the room is being recorded.
func (r *room) recorded() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tape != nil
}

// record begins or ends the recording and reports whether that can be. It waits for nothing: the file is opened beside.
func (r *room) record(on bool) bool {
	if r.c.Recordings == "" {
		return false
	}
	r.mu.Lock()
	old := r.tape
	if on == (old != nil) {
		r.mu.Unlock()
		return true
	}
	r.tape = nil
	if on {
		r.tape = &recording{file: r.file(time.Now()), rate: r.c.rate(), encoding: r.set.Encoding, frames: make(chan []int16, tapeLength)}
	}
	tape := r.tape
	r.mu.Unlock()
	if !on {
		old.close()
		return true
	}
	r.c.work.Go(func() {
		err := tape.write()
		r.c.observe(RoomEvent{Room: r.name, What: "recorded", File: tape.file, Err: err})
	})
	r.c.observe(RoomEvent{Room: r.name, What: "recording", File: tape.file})
	return true
}

// hear gives a frame of the mix to the recording and to the loudspeakers, on the goroutine of the mixer.
func (r *room) hear(pcm []int16) {
	r.mu.Lock()
	tape, speakers := r.tape, r.speakers
	r.mu.Unlock()
	if tape != nil {
		tape.take(pcm)
	}
	if speakers != nil {
		speakers.take(pcm)
	}
}

// file names a recording after its room and the time. Two rooms of one user part in different domains are told apart.
func (r *room) file(now time.Time) string {
	safe := func(s string) string {
		return strings.Map(func(c rune) rune {
			if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' {
				return c
			}
			return '_'
		}, s)
	}
	name := strings.TrimLeft(safe(r.set.URI.UserName()), ".") + "@" + safe(r.set.URI.Host) + "-" + now.UTC().Format("20060102-150405.000") + r.set.Encoding.Ending()
	return filepath.Join(r.c.Recordings, name)
}

// take takes a frame of the mix, on the goroutine of the mixer.
func (t *recording) take(pcm []int16) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	select {
	case t.frames <- append([]int16(nil), pcm...):
	default: // the disk is too slow
	}
}

// close ends the recording. A nil recording is none.
func (t *recording) close() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.closed = true
		close(t.frames)
	}
}

// write writes the frames until the end. After a failure it lets them go by.
func (t *recording) write() error {
	err := t.copy()
	for range t.frames {
		continue
	}
	return err
}

func (t *recording) copy() error {
	w, err := t.encoding.Create(t.file, t.rate, 1)
	if err != nil {
		return fmt.Errorf("conference: record: %w", err)
	}
	for pcm := range t.frames {
		if err == nil {
			err = w.WriteSamples(pcm)
		}
	}
	return errors.Join(err, w.Close())
}

// observe tells the observer of a room.
func (c *Conference) observe(ev RoomEvent) {
	if c.Observer != nil {
		c.Observer.ObserveRoom(ev)
	}
}
