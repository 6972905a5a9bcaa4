package ice

// Our address as a STUN server sees it. RFC 8445 §5.1.1.2.

import (
	"net/netip"
	"time"

	"github.com/pion/stun/v4"
)

// maxServers is how many STUN servers are asked.
const maxServers = 4

// inquiry is a request to a STUN server.
type inquiry struct {
	server netip.AddrPort
	check  check
}

// ask begins to ask a server.
func (i *inquiry) ask(now time.Time, a *agenda) datagram {
	a.draw(i.check.id[:])
	i.check.sent = build(stun.NewTransactionIDSetter(i.check.id), stun.BindingRequest, stun.Fingerprint)
	i.check.tries, i.check.due = 1, now.Add(rto)
	return datagram{i.server, i.check.sent}
}

// tick repeats the request; false: the server does not answer.
func (i *inquiry) tick(now time.Time) (again *datagram, alive bool) {
	if now.Before(i.check.due) {
		return nil, true
	}
	if i.check.tries == maxTries {
		return nil, false
	}
	i.check.tries++
	i.check.due = now.Add(i.check.wait())
	return &datagram{i.server, i.check.sent}, true
}

// answer reads what the server says; false: it is not the answer to this request.
func (i *inquiry) answer(b []byte, from netip.AddrPort) (seen netip.AddrPort, ok bool) {
	if from != i.server || transactionOf(b) != i.check.id {
		return netip.AddrPort{}, false
	}
	r, ok := readResponse(b, "")
	return r.mapped, ok
}
