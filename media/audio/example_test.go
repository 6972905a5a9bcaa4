package audio_test

import (
	"bytes"
	"fmt"
	"log"

	"github.com/sipwerk/sipwerk/media/audio"
)

// A second of music at 48 kHz, as a telephone would record it.
func Example() {
	music := make([]int16, 48000)
	if _, err := (&audio.Music{Rate: 48000}).ReadSamples(music); err != nil {
		log.Fatal(err)
	}
	down, err := audio.NewResampler(48000, 8000)
	if err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer
	w, err := audio.NewWAVWriter(&file, 8000)
	if err != nil {
		log.Fatal(err)
	}
	if err := w.WriteSamples(down.Resample(nil, music)); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(file.Len(), "bytes")
	// Output: 16044 bytes
}

// Two speakers in a conference have a tone each.
func ExampleGoertzel() {
	pcm := make([]int16, 400) // 50 ms
	tone := &audio.Tone{Rate: 8000, Frequencies: []float64{440}, Amplitude: 5000}
	if _, err := tone.ReadSamples(pcm); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.0f %.0f\n", audio.Goertzel(pcm, 8000, 440), audio.Goertzel(pcm, 8000, 1000))
	// Output: 5000 0
}
