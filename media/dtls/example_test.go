package dtls_test

import (
	"fmt"

	"github.com/sipwerk/sipwerk/media/dtls"
	"github.com/sipwerk/sipwerk/media/srtp"
)

// Two ends agree on keys. Here they call each other; on a stream, [dtls.Over] does that.
func Example() {
	var ends [2]*dtls.Association
	ciphers := make(chan *srtp.Cipher, 2)
	var identities [2]*dtls.Identity
	for i := range ends {
		identity, err := dtls.NewIdentity()
		if err != nil {
			fmt.Println(err)
			return
		}
		identities[i] = identity
		ends[i] = dtls.Start(dtls.Config{
			Identity: identity, Active: i == 0,
			Send:   func(b []byte) error { ends[1-i].Receive(b); return nil },
			Secure: func(c *srtp.Cipher) { ciphers <- c },
		})
		defer ends[i].Close()
	}
	for i := range ends {
		ends[i].Trust([]dtls.Fingerprint{identities[1-i].Fingerprint()}) // from the other's description
	}
	ends[0].Connect()
	a, b := <-ciphers, <-ciphers
	fmt.Println(a.State().Send.Key.Equal(b.State().Receive.Key), a.State().Send.Key.Suite)
	// Output: true AEAD_AES_128_GCM
}
