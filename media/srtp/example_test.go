package srtp_test

import (
	"crypto/rand"
	"fmt"

	"github.com/sipwerk/sipwerk/media/srtp"
)

// An offer names a key, the answer another, and each side seals with its own.
func Example() {
	offer, _ := srtp.Offer(rand.Reader)
	theirs, ours, _ := srtp.Choose(offer, rand.Reader)
	caller, _ := srtp.New(theirs.Key, ours.Key)
	callee, _ := srtp.New(ours.Key, theirs.Key)

	packet := append([]byte{0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7}, "hello"...)
	sealed, ok := caller.Seal(append(make([]byte, 0, 64), packet...), false)
	plain, heard := callee.Open(sealed, false)
	fmt.Println(ours.Key.Suite, ok, heard, string(plain[12:]))
	// Output: AEAD_AES_128_GCM true true hello
}
