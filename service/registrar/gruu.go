// GRUUs: addresses of one device. The public one names the instance; a temporary one says nothing to anybody but this registrar, and no two of one device can be
// told to belong together. RFC 5627 §3, §5.
//
// Nothing is stored for a temporary GRUU: it holds, encrypted, whose it is and of which registration (Call-ID). It is good as long as that registration.

package registrar

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

const (
	tokenPrefix = "tgruu." // as in the examples of RFC 5627 §3.1.2
	tokenSeal   = 16       // bytes in front that seal the rest and begin its encryption
	tokenFixed  = 16       // behind the name: instance, registration, CSeq
	tokenStep   = 16       // the name is filled up to a multiple, so that its length tells little
)

// mint makes temporary GRUUs and reads them.
type mint struct {
	block cipher.Block
	seal  []byte
}

// newMint makes one for a key; without a key the GRUUs end with the process.
func newMint(key []byte) mint {
	if key == nil {
		key = make([]byte, 32)
		rand.Read(key)
	}
	block, err := aes.NewCipher(derive(key, "encrypt")[:16])
	if err != nil {
		panic(err) // a key of 16 bytes is one
	}
	return mint{block: block, seal: derive(key, "seal")}
}

func derive(key []byte, use string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("sipwerk gruu " + use))
	return h.Sum(nil)
}

// claim is what a temporary GRUU holds: the user part of the address-of-record, and the registration of the device.
type claim struct {
	user                   string
	instance, registration uint32
}

// claimOf returns that of a binding of a user.
func claimOf(user string, b *Binding) claim {
	return claim{user, digest32(b.Instance), digest32(b.CallID)}
}

func digest32(s string) uint32 {
	sum := sha256.Sum256([]byte(s))
	return binary.BigEndian.Uint32(sum[:])
}

// sign returns the seal of a text for a host.
func (m *mint) sign(plain []byte, host string) []byte {
	h := hmac.New(sha256.New, m.seal)
	h.Write(plain)
	h.Write([]byte(host))
	return h.Sum(nil)[:tokenSeal]
}

// token makes the user part of a temporary GRUU for a host. The CSeq makes it another one for each REGISTER, and the same for a copy of it.
func (m *mint) token(c claim, cseq uint32, host string) string {
	size := (len(c.user) + 1 + tokenStep - 1) / tokenStep * tokenStep
	plain := make([]byte, size, size+tokenFixed)
	plain[copy(plain, c.user)] = 1 // marks the end of the name
	plain = binary.BigEndian.AppendUint32(plain, c.instance)
	plain = binary.BigEndian.AppendUint32(plain, c.registration)
	plain = binary.BigEndian.AppendUint64(plain, uint64(cseq))
	sealed := append(m.sign(plain, host), plain...)
	cipher.NewCTR(m.block, sealed[:tokenSeal]).XORKeyStream(sealed[tokenSeal:], plain)
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(sealed)
}

// read takes a token apart; ok is false if it is none of ours.
func (m *mint) read(user, host string) (c claim, ok bool) {
	code, ok := strings.CutPrefix(user, tokenPrefix)
	if !ok || len(code) > 4*maxContact {
		return c, false
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(code)
	if err != nil || len(sealed) < tokenSeal+tokenFixed {
		return c, false
	}
	plain := sealed[tokenSeal:]
	cipher.NewCTR(m.block, sealed[:tokenSeal]).XORKeyStream(plain, plain)
	if !hmac.Equal(m.sign(plain, host), sealed[:tokenSeal]) {
		return c, false
	}
	name, fixed := plain[:len(plain)-tokenFixed], plain[len(plain)-tokenFixed:]
	name = []byte(strings.TrimRight(string(name), "\x00"))
	if len(name) == 0 {
		return c, false
	}
	return claim{string(name[:len(name)-1]), binary.BigEndian.Uint32(fixed), binary.BigEndian.Uint32(fixed[4:])}, true
}

// appendGRUUs appends the parameters that tell the owner of a binding by what it can be called: RFC 5627 §5.3. The temporary one goes to the device that registers.
func (r *Registrar) appendGRUUs(b []byte, w *work, v *Binding, own bool) []byte {
	aor, err := sip.ParseURI(text(w.name))
	if err != nil {
		return b
	}
	public, ok := publicGRUU(aor, v)
	if !ok {
		return b
	}
	b = append(append(append(b, `;pub-gruu="`...), public...), '"')
	if !own || v.bulk() {
		return b
	}
	return append(append(append(b, `;temp-gruu="`...), r.temporaryGRUU(aor, v)...), '"')
}

// publicGRUU returns the one that names the device of a binding of aor, which has no parameters. ok is false if it names none.
func publicGRUU(aor sip.URI, v *Binding) (_ string, ok bool) {
	if v.Instance == "" {
		return "", false
	}
	if aor.Params = sip.Params(";gr=" + v.Instance); v.bulk() {
		// RFC 6140 §7.1.1: a pattern, into which the system writes its numbers.
		aor.User, aor.Params = "", ";bnc"+aor.Params
	}
	s := aor.String()
	return s, strings.HasSuffix(s, v.Instance) // otherwise it is an instance that no URI can hold
}

// temporaryGRUU returns the one that the registration of a binding of aor has got last.
func (r *Registrar) temporaryGRUU(aor sip.URI, v *Binding) string {
	aor.User, aor.Params = r.mint.token(claimOf(aor.User, v), v.CSeq, aor.Host), ";gr"
	return aor.String()
}

// Resolve returns the address-of-record that a Request-URI stands for, by [Accounts], a temporary GRUU included. What a GRUU says of the device stays in it, as gr
// parameter, and what the number that was called in another one: give it to [Registrar.Lookup] as it is. known is false for nobody; it is false too for a temporary GRUU that has ended (RFC 5627 §5.4).
func (r *Registrar) Resolve(uri sip.URI) (aor sip.URI, known bool) {
	r.start()
	instance, gruu := uri.GRUU()
	if gruu && instance == "" {
		return r.unmask(uri)
	}
	if aor, known = r.Accounts.AOR(uri); !known {
		return aor, false
	}
	if gruu {
		aor.Params = sip.Params(";gr=" + instance)
	}
	mark(&aor, uri)
	return aor, true
}

// unmask returns whose a temporary GRUU is.
func (r *Registrar) unmask(uri sip.URI) (aor sip.URI, known bool) {
	host := strings.ToLower(uri.Host)
	c, ok := r.mint.read(uri.User, host)
	if !ok {
		return sip.URI{}, false
	}
	if aor, known = r.Accounts.AOR(sip.URI{Scheme: "sip", User: c.user, Host: host}); !known {
		return sip.URI{}, false
	}
	var res Result
	r.find(&res, aor)
	for i := range res.Bindings {
		b := &res.Bindings[i]
		if b.Instance != "" && claimOf(c.user, b) == c {
			aor.Params = sip.Params(";gr=" + b.Instance)
			return aor, true
		}
	}
	return sip.URI{}, false
}

// isLoop reports whether a contact is an address of the one who registers it: requests to it would come back for ever. RFC 5627 §5.1.
func (r *Registrar) isLoop(w *work, contact sip.URI) bool {
	if _, gruu := contact.GRUU(); !gruu {
		return false
	}
	aor, known := r.Resolve(contact)
	return known && string(appendName(nil, aor)) == string(w.name)
}
