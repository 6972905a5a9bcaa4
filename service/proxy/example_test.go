package proxy_test

import (
	"fmt"

	"github.com/sipwerk/sipwerk/service/proxy"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/stack"
)

// office is a domain of one person with two telephones: the one on the desk rings first.
type office struct{}

func (office) Serves(uri sip.URI) bool { return uri.Host == "example.org" }

func (office) Locate(f *proxy.Found, uri sip.URI) sip.Status {
	if uri.UserName() != "reception" {
		return sip.StatusNotFound
	}
	f.Targets = append(f.Targets,
		proxy.Target{URI: sip.MustParseURI("sip:reception@192.0.2.7"), Q: 1000},
		proxy.Target{URI: sip.MustParseURI("sip:reception@192.0.2.8"), Q: 500})
	return 0
}

// A stack that forwards; it lacks a Listen. Without Next everybody may call the people of the domain, and nobody anyone else.
func Example() {
	s := new(stack.Stack)
	p := &proxy.Proxy{Locator: office{}}
	s.Handler = p
	p.Addresses = s.Transport()
	fmt.Println(p.Counts().Pending)
	// Output: 0
}
