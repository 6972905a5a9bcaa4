package ice

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/pion/stun/v4"

	frame "github.com/sipwerk/sipwerk/media/stun"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	vectorPwd     = "VOkJxbRl1RmTxUk/WvJxBt"
	vectorRequest = `00010058 2112a442 b7e7a701 bc34d686 fa87dfae 80220010 5354554e 20746573 7420636c 69656e74 00240004 6e0001ff 80290008 932ff9b1
		51263b36 00060009 6576746a 3a683676 59202020 00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2 80280004 e57a3bcf`
	vectorResponse = `0101003c 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220 00200008 0001a147 e112a643
		00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7 80280004 c07d4c96`
)

// TestVectors: RFC 5769 §2.1, RFC 5769 §2.2.
func TestVectors(t *testing.T) {
	b := unhex(t, vectorRequest)
	us, them := Credentials{Ufrag: "evtj", Pwd: vectorPwd}, Credentials{Ufrag: "h6vY"}
	r, ok := readRequest(b, us, them)
	if !ok || r.priority != 0x6e0001ff || r.role != stun.AttrICEControlled || r.breaker != 0x932ff9b151263b36 || r.nominate {
		t.Errorf("%+v, %v", r, ok)
	}
	if _, ok := readRequest(b, us, Credentials{}); !ok {
		t.Error("refused before the peer's fragment is known")
	}
	for name, c := range map[string][2]Credentials{
		"password": {{Ufrag: "evtj", Pwd: vectorPwd + "x"}, them},
		"ours":     {{Ufrag: "evtk", Pwd: vectorPwd}, them},
		"theirs":   {us, {Ufrag: "h6vX"}},
	} {
		if _, ok := readRequest(b, c[0], c[1]); ok {
			t.Errorf("taken with wrong %s", name)
		}
	}
	for i := range b {
		bad := append([]byte(nil), b...)
		bad[i] ^= 1
		// The type of the last attribute, FINGERPRINT, is not protected, and what follows the integrity is skipped: RFC 8489 §14.5.
		if _, ok := readRequest(bad, us, them); ok && i != len(b)-8 && i != len(b)-7 {
			t.Errorf("taken with byte %d changed", i)
		}
	}
	answer, ok := readResponse(unhex(t, vectorResponse), vectorPwd)
	if !ok || answer.mapped != netip.MustParseAddrPort("192.0.2.1:32853") || answer.id != r.id {
		t.Errorf("%+v, %v", answer, ok)
	}
	if _, ok := readResponse(unhex(t, vectorResponse), "another"); ok {
		t.Error("an answer is taken with a wrong password")
	}
}

func FuzzMessage(f *testing.F) {
	f.Add(unhex(f, vectorRequest))
	f.Add(unhex(f, vectorResponse))
	f.Fuzz(func(t *testing.T, b []byte) {
		ours, ok := frame.Ufrag(b)
		if r, good := readRequest(b, Credentials{Ufrag: "evtj", Pwd: vectorPwd}, Credentials{}); good && ok && string(ours) != "evtj" && len(b) <= frame.MaxSize {
			t.Errorf("for %q, and taken: %+v", ours, r)
		}
		readResponse(b, vectorPwd)
		readResponse(b, "")
	})
}
