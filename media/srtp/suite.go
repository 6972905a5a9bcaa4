package srtp

// The crypto suites: names, sizes, and which come first.

// A Suite is how packets are encrypted and authenticated. The zero Suite is none.
type Suite uint8

// The suites that we take. AES-GCM comes first: one pass over the packet instead of two, and a third of the time.
const (
	AEAD128GCM    Suite = iota + 1 // AEAD_AES_128_GCM, RFC 7714 §14.2
	AEAD256GCM                     // AEAD_AES_256_GCM, RFC 7714 §14.2
	AES128CMSHA80                  // AES_CM_128_HMAC_SHA1_80, RFC 4568 §6.2.1
	AES128CMSHA32                  // AES_CM_128_HMAC_SHA1_32, RFC 4568 §6.2.2
)

// shape is the sizes of a suite in bytes.
type shape struct {
	name      string
	key, salt int // of the master key
	tag       int // behind RTP
	gcm       bool
}

// controlTag is the size of the tag behind RTCP with counter mode, whatever RTP has: RFC 4568 §6.2.2.
const controlTag = 10

var shapes = [...]shape{
	AEAD128GCM:    {name: "AEAD_AES_128_GCM", key: 16, salt: 12, tag: 16, gcm: true},
	AEAD256GCM:    {name: "AEAD_AES_256_GCM", key: 32, salt: 12, tag: 16, gcm: true},
	AES128CMSHA80: {name: "AES_CM_128_HMAC_SHA1_80", key: 16, salt: 14, tag: 10},
	AES128CMSHA32: {name: "AES_CM_128_HMAC_SHA1_32", key: 16, salt: 14, tag: 4},
}

// Suites returns what we take, the one we like best first.
func Suites() []Suite { return []Suite{AEAD128GCM, AEAD256GCM, AES128CMSHA80, AES128CMSHA32} }

// ParseSuite returns the suite of that name in an a=crypto attribute; false if we do not take it.
func ParseSuite(name string) (Suite, bool) {
	for _, s := range Suites() {
		if shapes[s].name == name {
			return s, true
		}
	}
	return 0, false
}

// String returns the name in an a=crypto attribute.
func (s Suite) String() string {
	if !s.valid() {
		return "none"
	}
	return shapes[s].name
}

// KeySize and SaltSize are the sizes of the master key and the master salt in bytes; 0 for the zero Suite.
func (s Suite) KeySize() int { return s.shape().key }

// SaltSize is the size of the master salt in bytes.
func (s Suite) SaltSize() int { return s.shape().salt }

func (s Suite) valid() bool { return s > 0 && int(s) < len(shapes) }

func (s Suite) shape() shape {
	if !s.valid() {
		return shape{}
	}
	return shapes[s]
}
