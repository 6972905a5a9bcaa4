package srtp

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"
)

const (
	secret30 = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz" // RFC 4568 §9.1
	secret28 = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nw=="
	secret44 = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM="
)

// cryptoValues: RFC 4568 §6.1, RFC 4568 §9.2. want is what is printed; empty: as it came. err: it is refused.
var cryptoValues = []struct {
	value, want string
	err         error
}{
	{value: "1 AES_CM_128_HMAC_SHA1_80 inline:" + secret30},
	{value: "1 AES_CM_128_HMAC_SHA1_80 inline:" + secret30 + "|2^20|1:4"},
	{value: "2 AES_CM_128_HMAC_SHA1_32 inline:" + secret30 + "|1:1"},
	{value: "3 AEAD_AES_128_GCM inline:" + secret28 + "|2^48"},
	{value: "999999999 AEAD_AES_256_GCM inline:" + secret44 + "|1000"},
	{value: "1 AES_CM_128_HMAC_SHA1_80 inline:" + secret30 + "|1:12"},
	{"3 AEAD_AES_128_GCM INLINE:" + secret28[:38] + "|1024  WSH=128 -new KDR=0", "3 AEAD_AES_128_GCM inline:" + secret28 + "|2^10", nil},
	{value: "", err: ErrCrypto},
	{value: "1 AES_CM_128_HMAC_SHA1_80", err: ErrCrypto},
	{value: "x AES_CM_128_HMAC_SHA1_80 inline:" + secret30, err: ErrCrypto},
	{value: "-1 AES_CM_128_HMAC_SHA1_80 inline:" + secret30, err: ErrCrypto},
	{value: "1000000000 AES_CM_128_HMAC_SHA1_80 inline:" + secret30, err: ErrCrypto},
	{value: "1 F8_128_HMAC_SHA1_80 inline:" + secret30, err: ErrSuite},
	{value: "1 AES_256_CM_HMAC_SHA1_80 inline:" + secret44, err: ErrSuite},
	{value: "1 NULL_HMAC_SHA1_80 inline:" + secret30, err: ErrSuite},
	{value: "1 AES_CM_128_HMAC_SHA1_80 inline:" + secret28, err: ErrKey},
	{value: "1 AEAD_AES_128_GCM inline:" + secret30, err: ErrKey},
	{value: "1 AES_CM_128_HMAC_SHA1_80 inline:", err: ErrKey},
	{value: "1 AES_CM_128_HMAC_SHA1_80 inline:#" + secret30[1:], err: ErrKey},
	{value: "1 AES_CM_128_HMAC_SHA1_80 outline:" + secret30, err: ErrCrypto},
	{value: "1 AES_CM_128_HMAC_SHA1_80 inline:" + secret30 + "|1:4;inline:" + secret30 + "|2:4", err: ErrCrypto},
	{value: "1 AES_CM_128_HMAC_SHA1_80 inline:" + secret30 + "|2^49", err: ErrCrypto},
	{value: "1 AES_CM_128_HMAC_SHA1_80 inline:" + secret30 + "|2^64", err: ErrCrypto},
	{value: "1 AES_CM_128_HMAC_SHA1_80 inline:" + secret30 + "|0", err: ErrCrypto},
	{value: "1 AES_CM_128_HMAC_SHA1_80 inline:" + secret30 + "|1:0", err: ErrCrypto},
	{value: "1 AES_CM_128_HMAC_SHA1_80 inline:" + secret30 + "|1:129", err: ErrCrypto},
	{value: "1 AES_CM_128_HMAC_SHA1_80 inline:" + secret30 + "|256:1", err: ErrCrypto},
	{value: "1 AES_CM_128_HMAC_SHA1_80 inline:" + secret30 + "|2^20|1:4|5", err: ErrCrypto},
	{value: "1 AES_CM_128_HMAC_SHA1_80 inline:" + secret30 + " UNENCRYPTED_SRTP", err: ErrSession},
	{value: "1 AES_CM_128_HMAC_SHA1_80 inline:" + secret30 + " UNAUTHENTICATED_SRTP", err: ErrSession},
	{value: "1 AES_CM_128_HMAC_SHA1_80 inline:" + secret30 + " UNENCRYPTED_SRTCP", err: ErrSession},
	{value: "1 AES_CM_128_HMAC_SHA1_80 inline:" + secret30 + " KDR=1", err: ErrSession},
	{value: "1 AES_CM_128_HMAC_SHA1_80 inline:" + secret30 + " FUTURE=1", err: ErrSession},
}

func TestParseCrypto(t *testing.T) {
	for _, v := range cryptoValues {
		c, err := ParseCrypto(v.value)
		if !errors.Is(err, v.err) || (err == nil) != (v.err == nil) {
			t.Errorf("%q: error %v, want %v", v.value, err, v.err)
			continue
		}
		want := v.want
		if want == "" {
			want = v.value
		}
		if err == nil && c.String() != want {
			t.Errorf("%q: printed %q", v.value, c)
		}
	}
}

func TestMKIBytes(t *testing.T) {
	c, err := ParseCrypto("1 AES_CM_128_HMAC_SHA1_80 inline:" + secret30 + "|258:3")
	if err != nil || !bytes.Equal(c.Key.MKI, []byte{0, 1, 2}) {
		t.Errorf("MKI %x, %v", c.Key.MKI, err)
	}
	if secret, _ := base64.StdEncoding.DecodeString(secret30); !bytes.Equal(c.Key.Secret, secret) {
		t.Errorf("secret %x", c.Key.Secret)
	}
}

// TestOfferAndChoose: RFC 4568 §5.1.1, RFC 4568 §5.1.2; GCM wins wherever the peer puts it, and an answer keeps the tag.
func TestOfferAndChoose(t *testing.T) {
	offer, err := Offer(seeded(1))
	if err != nil || len(offer) != len(Suites()) {
		t.Fatal(offer, err)
	}
	theirs, ours, ok := Choose([]Crypto{offer[2], offer[0]}, seeded(2))
	if !ok || theirs.Tag != 1 || ours.Tag != 1 || ours.Key.Suite != AEAD128GCM || ours.Key.Equal(theirs.Key) {
		t.Errorf("chose %v, answered %v", theirs, ours)
	}
	a, b := cipherOf(t, theirs.Key, ours.Key), cipherOf(t, ours.Key, theirs.Key)
	if !opens(b, seal(t, a, rtpPacket(1, 2), false), false) {
		t.Error("the two do not understand each other")
	}
	if _, _, ok := Choose(nil, seeded(1)); ok {
		t.Error("chose from nothing")
	}
	if _, _, ok := Choose(offer, bytes.NewReader(nil)); ok {
		t.Error("chose a key without randomness")
	}
	if _, err := Offer(bytes.NewReader(nil)); err == nil {
		t.Error("offered keys without randomness")
	}
	if offer[0].Key.Equal(offer[1].Key) || !offer[0].Key.Equal(offer[0].Key) {
		t.Error("keys compare wrong")
	}
}

func FuzzCrypto(f *testing.F) {
	for _, v := range cryptoValues {
		f.Add(v.value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		c, err := ParseCrypto(value)
		if err != nil {
			return
		}
		again, err := ParseCrypto(c.String())
		if err != nil || !again.Key.Equal(c.Key) || again.Tag != c.Tag || again.Key.Lifetime != c.Key.Lifetime {
			t.Errorf("%q: printed %q, which reads %v, %v", value, c, again, err)
		}
	})
}
