// Which server transaction a request belongs to, and whether it came by a second way. RFC 3261 §17.2.3, §8.2.2.2.

package transaction

import (
	"encoding/binary"
	"hash/maphash"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// fingerprint stands for the fields that name a server transaction: 64 bits under a secret seed, which nobody can make collide. 0 is none.
type fingerprint uint64

func (t *Table) fingerprint(b []byte) fingerprint {
	return fingerprint(max(maphash.Bytes(t.seed, b), 1))
}

// What a fingerprint is made for comes first in its text.
const (
	forMatch   = 'M' // RFC 3261 §17.2.3, with the cookie
	forOld     = 'O' // RFC 3261 §17.2.3, without: RFC 2543
	forMerged  = 'D' // RFC 3261 §8.2.2.2
	forTag     = 'T' // RFC 3261 §19.3; and the letter behind
	forRefusal = 'X' // the same, of a request that was not let in
)

// field appends a text and a byte that no header field holds.
func field(b []byte, s string) []byte { return append(append(b, s...), 0) }

// matchKey is the fingerprint under which the transaction of req is kept; ACK and CANCEL give that of their INVITE.
func (s *stripe) matchKey(req *sip.Request, via *sip.Via) fingerprint {
	method := req.Method
	if method == sip.MethodAck || method == sip.MethodCancel {
		method = sip.MethodInvite
	}
	branch := via.Branch()
	if unique(branch) {
		return s.table.keyOf(&s.room.text, branch, via, method)
	}
	// The To tag is left out, so that an ACK, which has one, finds its INVITE.
	b := append(s.room.text[:0], forOld)
	b = append(req.URI.AppendTo(b), 0)
	b = s.callFields(b, req)
	b = append(via.AppendTo(b), 0)
	b = field(b, string(method))
	s.room.text = b
	return s.table.fingerprint(b)
}

// unique reports whether a branch names its transaction. RFC 3261 §8.1.1.7.
func unique(branch string) bool {
	return strings.HasPrefix(branch, sip.MagicCookie) && len(branch) > len(sip.MagicCookie)
}

// keyOf is the fingerprint of the transaction that a unique branch names, with room for its text.
func (t *Table) keyOf(room *[]byte, branch string, via *sip.Via, method sip.Method) fingerprint {
	b := append((*room)[:0], forMatch)
	b = field(b, branch)
	b = field(b, via.Host)
	b = binary.BigEndian.AppendUint16(b, via.Port)
	b = field(b, string(method))
	*room = b
	return t.fingerprint(b)
}

// mergedKey is the fingerprint that two copies of a request share which were forked before they came here. The Request-URI and the top Route are
// part of it, so that a request that a proxy sends through us a second time, rewritten, is not taken for one.
func (s *stripe) mergedKey(req *sip.Request) fingerprint {
	b := append(s.room.text[:0], forMerged)
	b = append(req.URI.AppendTo(b), 0)
	b = s.callFields(b, req)
	b = field(b, req.Get(sip.HeaderRoute))
	b = field(b, string(req.Method))
	s.room.text = b
	return s.table.fingerprint(b)
}

func (s *stripe) callFields(b []byte, req *sip.Request) []byte {
	b = field(b, req.FromTag())
	b = field(b, req.CallID())
	cseq, _ := req.CSeq()
	return binary.BigEndian.AppendUint32(b, cseq.Number)
}

// ours reports whether a To tag may be one that appendTag made, and for which stripe.
func (t *Table) ours(tag string) (sip.Stripe, bool) {
	node, stripe, ok := sip.ParseID(tag)
	return stripe, ok && node == t.Node
}

// appendTag appends the To tag for the responses to a request: the same for every copy of it, and for its ACK if that is to a non-2xx, so that nothing needs to be
// kept. key is the request's, and purpose forTag, or forRefusal if nothing was made of it, so that its ACK needs not be looked for either. RFC 3261 §8.2.7, §19.3.
func (t *Table) appendTag(b []byte, purpose byte, n sip.Stripe, key fingerprint) []byte {
	var text [9]byte
	text[8] = purpose
	binary.BigEndian.PutUint64(text[:], uint64(key))
	high := maphash.Bytes(t.seed, text[:])
	text[8]++
	var random [13]byte
	binary.BigEndian.PutUint64(random[:], high)
	binary.BigEndian.PutUint64(random[5:], maphash.Bytes(t.seed, text[:]))
	return sip.AppendID(b, t.Node, n, random)
}
