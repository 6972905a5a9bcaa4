package transport

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"net/netip"
	"testing"
)

// The IPv4 and IPv6 responses of RFC 5769 §2.2 and §2.3, as far as they hold the mapped address.
func TestMappedAddress(t *testing.T) {
	mask, _ := hex.DecodeString("2112a442b7e7a701bc34d686fa87dfae")
	for source, want := range map[string]string{
		"192.0.2.1:32853": "002000080001a147e112a643",
		"[2001:db8:1234:5678:11:2233:4455:6677]:32853": "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9",
	} {
		if got := hex.EncodeToString(appendMapped(nil, mask, netip.MustParseAddrPort(source))); got != want {
			t.Errorf("%s: %s, want %s", source, got, want)
		}
	}
}

// withPrint appends a FINGERPRINT to a STUN message.
func withPrint(b []byte) []byte {
	b = bytes.Clone(b)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)-stunHeader+stunPrintBytes))
	sum := crc32.ChecksumIEEE(b) ^ stunPrintXOR
	b = binary.BigEndian.AppendUint32(b, stunPrint<<16|4)
	return binary.BigEndian.AppendUint32(b, sum)
}

func TestFingerprint(t *testing.T) {
	bare, _ := hex.DecodeString("000100002112a442000102030405060708090a0b")
	source := netip.MustParseAddrPort("192.0.2.1:5060")
	good := withPrint(bare)
	answer := appendSTUN(nil, good, source)
	if len(answer) == 0 || !bytes.Equal(answer, withPrint(answer[:len(answer)-stunPrintBytes])) {
		t.Errorf("answer %x", answer)
	}
	for i := range good {
		if i/2 == stunHeader/2 {
			continue // the attribute would be another one, and may be ignored
		}
		bad := bytes.Clone(good)
		bad[i] ^= 1
		if isSTUN(bad) && len(appendSTUN(nil, bad, source)) > 0 {
			t.Errorf("answered with byte %d changed", i)
		}
	}
}

// FuzzSTUN holds answers to RFC 8489 §5 and to three times the bytes of the question.
func FuzzSTUN(f *testing.F) {
	bare, _ := hex.DecodeString("000100002112a442000102030405060708090a0b")
	f.Add(bare)
	f.Add(withPrint(bare))
	change, _ := hex.DecodeString("000100082112a442000102030405060708090a0b0003000400000006")
	f.Add(change)
	f.Add(withPrint(change))
	source := netip.MustParseAddrPort("[2001:db8::1]:5060")
	f.Fuzz(func(t *testing.T, b []byte) {
		if !isSTUN(b) {
			return
		}
		answer := appendSTUN(nil, b, source)
		if len(answer) == 0 {
			return
		}
		// Not an amplifier, and an answer that its receiver recognises.
		if len(answer) > 3*len(b) || !isSTUN(answer) || !bytes.Equal(answer[4:stunHeader], b[4:stunHeader]) {
			t.Errorf("answer %x to %x", answer, b)
		}
		if _, _, ok := stunAttributes(answer); !ok {
			t.Errorf("answer %x has a torn attribute", answer)
		}
	})
}
