// What the services themselves speak: the codecs of calls that end here.

package server

import (
	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/codec/opus"
	"github.com/sipwerk/sipwerk/media/session"
)

// soundRate is the sample rate of calls that end here: what G.722 has, and enough for speech.
const soundRate = 16000

// sound returns how the services speak. The error says what they do without, in a sentence; the voice is good all the same.
func sound() (session.Voice, error) {
	v := session.Voice{Rate: soundRate, Formats: []codec.Format{codec.G722(), codec.PCMA(), codec.PCMU()}}
	library, err := opus.Open()
	if library.Speaks() {
		v.Formats = append([]codec.Format{library.Format(soundRate, opus.Settings{FEC: true})}, v.Formats...)
	}
	return v, err
}
