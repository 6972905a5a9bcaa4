// The audit: when a flow ends, nothing may be left, and nothing illegal may have been said. RFC 3261 §7, §8.1.1.

package siptest

import (
	"bytes"
	"fmt"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// patience is longer than any transaction lives after its last message: twice 64*T1, and a second for what follows.
const patience = 65 * time.Second

// finish waits until every transaction has had its time, audits, and closes the bench. The bubble itself fails the test if a goroutine is left.
func (b *Bench) finish() {
	b.T.Helper()
	synctest.Wait()
	b.Faults(Faults{})
	time.Sleep(patience)
	synctest.Wait()
	var found []string
	for _, p := range b.parts {
		found = append(found, p.audit()...)
	}
	for _, p := range b.parts {
		found = append(found, p.close()...)
	}
	b.Net.Close()
	synctest.Wait()
	found = append(found, b.auditWire()...)
	for _, f := range found {
		b.T.Errorf("audit: %s", f)
	}
	switch {
	case b.Report != nil && len(found) > 0:
		b.Report(found)
	case b.Report == nil && b.T.Failed():
		b.T.Logf("the flow:\n%s", b.Ladder())
	}
}

// auditWire checks each message that can be read and was sent by a part that is not a raw peer.
func (b *Bench) auditWire() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []string
	said := newConduct()
	for _, t := range b.wire {
		if t.crash {
			said.forget(t.from)
		}
		if t.note != "" || t.opaque || b.raw[t.source] {
			continue
		}
		if err := said.judge(t, b.raw[b.addrs[t.to]]); err != nil {
			found = append(found, fmt.Sprintf("%s sent an illegal message at %v: %v\n%s", t.from, t.at, err, t.data))
		}
	}
	return found
}

// judge says what is wrong with a message, by itself or after what its sender has said before. What a raw peer asks, with a branch that it uses twice, is
// answered as it may be.
func (c *conduct) judge(t transmission, toRaw bool) error {
	req, res, err := legal(t.data)
	switch {
	case err != nil:
		return err
	case req != nil:
		return c.asks(t.from, req)
	case res != nil && !toRaw:
		return c.answers(t.from, t.to, res)
	}
	return nil
}

// legal parses and validates one message as strictly as the RFC asks. Both are nil for a keep-alive.
func legal(b []byte) (*sip.Request, *sip.Response, error) {
	if len(bytes.Trim(b, "\r\n")) == 0 {
		return nil, nil, nil
	}
	if sip.IsResponse(b) {
		res, err := sip.ParseResponse(bytes.Clone(b))
		if err != nil {
			return nil, nil, err
		}
		return nil, res, res.Validate()
	}
	req, err := sip.ParseRequest(bytes.Clone(b))
	if err != nil {
		return nil, nil, err
	}
	if err := req.Validate(); err != nil {
		return nil, nil, err
	}
	return req, nil, strict(req)
}

// strict checks what a receiver tolerates and a sender must not do.
func strict(r *sip.Request) error {
	switch via, err := r.Via(); {
	case err != nil:
		return err
	case len(via.Branch()) <= len(sip.MagicCookie) || via.Branch()[:len(sip.MagicCookie)] != sip.MagicCookie:
		return fmt.Errorf("branch %q", via.Branch())
	}
	if !r.Has(sip.HeaderMaxForwards) {
		return fmt.Errorf("no Max-Forwards")
	}
	if r.FromTag() == "" {
		return fmt.Errorf("no From tag")
	}
	if r.Method == sip.MethodInvite && !r.Has(sip.HeaderContact) {
		return fmt.Errorf("no Contact")
	}
	return anyHost(r)
}

// anyHost finds an address that the stack should have completed.
func anyHost(r *sip.Request) error {
	for _, h := range [...]sip.Header{sip.HeaderContact, sip.HeaderRecordRoute, sip.HeaderVia} {
		if bytes.Contains([]byte(r.Get(h)), []byte(sip.AnyHost)) {
			return fmt.Errorf("%s holds %s", h, sip.AnyHost)
		}
	}
	return nil
}
