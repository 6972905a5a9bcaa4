package passport_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/passport"
)

// A caller's own number is signed for whoever is called.
func ExampleSigner_Attest() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		fmt.Println(err)
		return
	}
	req := sip.NewRequest(sip.MethodInvite, sip.MustParseURI("sip:+331456@example.net"))
	req.Set(sip.HeaderFrom, "<sip:+4930123@example.org>;tag=1")
	req.Set(sip.HeaderTo, "<sip:+331456@example.net>")
	req.Set(sip.HeaderDate, sip.FormatDate(time.Now()))
	signer := &passport.Signer{Key: key, URL: "https://example.org/cert.pem"}
	if err := signer.Attest(req, passport.Full, "00000000-0000-8000-8000-000000000001"); err != nil {
		fmt.Println(err)
		return
	}
	id, err := sip.ParseIdentity(req.Get(sip.HeaderIdentity))
	fmt.Println(id.Type, id.Algorithm, id.Info, err)
	// Output: shaken ES256 https://example.org/cert.pem <nil>
}
