// Command registrar lets the telephones of one domain register and call each other: `go run ./examples/registrar`.
package main

import (
	"context"
	"log"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/service/registrar"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/digest"
	"github.com/sipwerk/sipwerk/sip/stack"
)

func main() {
	s := server("example.org", people{"alice": "wonderland", "bob": "builder"})
	log.Fatal(s.ListenAndServe(context.Background(), "udp://:5060", "tcp://:5060"))
}

func server(domain string, accounts people) *stack.Stack {
	mux, dialogs := new(sip.Mux), new(dialog.Table)
	reg := &registrar.Registrar{Accounts: accounts}
	media := &session.Site{Relay: &relay.Relay{Network: network.OS{}}}
	mux.Handle("REGISTER "+domain, reg)
	mux.Handle("INVITE "+domain, &b2bua.B2BUA{Dialogs: dialogs, Media: media, Router: accounts, Locator: locator{reg}})
	dialogs.Next = &digest.Authenticator{Realm: domain, Accounts: accounts, Next: mux}
	lost := sip.EventHandlerFunc(func(ev *sip.Event) {
		dialogs.HandleEvent(ev)
		reg.FlowLost(ev.Flow)
	})
	return &stack.Stack{Handler: dialogs, FlowLost: lost}
}
