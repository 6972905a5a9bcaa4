// What a user of the package writes first.

package sip_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// A message is read in place, edited, and printed: what was not touched goes out as it came in.
func ExampleParseRequest() {
	r, err := sip.ParseRequest([]byte("OPTIONS sip:bob@example.org SIP/2.0\r\n" +
		"v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n" +
		"From: \"Alice\" <sip:alice@example.org>;tag=1\r\n" +
		"To: <sip:bob@example.org>\r\n" +
		"Call-ID: a84b4c76e66710\r\n" +
		"CSeq: 1 OPTIONS\r\n\r\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	from, _ := r.From()
	fmt.Println(from.Name(), from.URI.User, from.Tag())
	r.Prepend(sip.HeaderVia, "SIP/2.0/UDP proxy.example.org;branch=z9hG4bK2")
	fmt.Print(strings.ReplaceAll(r.String(), "\r\n", "\n"))
	// Output:
	// Alice alice 1
	// OPTIONS sip:bob@example.org SIP/2.0
	// Via: SIP/2.0/UDP proxy.example.org;branch=z9hG4bK2
	// v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1
	// From: "Alice" <sip:alice@example.org>;tag=1
	// To: <sip:bob@example.org>
	// Call-ID: a84b4c76e66710
	// CSeq: 1 OPTIONS
	// Content-Length: 0
}

// A handler that may block answers with a response, or with a status as its error.
func ExampleHandlerFunc() {
	door := sip.HandlerFunc(func(_ context.Context, w sip.ResponseWriter, r *sip.Request) error {
		if r.URI.UserName() != "bob" {
			return sip.StatusNotFound
		}
		return w.Respond(r.Reply(sip.StatusOK))
	})
	var mux sip.Mux
	mux.Handle("OPTIONS example.org", sip.Go(door))
	fmt.Println(sip.StatusNotFound)
	// Output: 404 Not Found
}

// URIs are compared as the standard asks.
func ExampleURI_Equal() {
	a := sip.MustParseURI("sip:%61lice@atlanta.com;transport=TCP")
	b := sip.MustParseURI("sip:alice@AtlanTa.CoM;Transport=tcp")
	fmt.Println(a.Equal(b), a.AOR())
	// Output: true sip:alice@atlanta.com
}
