package b2bua_test

import (
	"fmt"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/stack"
)

// office knows one account with one telephone.
type office struct{}

func (office) Route(q *b2bua.Question) b2bua.Route {
	if q.Request.URI.UserName() != "reception" {
		return b2bua.Route{}
	}
	return b2bua.Route{Account: q.Request.URI}
}

func (office) Lookup(sip.URI) []b2bua.Binding {
	return []b2bua.Binding{{Target: sip.MustParseURI("sip:reception@192.0.2.7")}}
}

// A stack whose calls go through a B2BUA; it lacks a Listen.
func Example() {
	table := &dialog.Table{Allow: "INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, OPTIONS, INFO, MESSAGE"}
	calls := &b2bua.B2BUA{
		Dialogs: table,
		Media:   &session.Site{Relay: &relay.Relay{Network: network.OS{}, Ports: relay.Ports{Min: 20000, Max: 29999}}},
		Router:  office{},
		Locator: office{},
	}
	table.Next = calls
	s := &stack.Stack{Handler: table, FlowLost: table, Network: network.OS{}}
	fmt.Println(s.Handler == sip.EventHandler(table), calls.Calls())
	// Output: true 0
}
