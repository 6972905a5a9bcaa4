package dial

import (
	"slices"
	"testing"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/prompt"
	"github.com/sipwerk/sipwerk/server/object"
)

// TestWords: what somebody hears of a forward says where it leads, as far as that can be spoken.
func TestWords(t *testing.T) {
	o, ok := ReadOrder("*#21")
	if !ok {
		t.Fatal("the code to ask is none")
	}
	var book prompt.Book
	spoken := func(words ...prompt.Words) (pcm []int16) {
		for _, s := range book.Say(prompt.English, prompt.Rate, words...) {
			part, err := audio.ReadAll(s, 60*prompt.Rate)
			if err != nil {
				t.Fatal(err)
			}
			pcm = append(pcm, part...)
		}
		return pcm
	}
	for to, want := range map[string][]prompt.Words{
		"":          {prompt.Text("forwarding-off")},
		"+49301234": {prompt.Text("forwarding-on"), prompt.Digits("+49301234")},
		"voicemail": {prompt.Text("forwarding-to-voicemail")},
		"anna":      {prompt.Text("forwarding-to-somebody")},
	} {
		got, asked := spoken(words(&o, &object.Account{ForwardAlways: to})...), spoken(want...)
		if len(got) == 0 || !slices.Equal(got, asked) {
			t.Errorf("%q is said in %d samples, want %d", to, len(got), len(asked))
		}
	}
}
