//go:build (linux || darwin) && (amd64 || arm64) && !noopus

package opus

import (
	"testing"

	"github.com/sipwerk/sipwerk/media/codec"
)

// loads tells whether this program could load a library.
const loads = true

// One that economizes encodes as one that was made with the least effort, and goes on to when it takes the place of another.
func TestEconomize(t *testing.T) {
	rich, err := open(t).Format(16000, Settings{}).NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	poor, _ := open(t).Format(16000, Settings{Complexity: thrift}).NewEncoder()
	own, _ := open(t).Format(16000, Settings{}).NewEncoder()
	own.(codec.Economizer).Economize(true)
	pcm, same := speech(t, 16000, 800), 0
	compare := func(from, to int) {
		t.Helper()
		for i := from; i < to; i += 320 {
			x, _ := own.Encode(nil, pcm[i:i+320])
			y, _ := poor.Encode(nil, pcm[i:i+320])
			z, _ := rich.Encode(nil, pcm[i:i+320])
			if string(x) != string(y) {
				t.Fatalf("at %d: other than with the least effort", i)
			}
			if string(x) == string(z) {
				same++
			}
		}
	}
	compare(0, 6400)
	if !own.(codec.Successor).Succeed(rich) || !poor.(codec.Successor).Succeed(rich) {
		t.Fatal("does not succeed")
	}
	compare(6400, 12800)
	if same > 10 {
		t.Errorf("%d of 40 payloads are as with more effort", same)
	}
}
