package registrar_test

import (
	"fmt"

	"github.com/sipwerk/sipwerk/service/registrar"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/digest"
)

// A registrar for one domain behind digest authentication. Stack.Handler takes the Mux.
func ExampleRegistrar() {
	reg := &registrar.Registrar{Accounts: biloxi{}}
	if err := reg.Open(); err != nil {
		fmt.Println(err)
		return
	}
	defer reg.Close()
	mux := new(sip.Mux)
	mux.Handle("REGISTER biloxi.example.com", &digest.Authenticator{Realm: "biloxi.example.com", Accounts: biloxi{}, Next: reg})

	for _, b := range reg.Lookup(sip.MustParseURI("sip:bob@biloxi.example.com")) {
		fmt.Println(b.Contact)
	}
	fmt.Println(reg.Counts().Bindings, "bindings")
	// Output: 0 bindings
}
