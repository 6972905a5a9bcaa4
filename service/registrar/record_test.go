package registrar

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sipwerk/sipwerk/sip"
)

// sample has every field set.
func sample() []Binding {
	now := time.Unix(1_800_000_000, 0)
	return []Binding{
		{
			Contact: "<sip:a@192.0.2.1>", Path: []string{"<sip:p;lr>", "<sip:q;lr>"}, Bound: true, Instance: "urn:uuid:1", RegID: 2, Q: 500,
			Flow:   sip.Flow{ID: 1 << 63, Transport: sip.WSS, Local: netip.MustParseAddrPort("192.0.2.9:5061"), Remote: netip.MustParseAddrPort("[2001:db8::1]:40000")},
			CallID: "c", CSeq: 1<<32 - 1, UserAgent: "ua", Received: now, Expires: now.Add(time.Hour),
		},
		{Contact: "<sip:b@192.0.2.1>", Received: now, Expires: now},
	}
}

func TestRecord(t *testing.T) {
	rec := appendRecord(nil, "sip:alice@example.org", sample())
	aor, got, err := parseRecord(rec)
	if diff := cmp.Diff(sample(), got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); aor != "sip:alice@example.org" || err != nil || diff != "" {
		t.Errorf("%s, %v\n%s", aor, err, diff)
	}
	if string(recordName(rec)) != aor {
		t.Errorf("name %q", recordName(rec))
	}
	for i := range rec {
		if _, _, err := parseRecord(rec[:i]); err == nil {
			t.Errorf("%d of %d bytes are accepted", i, len(rec))
		}
	}
}

func FuzzRecord(f *testing.F) {
	f.Add(appendRecord(nil, "sip:alice@example.org", sample()))
	f.Add(appendRecord(nil, "", nil))
	f.Add([]byte("\x00\x01" + strings.Repeat("\x00", 10) + "\xff\x31\x00" + "\x02\x30\x30" + "\x02\x30\x30" + "\x00")) // a transport wider than a byte
	f.Fuzz(func(t *testing.T, rec []byte) {
		recordName(rec)
		aor, bindings, err := parseRecord(rec)
		if err != nil {
			return
		}
		again := appendRecord(nil, aor, bindings)
		aor2, bindings2, err := parseRecord(again)
		if err != nil || !bytes.Equal(again, appendRecord(nil, aor2, bindings2)) {
			t.Errorf("% x reads back as % x, %v", rec, again, err)
		}
	})
}

func BenchmarkParseRecord(b *testing.B) {
	rec := appendRecord(nil, "sip:alice@example.org", sample()[:1])
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := parseRecord(rec); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzFrames reads any bytes as a file. What was read without fault reads the same again.
func FuzzFrames(f *testing.F) {
	good := appendHeader(nil)
	good = appendFrame(good, appendRecord(nil, "sip:alice@example.org", sample()))
	good = appendFrame(good, appendRecord(nil, "sip:bob@example.org", nil))
	for i := 0; i <= len(good); i += 5 {
		f.Add(good[:i])
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		count := func(b []byte) (n int, good int64, err error) {
			good, err = readFrames(bytes.NewReader(b), func([]byte) error { n++; return nil })
			return n, good, err
		}
		n, whole, err := count(file)
		if whole > int64(len(file)) || err == nil && whole != int64(len(file)) {
			t.Fatalf("%d of %d bytes are good, %v", whole, len(file), err)
		}
		if again, _, err := count(file[:whole]); whole > 0 && (err != nil || again != n) {
			t.Errorf("%d records, then %d, %v", n, again, err)
		}
	})
}
