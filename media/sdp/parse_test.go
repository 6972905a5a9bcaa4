package sdp

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files")

// samples returns the descriptions of testdata by name, as they go over the wire.
func samples(t testing.TB) map[string]string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.sdp")
	if err != nil || len(files) == 0 {
		t.Fatal("no samples", err)
	}
	m := make(map[string]string)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		m[strings.TrimSuffix(filepath.Base(f), ".sdp")] = strings.ReplaceAll(string(b), "\n", "\r\n")
	}
	return m
}

func mustParse(t testing.TB, s string) *Description {
	t.Helper()
	d, err := Parse([]byte(s))
	if err != nil {
		t.Fatalf("%v in %q", err, s)
	}
	return d
}

// checkGolden compares got (with LF) with a file.
func checkGolden(t *testing.T, file, got string) {
	t.Helper()
	got = strings.ReplaceAll(got, "\r\n", "\n")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
}

func TestRoundTrip(t *testing.T) {
	for name, s := range samples(t) {
		variants := map[string]string{
			"CRLF":           s,
			"LF":             strings.ReplaceAll(s, "\r\n", "\n"),
			"CR":             strings.ReplaceAll(s, "\r\n", "\r"),
			"no last end":    strings.TrimSuffix(s, "\r\n"),
			"blank line":     s + "\r\n",
			"cloned":         mustParse(t, s).Clone().String(),
			"printed before": mustParse(t, s).String(),
		}
		for v, in := range variants {
			if got := mustParse(t, in).String(); got != s {
				t.Errorf("%s, %s: got\n%s\nwant\n%s", name, v, got, s)
			}
		}
	}
}

func TestParseTolerates(t *testing.T) {
	for name, tt := range map[string]struct{ in, out string }{
		"only v=":         {"v=0", "v=0\r\n"},
		"blanks in m=":    {"v=0\nm=audio  4000   RTP/AVP 0  8 ", "v=0\r\nm=audio 4000 RTP/AVP 0 8\r\n"},
		"no formats":      {"v=0\nm=message 9 TCP", "v=0\r\nm=message 9 TCP\r\n"},
		"empty values":    {"v=0\ns=\na=\nm=x 1 y\nc=\n", "v=0\r\ns=\r\na=\r\nm=x 1 y\r\nc=\r\n"},
		"blank behind v=": {"v=0 \n", "v=0 \r\n"},
		"blank lines":     {"v=0\n\n \ns=-", "v=0\r\ns=-\r\n"},
		"eight bits":      {"v=0\ns=Bj\xf6rn \xe2\x98\x8e", "v=0\r\ns=Bj\xf6rn \xe2\x98\x8e\r\n"},
	} {
		d, err := Parse([]byte(tt.in))
		if err != nil || d.String() != tt.out {
			t.Errorf("%s: %v, %q, want %q", name, err, d, tt.out)
		}
	}
}

var refused = map[string]struct {
	in   string
	line int
}{
	"empty":              {"", 0},
	"only blank lines":   {"\r\n\r\n", 0},
	"too large":          {"v=0\r\ns=" + strings.Repeat("x", MaxSize), 0},
	"not a description":  {"hello", 1},
	"no v=":              {"o=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n", 1},
	"version":            {"v=1\r\n", 1},
	"long type":          {"v=0\r\ntesting=123\r\n", 2},
	"no equals":          {"v=0\r\n\r\ns\r\n", 3},
	"blank type":         {"v=0\r\n =x\r\n", 2},
	"NUL":                {"v=0\r\ns=a\x00b\r\n", 2},
	"m= cut":             {"v=0\r\nm=audio 4000\r\n", 2},
	"port too large":     {"v=0\r\nm=audio 65536 RTP/AVP 0\r\n", 2},
	"port huge":          {"v=0\r\nm=audio 4294967297 RTP/AVP 0\r\n", 2},
	"port negative":      {"v=0\r\nm=audio -1 RTP/AVP 0\r\n", 2},
	"port with a letter": {"v=0\r\nm=audio 1x RTP/AVP 0\r\n", 2},
	"no port count":      {"v=0\r\nm=audio 1/ RTP/AVP 0\r\n", 2},
	"zero port count":    {"v=0\r\nm=audio 1/0 RTP/AVP 0\r\n", 2},
	"too many formats":   {"v=0\r\nm=audio 1 RTP/AVP" + strings.Repeat(" 0", MaxFormats+1), 2},
	"too many media":     {"v=0\r\n" + strings.Repeat("m=audio 1 RTP/AVP 0\r\n", MaxMedia+1), MaxMedia + 2},
	"too many lines":     {"v=0\r\n" + strings.Repeat("a=\r\n", MaxLines), MaxLines + 1},
}

func TestParseRefuses(t *testing.T) {
	for name, tt := range refused {
		d, err := Parse([]byte(tt.in))
		var pe *ParseError
		if !errors.As(err, &pe) || pe.Line != tt.line || d != nil {
			t.Errorf("%s: got %v, %v, want an error in line %d", name, d, err, tt.line)
			continue
		}
		if !strings.HasPrefix(err.Error(), "sdp: parse") {
			t.Errorf("%s: error text %q", name, err)
		}
	}
}

// A description that was cut anywhere is parsed or refused, and what it says can be asked.
func TestTruncated(t *testing.T) {
	for _, s := range samples(t) {
		for i := range len(s) {
			if d, err := Parse([]byte(s[:i])); err == nil {
				exercise(t, d)
			}
		}
	}
}

// exercise asks and changes everything.
func exercise(t testing.TB, d *Description) {
	t.Helper()
	printed := d.String()
	if len(printed) > MaxSize/2 {
		return // with CRLF and our lines it may grow beyond what Parse takes
	}
	for i := range d.Media {
		m := &d.Media[i]
		d.Direction(m)
		d.Address(m).AddrPort()
		d.RTCPAddress(m).AddrPort()
		for _, c := range m.Codecs() {
			if c.Name == "" || c.Clock <= 0 || c.Channels <= 0 || c.PayloadType > 127 {
				t.Fatalf("codec %+v", c)
			}
		}
		m.PacketTime()
		for _, c := range m.Codecs() {
			if !c.Suits(c) {
				t.Fatalf("%+v does not suit itself", c)
			}
		}
		if n := len(m.Layers()); n > maxLayers {
			t.Fatalf("%d layers", n)
		}
	}
	for i, leader := range d.Leaders() {
		if leader < 0 || leader >= len(d.Media) || leader != i && (!d.Media[i].shares() || !d.Media[leader].leads()) {
			t.Fatalf("line %d is led by %d", i, leader)
		}
	}
	d.Origin()
	again, err := Parse([]byte(printed))
	if err != nil || again.String() != printed {
		t.Fatalf("%v: %q printed as %q", err, printed, again)
	}
	answer, err := phoneCapabilities().Answer(d)
	if len(answer.Media) != len(d.Media) {
		t.Fatalf("%v: %d slots of %d", err, len(answer.Media), len(d.Media))
	}
	c := d.Clone()
	c.Relocate(relayPlaces())
	new(Originator).Stamp(c)
	c.Complete()
	if again, err = Parse([]byte(c.String())); err != nil || again.String() != c.String() {
		t.Fatalf("%v: relocated %q", err, c)
	}
	if d.String() != printed {
		t.Fatalf("changing a clone changed %q to %q", printed, d)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range samples(f) {
		f.Add([]byte(s))
	}
	for _, tt := range refused {
		if len(tt.in) <= 4096 {
			f.Add([]byte(tt.in))
		}
	}
	for _, tt := range addresses {
		f.Add([]byte(tt.in))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := Parse(b); err == nil {
			exercise(t, d)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	s := []byte(samples(b)["baresip"])
	b.ReportAllocs()
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		if _, err := Parse(s); err != nil {
			b.Fatal(err)
		}
	}
}
