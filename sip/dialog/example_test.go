package dialog_test

import (
	"fmt"
	"log"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// A dialog is data: from an INVITE and its answer come all requests of the call.
func ExampleNewUAC() {
	invite, err := sip.ParseRequest([]byte(strings.ReplaceAll(`INVITE sip:bob@biloxi.example.com SIP/2.0
From: <sip:alice@atlanta.example.com>;tag=9fxced76sl
To: <sip:bob@biloxi.example.com>
Call-ID: 3848276298220188511@atlanta.example.com
CSeq: 1 INVITE

`, "\n", "\r\n")))
	if err != nil {
		log.Fatal(err)
	}
	answer := invite.Reply(sip.StatusOK)
	answer.Set(sip.HeaderTo, "<sip:bob@biloxi.example.com>;tag=8321234356")
	answer.Set(sip.HeaderContact, "<sip:bob@192.0.2.4>")
	answer.Add(sip.HeaderRecordRoute, "<sip:ss1.example.com;lr>")

	d, err := dialog.NewUAC(invite, answer)
	if err != nil {
		log.Fatal(err)
	}
	bye := d.Request(sip.MethodBye)
	fmt.Println(d.State)
	fmt.Println(bye.Method, bye.URI, bye.Get(sip.HeaderRoute), bye.Get(sip.HeaderCSeq))
	// Output:
	// confirmed
	// BYE sip:bob@192.0.2.4 <sip:ss1.example.com;lr> 2 BYE
}

// An owner is told what becomes of its call, and gives orders: this one lets every call ring and answers it.
func ExampleOwnerFunc() {
	answer := dialog.OwnerFunc(func(u *dialog.Usage, ev dialog.Event) {
		switch ev := ev.(type) {
		case dialog.Offer:
			_ = u.Refuse(sip.StatusNotAcceptableHere)
		case dialog.Ended:
			fmt.Println("over:", ev.Cause)
		}
	})
	calls := new(dialog.Table)
	calls.Next = sip.EventHandlerFunc(func(ev *sip.Event) {
		if u, err := calls.Incoming(ev, answer); err == nil {
			_ = u.Provisional(sip.StatusRinging, dialog.Body{})
			_ = u.Answer(dialog.SDP([]byte("v=0\r\n")))
		}
	})
	// A stack.Stack with calls as its Handler does the rest.
	fmt.Println(calls.Len(), "calls")
	// Output: 0 calls
}
