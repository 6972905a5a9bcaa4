// The echo: says back what it hears, so that a caller knows that sound goes both ways, and how long it takes.

package pbx

import (
	"context"
	"io"
)

// echoSamples is how many samples are said back at once: 20 ms at 8 kHz. More would be heard as delay.
const echoSamples = 160

func echo(_ context.Context, l *Line) error {
	_, err := io.CopyBuffer(struct{ io.Writer }{l}, struct{ io.Reader }{l}, make([]byte, 2*echoSamples))
	return err
}
