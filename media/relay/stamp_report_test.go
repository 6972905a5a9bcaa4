package relay

import (
	"bytes"
	"slices"
	"testing"

	"github.com/sipwerk/sipwerk/media/rtp"
)

// named is RTCP of a source that says which line it is of.
func named(ssrc uint32, mid string) []byte {
	b := (&rtp.ReceiverReport{SSRC: ssrc}).AppendTo(nil)
	b = (&rtp.SourceDescription{Sources: []rtp.Source{{SSRC: ssrc, CNAME: "alice"}}}).AppendTo(b)
	return (&stamp{identifier: rideMID, mid: mid}).sign(append(make([]byte, 0, len(b)+spare), b...))
}

// TestNamedSources: an SSRC that RTCP has named a line of is known before its first packet. RFC 9143 §9.2, RFC 9143 §15.1.
func TestNamedSources(t *testing.T) {
	share(t, func(b *bundled) {
		for _, c := range []struct {
			name   string
			packet []byte
			want   []int
		}{
			{"an unknown source", tagged(21, 96, ""), nil},
			{"its name", named(21, "w"), []int{2}},
			{"the source after that", tagged(21, 96, ""), []int{2}},
			{"another name", named(21, "v"), []int{1, 2}}, // who thought that it was theirs hears it once more
			{"the source after that", tagged(21, 96, ""), []int{1}},
			{"a name that nobody has", named(22, "x"), []int{0}},
			{"a source of nobody", tagged(22, 96, ""), nil},
			{"a payload type of another line", tagged(21, 0, ""), nil},
		} {
			if got := b.reaches(c.packet); !slices.Equal(got, c.want) {
				t.Errorf("%s: came to %v, want %v", c.name, got, c.want)
			}
		}
	})
}

// TestSign: descriptions of sources bear the tag of the line, whatever another side has called it; all else stays as it is. RFC 9143 §15.1.
func TestSign(t *testing.T) {
	share(t, func(b *bundled) {
		b.lines[1].Stamp(rideMID, "v", false)
		b.reaches(tagged(1, 0, "")) // opens the way to alice
		at, _ := b.far[1].Local()
		rest := (&rtp.PictureLoss{SSRC: 31, Media: 9}).AppendTo(nil)
		for _, mid := range []string{"theirs", "v", "0"} {
			b.bob[1].send(t, at, append(named(31, mid), rest...))
			if got := b.alice.take(); len(got) != 1 || got[0] != string(append(named(31, "v"), rest...)) {
				t.Errorf("alice got %x of line %q", got, mid)
			}
		}
		b.lines[1].Stamp(0, "", false)
		b.bob[1].send(t, at, named(31, "theirs"))
		if got := b.alice.take(); len(got) != 1 || got[0] != string(named(31, "theirs")) {
			t.Errorf("alice got %x", got)
		}
	})
}

// FuzzSign: RTCP stays RTCP, and what has no room for a tag, or is none, stays as it is.
func FuzzSign(f *testing.F) {
	f.Add(named(7, "a"), "video")
	f.Add(append(named(7, "a"), named(8, "b")...), "x")
	f.Fuzz(func(t *testing.T, b []byte, mid string) {
		if len(mid) > maxMID {
			return
		}
		s := stamp{identifier: 1, mid: mid}
		got := s.sign(append(make([]byte, 0, len(b)+spare), b...))
		if len(got) > len(b)+stampRoom {
			t.Errorf("%d bytes became %d", len(b), len(got))
		}
		was, wrong := rtp.ParseRTCP(b)
		is, err := rtp.ParseRTCP(got)
		if wrong == nil && (err != nil || len(is) != len(was)) {
			t.Errorf("%x became %x: %v", b, got, err)
		}
		if again := s.sign(append(make([]byte, 0, len(got)+spare), got...)); wrong == nil && !bytes.Equal(again, got) {
			t.Errorf("%x, signed again, is %x", got, again)
		}
	})
}
