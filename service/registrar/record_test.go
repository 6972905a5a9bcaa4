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

// record is a record of the journal.
func record(name string, bindings []Binding) []byte {
	return appendBindings(appendString(nil, name), bindings)
}

// parse takes one apart.
func parse(rec []byte) (name string, bindings []Binding, err error) {
	head, tail, err := splitRecord(rec)
	if err != nil {
		return "", nil, err
	}
	bindings, err = new(decoder).decode(tail)
	return string(head), bindings, err
}

func TestRecord(t *testing.T) {
	rec := record("sip:alice@example.org", sample())
	aor, got, err := parse(rec)
	if diff := cmp.Diff(sample(), got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); aor != "sip:alice@example.org" || err != nil || diff != "" {
		t.Errorf("%s, %v\n%s", aor, err, diff)
	}
	for i := range rec {
		if _, _, err := parse(rec[:i]); err == nil {
			t.Errorf("%d of %d bytes are accepted", i, len(rec))
		}
	}
}

// TestRecordWithZone: an address of a link keeps its link.
func TestRecordWithZone(t *testing.T) {
	want := sample()[1:]
	want[0].Flow = sip.Flow{Transport: sip.UDP, Remote: netip.MustParseAddrPort("[fe80::1%eth0]:5060"), Local: netip.MustParseAddrPort("[::ffff:192.0.2.1]:5060")}
	_, got, err := parse(record("sip:a@b", want))
	if err != nil || got[0].Flow != want[0].Flow {
		t.Errorf("%v, %v", got, err)
	}
}

func FuzzRecord(f *testing.F) {
	f.Add(record("sip:alice@example.org", sample()))
	f.Add(record("", nil))
	f.Add([]byte("\x00\x01" + strings.Repeat("\x00", 10) + "\xff\x31\x00" + "\x02\x30\x30" + "\x02\x30\x30" + "\x00")) // a transport wider than a byte
	f.Fuzz(func(t *testing.T, rec []byte) {
		aor, bindings, err := parse(rec)
		if err != nil {
			return
		}
		again := record(aor, bindings)
		aor2, bindings2, err := parse(again)
		if err != nil || !bytes.Equal(again, record(aor2, bindings2)) {
			t.Errorf("% x reads back as % x, %v", rec, again, err)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	rec := appendBindings(nil, sample()[:1])
	var d decoder
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.decode(rec); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzFrames reads any bytes as a file. What was read without fault reads the same again.
func FuzzFrames(f *testing.F) {
	good := appendHeader(nil)
	good = appendFrame(good, []byte("sip:alice@example.org"), appendBindings(nil, sample()))
	good = appendFrame(good, []byte("sip:bob@example.org"), appendBindings(nil, nil))
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
