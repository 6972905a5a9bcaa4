package digest_test

import (
	"fmt"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/digest"
)

// What is stored for a user instead of the password.
func ExampleAlgorithm_HA1() {
	fmt.Println(digest.MD5.HA1("bob", "biloxi.com", "zanzibar").Hex(digest.MD5))
	// Output: 12af60467a33e8518da5c68bbff12b11
}

// A client answers the challenge of its registrar, and of nobody else.
func ExampleClient() {
	client := &digest.Client{User: "bob", Password: "zanzibar", Host: "biloxi.com"}
	register := sip.NewRequest(sip.MethodRegister, sip.MustParseURI("sip:biloxi.com"))
	challenge := func(realm string) *sip.Response {
		res := register.Reply(sip.StatusUnauthorized)
		res.Set(sip.HeaderWWWAuthenticate, `Digest realm="`+realm+`", nonce="dcd98b7102dd2f0e", algorithm=SHA-256`)
		return res
	}
	fmt.Println(client.Answer(register, challenge("evil.example")))
	fmt.Println(client.Answer(register, challenge("biloxi.com")))
	fmt.Println(register.Get(sip.HeaderAuthorization))
	// Output:
	// digest: challenge from a host or realm without credentials (realm "biloxi.com")
	// <nil>
	// Digest username="bob", realm="biloxi.com", nonce="dcd98b7102dd2f0e", uri="sip:biloxi.com", response="06658389e5a1d4677d23f10d0a44adb3bf369c1d844ac6ce23e9652803b4cf3a", algorithm=SHA-256
}
