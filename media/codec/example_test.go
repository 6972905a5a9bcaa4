package codec_test

import (
	"fmt"
	"log"
	"time"

	"github.com/sipwerk/sipwerk/media/codec"
)

// Twenty milliseconds of silence as A-law.
func Example() {
	f := codec.PCMA()
	encoder, err := f.NewEncoder()
	if err != nil {
		log.Fatal(err)
	}
	payload, err := encoder.Encode(nil, make([]int16, f.Samples(20*time.Millisecond)))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s/%d, %d bytes of %#x\n", f.Name, f.Clock, len(payload), payload[0])
	// Output: PCMA/8000, 160 bytes of 0xd5
}
