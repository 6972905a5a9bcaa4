// The echo: says back what it hears, so that a caller knows that sound goes both ways, and how long it takes.

package pbx

import "io"

// line is the sound of a call: signed 16-bit little-endian mono PCM at Rate. Read and Write keep the pace of the call, and fail when it ends.
type line interface {
	io.ReadWriter
	Rate() int
}

// player does what a feature is for until the call ends.
type player func(line)

// echoSamples is how many samples are said back at once: 20 ms at 8 kHz. More would be heard as delay.
const echoSamples = 160

func echo(l line) {
	// It ends with the call, and then there is nobody to tell.
	_, _ = io.CopyBuffer(struct{ io.Writer }{l}, struct{ io.Reader }{l}, make([]byte, 2*echoSamples))
}
