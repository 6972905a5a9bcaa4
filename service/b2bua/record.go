package b2bua

// Recording: both sides of a call beside the call, from its answer on or from the code that a side dials, and told to both. The stripe of the call owns all of it.

import (
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
)

// RecordCode is what a side dials during a call to have it recorded, and again to end that.
const RecordCode = "*1"

// codeTime is how much time may lie between the digits of the code.
const codeTime = 3 * time.Second

// Recorder says which calls are recorded. It must not block.
type Recorder interface {
	// Record is asked when a call is answered (by is BySystem), and when a side has dialled [RecordCode]. d holds until Record returns: who wants to keep it, for Open or Done perhaps, copies it.
	Record(d *Detail, by Side) Recording
}

// Recording is how a call is recorded. The zero Recording means that it is not.
type Recording struct {
	File     string                                     // its name, for the detail; empty: nothing is recorded
	Open     func(rate int) (audio.StereoWriter, error) // opens it; called on a goroutine of its own. The caller is the left channel
	Announce session.Music                              // what both sides hear first; nil: nothing
	Done     func(file string, closing func() error)    // is given what ends the file, which waits for the disk; it must not wait itself
	OnDemand bool                                       // a side may dial the code
}

// recording is that of one call.
type recording struct {
	Recording
	rate     int
	asked    bool // by a side, which may end it
	media    [2]*session.Leg
	ears     [2]*session.Ear
	tape     *session.Tape // nil: nothing is recorded, digits are heard
	recorder *audio.Recorder
	star     [2]time.Time // when the side has dialled the first digit of the code
}

// record begins what is to be recorded of a call that has been answered, or was moved to somebody else. If the answer to an offer comes with an ACK it is called again with that: before, nobody
// hears or says anything.
func (c *call) record() {
	if c.b.Recorder == nil || c.over || c.callee == nil || c.recording != nil {
		return
	}
	if c.unasked = !c.agreed(); c.unasked {
		return
	}
	r := c.ask(BySystem)
	if r.File == "" && !r.OnDemand {
		return
	}
	c.recording = &recording{Recording: r, rate: c.recordRate()}
	c.hearSides()
	if r.File != "" {
		c.roll()
	}
}

// ask asks the recorder.
func (c *call) ask(by Side) (r Recording) {
	c.inDetail(func(d *Detail) { r = c.b.Recorder.Record(d, by) })
	return r
}

// agreed reports whether both sides have described their sessions.
func (c *call) agreed() bool { return c.caller.glance() != nil && c.callee.glance() != nil }

// recordRate is the sample rate of the file: that of the better codec.
func (c *call) recordRate() int {
	for _, l := range [...]*leg{c.caller, c.callee} {
		if codec := l.media.Codec(); codec != "" && !strings.HasPrefix(strings.ToUpper(codec), "PCM") {
			return 16000
		}
	}
	return 8000
}

// hearSides listens to those who talk now, if they are others than before.
func (c *call) hearSides() {
	r := c.recording
	if r == nil || c.over || c.callee == nil {
		return
	}
	media := [2]*session.Leg{c.caller.media, c.callee.media}
	if media == r.media || !c.agreed() {
		return
	}
	for i, by := range [...]Side{ByCaller, ByCallee} {
		if media[i] == r.media[i] && r.ears[i] != nil {
			continue
		}
		r.ears[i] = media[i].Listen(media[1-i], r.rate, func(digit byte) {
			c.engine.Do(c.stripe, func() {
				c.dialled(by, digit)
				c.sweep()
			})
		})
	}
	r.media = media
	if r.tape == nil {
		return
	}
	r.tape.Hear(r.ears[0], r.ears[1])
	if r.Announce != nil {
		c.announceTape() // whoever is new has not heard it
	}
}

// roll begins to record.
func (c *call) roll() {
	r := c.recording
	r.recorder = audio.NewRecorder(&lateWriter{open: func() (audio.StereoWriter, error) { return r.Open(r.rate) }})
	r.tape = session.NewTape(r.ears[0], r.ears[1], r.rate, r.recorder.Take)
	if len(c.story.recordings) < maxDetails {
		c.story.recordings = append(c.story.recordings, r.File)
	}
	if r.Announce != nil {
		c.announceTape()
	}
}

// cut ends what is recorded. The file is closed elsewhere, for that waits for the disk.
func (r *recording) cut() {
	if r == nil || r.tape == nil {
		return
	}
	r.tape.Stop()
	file, closing := r.File, r.recorder.Close
	r.tape, r.recorder = nil, nil
	if r.Done != nil {
		r.Done(file, closing)
		return
	}
	go closing()
}

// dialled takes a digit of one side during the call.
func (c *call) dialled(by Side, digit byte) {
	r := c.recording
	if r == nil || c.over {
		return
	}
	star := &r.star[by-ByCaller]
	was := *star
	if *star = (time.Time{}); digit == RecordCode[0] {
		*star = time.Now()
		return
	}
	if digit != RecordCode[1] || was.IsZero() || time.Since(was) > codeTime {
		return
	}
	switch {
	case r.tape != nil && r.asked:
		r.cut()
		c.dropTape()
	case r.tape == nil:
		if next := c.ask(by); next.File != "" {
			r.Recording, r.asked = next, true
			c.roll()
		}
	}
}

// dialledByInfo takes the digits of telephones that send them by INFO, as nobody has standardised but many do.
func (c *call) dialledByInfo(l *leg, req *sip.Request) {
	digit := digitOf(req)
	if c.recording == nil || digit == 0 {
		return
	}
	by := ByCallee
	if l == c.caller {
		by = ByCaller
	}
	c.dialled(by, digit)
}

// lateWriter opens its file with the first samples.
type lateWriter struct {
	open func() (audio.StereoWriter, error)
	w    audio.StereoWriter
}

// WriteStereo implements [audio.StereoWriter].
func (l *lateWriter) WriteStereo(left, right []int16) (err error) {
	if l.w == nil {
		if l.w, err = l.open(); err != nil {
			return err
		}
	}
	return l.w.WriteStereo(left, right)
}

// Close implements [audio.StereoWriter].
func (l *lateWriter) Close() error {
	if l.w == nil {
		return nil
	}
	return l.w.Close()
}
