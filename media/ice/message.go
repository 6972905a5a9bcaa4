package ice

// STUN messages as checks need them. RFC 8489 §5, RFC 8489 §14; RFC 8445 §7.1.

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"github.com/pion/stun/v4"

	frame "github.com/sipwerk/sipwerk/media/stun"
)

// transactionOf returns the transaction of a message that is framed as one.
func transactionOf(b []byte) [stun.TransactionIDSize]byte {
	return [stun.TransactionIDSize]byte(b[8:frame.HeaderSize])
}

// request is what a check of the peer says.
type request struct {
	id       [stun.TransactionIDSize]byte
	priority uint32
	nominate bool
	role     stun.AttrType // AttrICEControlling or AttrICEControlled; 0: neither
	breaker  uint64
}

// readRequest reads a binding request that is protected with our password. Anything else is false, and gets no answer: a media port
// does not talk to strangers.
//
// Deviates: RFC 8489 §9.1.3 wants 400 and 401.
func readRequest(b []byte, local, remote Credentials) (request, bool) {
	m := stun.Message{Raw: append([]byte(nil), b...)}
	if m.Decode() != nil || stun.NewShortTermIntegrity(local.Pwd).Check(&m) != nil {
		return request{}, false
	}
	if m.Contains(stun.AttrFingerprint) && stun.Fingerprint.Check(&m) != nil {
		return request{}, false
	}
	name, err := m.Get(stun.AttrUsername)
	ours, theirs, ok := bytes.Cut(name, []byte{':'})
	if err != nil || !ok || string(ours) != local.Ufrag || remote.Ufrag != "" && string(theirs) != remote.Ufrag {
		return request{}, false
	}
	r := request{id: m.TransactionID, nominate: m.Contains(stun.AttrUseCandidate)}
	if v, err := m.Get(stun.AttrPriority); err == nil && len(v) == 4 {
		r.priority = binary.BigEndian.Uint32(v)
	}
	for _, role := range [...]stun.AttrType{stun.AttrICEControlling, stun.AttrICEControlled} {
		if v, err := m.Get(role); err == nil && len(v) == 8 {
			r.role, r.breaker = role, binary.BigEndian.Uint64(v)
		}
	}
	return r, true
}

// response is the answer to a check of ours.
type response struct {
	id     [stun.TransactionIDSize]byte
	code   int            // of an error; 0: success
	mapped netip.AddrPort // where the peer saw us
}

// readResponse reads an answer that is protected with pwd; an empty one is that of a server that has none.
func readResponse(b []byte, pwd string) (response, bool) {
	m := stun.Message{Raw: append([]byte(nil), b...)}
	if m.Decode() != nil || pwd != "" && stun.NewShortTermIntegrity(pwd).Check(&m) != nil {
		return response{}, false
	}
	r := response{id: m.TransactionID}
	if m.Type.Class == stun.ClassErrorResponse {
		var code stun.ErrorCodeAttribute
		if code.GetFrom(&m) != nil {
			return r, false
		}
		r.code = int(code.Code)
		return r, true
	}
	var mapped stun.XORMappedAddress
	if mapped.GetFrom(&m) != nil {
		return r, false
	}
	if a, ok := netip.AddrFromSlice(mapped.IP); ok {
		r.mapped = netip.AddrPortFrom(a.Unmap(), uint16(mapped.Port))
	}
	return r, true
}

// attribute is one that the library has no type for.
type attribute struct {
	typ   stun.AttrType
	value []byte
}

// AddTo implements stun.Setter.
func (a attribute) AddTo(m *stun.Message) error {
	m.Add(a.typ, a.value)
	return nil
}

func number32(typ stun.AttrType, v uint32) attribute {
	return attribute{typ, binary.BigEndian.AppendUint32(nil, v)}
}

func number64(typ stun.AttrType, v uint64) attribute {
	return attribute{typ, binary.BigEndian.AppendUint64(nil, v)}
}

// build prints a message; setters of ours do not fail.
func build(setters ...stun.Setter) []byte {
	m, err := stun.Build(setters...)
	if err != nil {
		return nil
	}
	return m.Raw
}

// success answers a check. RFC 8445 §7.3.1.
func success(id [stun.TransactionIDSize]byte, to netip.AddrPort, pwd string) []byte {
	return build(stun.NewTransactionIDSetter(id), stun.BindingSuccess,
		&stun.XORMappedAddress{IP: to.Addr().AsSlice(), Port: int(to.Port())}, stun.NewShortTermIntegrity(pwd), stun.Fingerprint)
}

// conflict answers a check whose sender has the role that is ours. RFC 8445 §7.3.1.1.
func conflict(id [stun.TransactionIDSize]byte, pwd string) []byte {
	return build(stun.NewTransactionIDSetter(id), stun.BindingError, stun.CodeRoleConflict, stun.NewShortTermIntegrity(pwd), stun.Fingerprint)
}
