package sdp

import "testing"

// All pairs of an offered and a wanted direction. RFC 3264 §6.1.
func TestDirectionAnswer(t *testing.T) {
	want := map[[2]Direction]Direction{
		{SendRecv, SendRecv}: SendRecv,
		{SendRecv, SendOnly}: SendOnly,
		{SendRecv, RecvOnly}: RecvOnly,
		{SendRecv, Inactive}: Inactive,
		{SendOnly, SendRecv}: RecvOnly,
		{SendOnly, SendOnly}: Inactive,
		{SendOnly, RecvOnly}: RecvOnly,
		{SendOnly, Inactive}: Inactive,
		{RecvOnly, SendRecv}: SendOnly,
		{RecvOnly, SendOnly}: SendOnly,
		{RecvOnly, RecvOnly}: Inactive,
		{RecvOnly, Inactive}: Inactive,
		{Inactive, SendRecv}: Inactive,
		{Inactive, SendOnly}: Inactive,
		{Inactive, RecvOnly}: Inactive,
		{Inactive, Inactive}: Inactive,
	}
	if len(want) != 16 {
		t.Fatal("pairs are missing")
	}
	for pair, w := range want {
		if got := pair[0].Answer(pair[1]); got != w {
			t.Errorf("offered %v, wanted %v: %v, want %v", pair[0], pair[1], got, w)
		}
		caps := phoneCapabilities()
		caps.Media[0].Direction = pair[1]
		offer := mustParse(t, "v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\na="+pair[0].String())
		answer, err := caps.Answer(offer)
		if err != nil {
			t.Fatal(err)
		}
		if got := answer.Direction(&answer.Media[0]); got != w {
			t.Errorf("offered %v, wanted %v: answer %v, want %v", pair[0], pair[1], got, w)
		}
	}
}

func TestDirectionSides(t *testing.T) {
	for d, want := range map[Direction][2]bool{
		SendRecv: {true, true}, SendOnly: {true, false}, RecvOnly: {false, true}, Inactive: {false, false},
	} {
		if d.Sends() != want[0] || d.Receives() != want[1] {
			t.Errorf("%v sends %v, receives %v", d, d.Sends(), d.Receives())
		}
		if r := d.Reverse(); r.Sends() != want[1] || r.Receives() != want[0] {
			t.Errorf("%v reversed is %v", d, r)
		}
	}
}

func TestDirection(t *testing.T) {
	for in, want := range map[string]Direction{
		"m=audio 1 RTP/AVP 0":                                                        SendRecv,
		"a=sendonly\nm=audio 1 RTP/AVP 0":                                            SendOnly,
		"a=sendonly\nm=audio 1 RTP/AVP 0\na=recvonly":                                RecvOnly,
		"m=audio 1 RTP/AVP 0\na=inactive ":                                           Inactive,
		"c=IN IP4 0.0.0.0\nm=audio 1 RTP/AVP 0":                                      SendOnly,
		"c=IN IP6 ::\nm=audio 1 RTP/AVP 0\na=recvonly":                               Inactive,
		"c=IN IP4 0.0.0.0\nm=audio 1 RTP/AVP 0\nc=IN IP4 192.0.2.1":                  SendRecv,
		"c=IN IP4 0.0.0.0\nm=audio 9 UDP/TLS/RTP/SAVPF 0\na=ice-ufrag:x":             SendRecv,
		"c=IN IP4 0.0.0.0\na=ice-ufrag:x\nm=audio 9 UDP/TLS/RTP/SAVPF 0\na=sendonly": SendOnly,
	} {
		d := mustParse(t, "v=0\n"+in)
		if got := d.Direction(&d.Media[0]); got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}

func TestSetDirection(t *testing.T) {
	for in, want := range map[string]string{
		"":                                    "a=sendonly\r\n",
		"a=x\r\n":                             "a=x\r\na=sendonly\r\n",
		"a=inactive\r\na=x\r\na=recvonly\r\n": "a=sendonly\r\na=x\r\n",
	} {
		const head = "v=0\r\nm=audio 1 RTP/AVP 0\r\n"
		d := mustParse(t, head+in)
		d.Media[0].SetDirection(SendOnly)
		if got := d.String(); got != head+want {
			t.Errorf("%q: got %q", in, got)
		}
	}
}
