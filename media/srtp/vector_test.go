package srtp

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// roomy returns a copy of b with the capacity that sealing needs.
func roomy(b []byte) []byte { return append(make([]byte, 0, len(b)+Overhead), b...) }

// TestKeyStream: RFC 3711 §B.2.
func TestKeyStream(t *testing.T) {
	c, err := newCounterMode(unhex(t, "2B7E151628AED2A6ABF7158809CF4F3C"), nil, unhex(t, "F0F1F2F3F4F5F6F7F8F9FAFBFCFD"), 10)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 0xff02*16)
	c.crypt(got, 0, 0)
	for at, want := range map[int]string{
		0:      "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0",
		0xfeff: "EC8CDF7398607CB0F2D21675EA9EA1E4 362B7C3C6773516318A077D7FC5073AE 6A2CC3787889374FBEB4C81B17BA6C44",
	} {
		if w := unhex(t, want); !bytes.Equal(got[at*16:][:48], w) {
			t.Errorf("block %x: %X", at, got[at*16:][:48])
		}
	}
}

// TestDerivation: RFC 3711 §B.3.
func TestDerivation(t *testing.T) {
	k := Key{Suite: AES128CMSHA80, Secret: unhex(t, "E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6")}
	for label, want := range map[byte]string{
		labelCipher: "C61E7A93744F39EE10734AFE3FF7A087",
		labelSalt:   "30CBBC08863D8C85D49DB34A9AE1",
		labelAuth:   "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4",
	} {
		w := unhex(t, want)
		if got := k.derive(label, len(w)); !bytes.Equal(got, w) {
			t.Errorf("label %d: %X, want %X", label, got, w)
		}
	}
}

// gcmVectors are RFC 7714 §16.1.1, RFC 7714 §16.2.1 and RFC 7714 §17.1, RFC 7714 §17.3: session keys, so that nothing is derived.
var gcmVectors = []struct {
	name, key, plain, sealed string
	control                  bool
	index                    uint64
}{
	{
		name: "RTP, 128", key: "000102030405060708090a0b0c0d0e0f", index: 0xf17b,
		plain:  "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e20706172746573207472 6573",
		sealed: "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce",
	},
	{
		name: "RTP, 256", key: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", index: 0xf17b,
		plain:  "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e20706172746573207472 6573",
		sealed: "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
	},
	{
		name: "RTCP, 128", key: "000102030405060708090a0b0c0d0e0f", control: true, index: 0x5d4,
		plain:  "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
		sealed: "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4",
	},
	{
		name: "RTCP, 256", key: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", control: true, index: 0x5d4,
		plain:  "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
		sealed: "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4",
	},
}

func TestGCMVectors(t *testing.T) {
	for _, v := range gcmVectors {
		t.Run(v.name, func(t *testing.T) {
			g, err := newGCM(unhex(t, v.key), unhex(t, "517569642070726f2071756f"))
			if err != nil {
				t.Fatal(err)
			}
			plain := unhex(t, v.plain)
			p, ok := new(direction).parse(plain, v.control)
			if !ok {
				t.Fatal("not read")
			}
			p.index = v.index
			got := g.seal(roomy(plain), p)
			if !bytes.Equal(got, unhex(t, v.sealed)) {
				t.Fatalf("sealed %x", got)
			}
			if v.control {
				got = got[:len(got)-4]
			}
			if back, ok := g.open(got, p); !ok || !bytes.Equal(back, plain) {
				t.Errorf("opened %x, %v", back, ok)
			}
		})
	}
}

// TestCounterVectors are whole packets with the keys of RFC 3711 §B.3, as other implementations seal them.
func TestCounterVectors(t *testing.T) {
	secret := unhex(t, "E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6")
	k := Key{Suite: AES128CMSHA80, Secret: secret}
	c, err := New(k, k)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := c.Seal(roomy(unhex(t, "800f1234decafbadcafebabe abababababababababababababababab")), false)
	if want := unhex(t, "800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb"); !ok || !bytes.Equal(got, want) {
		t.Errorf("RTP %x, want %x", got, want)
	}
	report := unhex(t, "81c8000bcafebabe abababababababababababababababab")
	if _, ok := c.Seal(roomy(report), true); !ok { // the vector has index 1
		t.Fatal("not sealed")
	}
	got, ok = c.Seal(roomy(report), true)
	if want := unhex(t, "81c8000bcafebabe 7128035be487b9bdbef89041f977a5a8 80000001 993e08cd54d6c1230798"); !ok || !bytes.Equal(got, want) {
		t.Errorf("RTCP %x, want %x", got, want)
	}
	if plain, ok := c.Open(got, true); !ok || !bytes.Equal(plain, report) {
		t.Errorf("opened %x, %v", plain, ok)
	}
}
