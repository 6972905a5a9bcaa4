package codec

import "testing"

// RFC 3389 §3.1: the noise is as loud as the payload says, whatever its spectrum; what says nothing changes nothing.
func TestNoise(t *testing.T) {
	var n Noise
	if pcm := n.Append(nil, 160); Level(pcm) != Silence || len(pcm) != 160 {
		t.Error("noise that nobody has described")
	}
	for _, tt := range []struct {
		payload []byte
		want    int
	}{
		{[]byte{40}, 40}, {[]byte{60}, 60}, {nil, 60}, {[]byte{40, 187, 97}, 40}, {[]byte{30, 30, 127, 200, 127, 67, 90, 180, 127, 127, 127, 127, 127, 127, 3, 255}, 30},
	} {
		n.Describe(tt.payload)
		if got := int(Level(n.Append(nil, 16000))); got < tt.want-3 || got > tt.want+3 {
			t.Errorf("% x: level %d, want %d", tt.payload, got, tt.want)
		}
	}
	// RFC 3389 §3.2: the sign of the first coefficient tells dull noise from sharp.
	for k, sharp := range map[byte]bool{27: false, 227: true} {
		n.Describe([]byte{30, k})
		same, product := 0.0, 0.0
		pcm := n.Append(nil, 8000)
		for i := 1; i < len(pcm); i++ {
			same, product = same+float64(pcm[i])*float64(pcm[i]), product+float64(pcm[i])*float64(pcm[i-1])
		}
		if product/same < 0 != sharp {
			t.Errorf("coefficient %d: correlation %.2f", k, product/same)
		}
	}
	n.Describe([]byte{127})
	if Level(n.Append(nil, 160)) != Silence {
		t.Error("level 127 is heard")
	}
	n.Describe([]byte{20})
	n.Stop()
	if Level(n.Append(nil, 160)) != Silence {
		t.Error("noise after it was stopped")
	}
}
