package prompt_test

import (
	"fmt"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/prompt"
)

// How long it takes to say how many messages there are and when the last one came.
func ExampleBook_Say() {
	var book prompt.Book
	now := time.Date(2026, time.May, 7, 18, 0, 0, 0, time.UTC)
	samples := 0
	for _, s := range book.Say("de", 8000, prompt.Text("you-have"), prompt.Count(2, "new"), prompt.When(now.Add(-time.Hour), now)) {
		pcm, _ := audio.ReadAll(s, 60*8000)
		samples += len(pcm)
	}
	fmt.Println(samples > 8000)
	// Output: true
}
