// Proxies in a row: two of ours and one that no one here wrote, between SIPp and SIPp. RFC 3261 §16; RFC 5393 §3.

package peers

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/test/peers/kamailio"
	"github.com/sipwerk/sipwerk/test/peers/peer"
	"github.com/sipwerk/sipwerk/test/peers/sipp"
)

// The addresses of the chain: everybody has one of loopback, and its port 5060 or one of its own.
const (
	callerIP = "127.0.0.10"
	firstIP  = "127.0.0.11"
	secondIP = "127.0.0.12"
	thirdIP  = "127.0.0.13"
	calleeIP = "127.0.0.14"
)

// relay starts a proxy for the domain that is called like its address.
func relay(t *testing.T, ip string, users ...string) {
	t.Helper()
	program := binary(t)
	data := t.TempDir()
	accounts(t, program, data, ip, users...)
	p, err := peer.Start(t, data, program, "serve", "--data", data, "--domain", ip, "--service", "proxy", "--relay", "yes", "--trust", "127.0.0.0/8",
		"--listen", "udp://"+ip+":5060", "--http", "127.0.0.1:0")
	must(t, "start", err)
	_, err = p.Wait(soon(t), 0, "ready")
	must(t, "ready", err)
}

// bind registers a contact, whoever that is.
func bind(t *testing.T, server, user, contact string) {
	t.Helper()
	c, err := net.Dial("udp", server+":5060")
	must(t, "dial", err)
	defer c.Close()
	text := fmt.Sprintf("REGISTER sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\nFrom: <sip:%[3]s@%[1]s>;tag=1\r\nTo: <sip:%[3]s@%[1]s>\r\n"+
		"Call-ID: %[3]s@bind\r\nCSeq: 1 REGISTER\r\nContact: <%[4]s>\r\nContent-Length: 0\r\n\r\n", server, c.LocalAddr(), user, contact)
	_, err = c.Write([]byte(text))
	must(t, "register", err)
	must(t, "deadline", c.SetReadDeadline(time.Now().Add(patience)))
	b := make([]byte, 4096)
	n, err := c.Read(b)
	if err != nil || !strings.HasPrefix(string(b[:n]), "SIP/2.0 200") {
		t.Fatalf("register %s: %v %s", contact, err, b[:n])
	}
}

// TestChain: INVITE, ACK and BYE go through all three proxies, and back.
func TestChain(t *testing.T) {
	need(t, "sipp", "kamailio")
	relay(t, firstIP)
	relay(t, secondIP, "bob", "loop")
	_, err := kamailio.Start(t, kamailio.Route{IP: thirdIP, User: "bob", To: "sip:bob@" + calleeIP + ":5060", Loop: "sip:loop@" + secondIP})
	must(t, "kamailio", err)
	bind(t, secondIP, "bob", "sip:bob@"+thirdIP)
	bind(t, secondIP, "loop", "sip:loop@"+thirdIP)

	t.Run("call", func(t *testing.T) {
		callee, err := sipp.Start(t, sipp.Side{Scenario: "called_answers", Server: thirdIP + ":5060", Service: "bob", User: "bob", IP: calleeIP, Port: 5060})
		must(t, "callee", err)
		caller, err := sipp.Start(t, sipp.Side{Scenario: "caller_chain", Server: firstIP + ":5060", Domain: secondIP, Service: "bob", User: "alice", IP: callerIP, Port: 5060})
		must(t, "caller", err)
		must(t, "caller", caller.Wait(soon(t)))
		must(t, "callee", callee.Wait(soon(t)))
	})
	// The third proxy sends it back to the second, which has seen it: the 482 comes back through all of them at once, not by Max-Forwards.
	t.Run("loop", func(t *testing.T) {
		caller, err := sipp.Start(t, sipp.Side{Scenario: "caller_loop", Server: firstIP + ":5060", Domain: secondIP, Service: "loop", User: "alice", IP: callerIP, Port: 5060})
		must(t, "caller", err)
		must(t, "caller", caller.Wait(soon(t)))
	})
}
