package b2bua

import (
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
)

const (
	iceLines = "a=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"
	trickle  = iceLines + "m=audio 9 RTP/AVP 0\r\na=mid:a\r\na=candidate:1 1 UDP 1658497328 192.0.2.1 5000 typ host\r\na=end-of-candidates\r\n"
)

// TestTrickle: candidates are between a peer and its leg: INFO with them is answered here, before the callee has answered too, and nobody else hears of it. RFC 8840 §4.3, RFC 8840 §10.
func TestTrickle(t *testing.T) {
	play(t, func(w *world) {
		w.table.Packages = []string{description.TricklePackage}
		w.phone("bob", 2)
		browser := offer("192.0.2.1", 4000, "a=mid:a", "a=rtcp-mux", "a=ice-options:trickle", "a=ice-ufrag:8hhY", "a=ice-pwd:asd88fgpdd777uzjYhagZg")
		tx := w.invite("bob", browser, "Recv-Info: trickle-ice, conference")
		s := w.one(sip.MethodInvite)
		if got := s.Get(sip.HeaderRecvInfo); !s.HasToken(sip.HeaderRecvInfo, "conference") || !s.HasToken(sip.HeaderRecvInfo, "trickle-ice") {
			t.Errorf("bob is told %q", got)
		}
		w.reply(s, sip.StatusOK, offer("192.0.2.2", 6000))
		res := w.answerTo(tx)
		if got := res.Get(sip.HeaderRecvInfo); got != "trickle-ice" || !strings.Contains(string(res.Body()), "a=ice-options:ice2 trickle\r\n") {
			t.Errorf("alice is told %q in\n%s", got, res)
		}
		w.ack(tx, "")
		for i, tt := range []struct{ kind, body, want string }{
			{sdp.FragmentType, trickle, "200"},
			{sdp.FragmentType + ";charset=utf-8", trickle, "200"},
			{sdp.FragmentType, strings.Replace(trickle, "mid:a", "mid:elsewhere", 1), "200"},
			{sdp.FragmentType, "m=audio", "400"},
			{"application/sdp", trickle, "415"},
		} {
			for j, req := range []*sip.Request{w.backRequest(s, sip.MethodInfo, i+1, ""), w.insideRequest(tx, sip.MethodInfo, i+2)} {
				req.Set(sip.HeaderInfoPackage, "Trickle-ICE")
				req.SetBody(tt.kind, []byte(tt.body))
				if got := w.statuses(w.request(req)); got != tt.want {
					t.Errorf("%s of %d: %s", tt.kind, j, got)
				}
			}
		}
		w.take(sip.MethodInfo)
		if len(w.started) != 0 {
			t.Error("candidates are handed on")
		}
		w.hangUp(tx, 10)
	})
}
