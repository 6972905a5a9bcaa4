package rtp

import (
	"bytes"
	"testing"
)

// TestChunk: items of one source, and the name of its line in the place of another. RFC 3550 §6.5, RFC 9143 §15.1.
func TestChunk(t *testing.T) {
	b := (&SourceDescription{Sources: []Source{{SSRC: 7, CNAME: "alice"}, {SSRC: 8}}}).AppendTo(nil)
	raw, _, err := SplitRTCP(b)
	if err != nil || !raw.IsDescription() {
		t.Fatal(err)
	}
	c, rest, ok := SplitChunk(raw.Body)
	if name, has := c.Item(itemCNAME); !ok || c.SSRC != 7 || string(name) != "alice" || !has {
		t.Errorf("%+v, %v", c, ok)
	}
	if _, has := c.Item(ItemMID); has {
		t.Error("it has a line")
	}
	for _, mid := range []string{"a", "video", "b"} {
		body := c.With(nil, ItemMID, mid)
		again, left, ok := SplitChunk(body)
		name, _ := again.Item(itemCNAME)
		got, _ := again.Item(ItemMID)
		if !ok || len(left) != 0 || len(body)%4 != 0 || string(name) != "alice" || string(got) != mid || again.SSRC != 7 {
			t.Errorf("%x", body)
		}
		c = again
	}
	if c, rest, ok := SplitChunk(rest); !ok || c.SSRC != 8 || len(rest) != 0 {
		t.Errorf("%+v, %v", c, ok)
	}
	for i := range raw.Body[:12] {
		if _, _, ok := SplitChunk(raw.Body[:i]); ok {
			t.Errorf("%d bytes are a chunk", i)
		}
	}
}

// FuzzChunk: what is read of a chunk is written so that it is read again.
func FuzzChunk(f *testing.F) {
	f.Add([]byte{0, 0, 0, 7, 1, 2, 'a', 'b', 15, 1, 'v', 0}, "w")
	f.Fuzz(func(t *testing.T, b []byte, mid string) {
		c, _, ok := SplitChunk(b)
		if !ok || len(mid) > 255 {
			return
		}
		again, rest, ok := SplitChunk(c.With(nil, ItemMID, mid))
		got, _ := again.Item(ItemMID)
		name, _ := c.Item(itemCNAME)
		same, _ := again.Item(itemCNAME)
		if !ok || len(rest) != 0 || string(got) != mid || !bytes.Equal(name, same) || again.SSRC != c.SSRC {
			t.Errorf("%+v became %+v", c, again)
		}
	})
}
