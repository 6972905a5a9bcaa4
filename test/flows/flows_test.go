// Package flows plays the call flows of RFC 3665, RFC 5359 and RFC 5589 in virtual time, between two user agents and through the server, on a good network and on a bad one.
package flows

import (
	"flag"
	"slices"
	"testing"

	"github.com/sipwerk/sipwerk/sip/siptest"
)

var _ = flag.Bool("update", false, "write the golden ladders")

// allFlows are those of this package.
func allFlows() []siptest.Flow {
	return slices.Concat(userAgentFlows(), extensionFlows(), serverFlows(), serviceFlows())
}

// TestFlows compares each flow on a good network with its golden ladder.
func TestFlows(t *testing.T) {
	siptest.RunFlows(t, allFlows())
}

// TestFlowsOverBadNetwork plays each flow with loss, duplication and reordering: every call ends in the same state.
func TestFlowsOverBadNetwork(t *testing.T) {
	siptest.RunFlowsBadly(t, allFlows())
}
