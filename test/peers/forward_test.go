// Calls that others take: forwarded by settings of the callee, and rung by a group.

package peers

import "testing"

// TestForward: RFC 5359 §2.8 (busy) and §2.9 (no answer): what bob has set leads to carol.
func TestForward(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		set    []string
		refuse bool // bob's telephone rings, and bob declines
		target starter
	}{
		{"on busy", []string{"--forward-busy", "carol"}, true, startLinphonec},
		{"on no answer", []string{"--forward-no-answer", "carol", "--ring-time", "2s"}, false, startBaresip},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			need(t, "baresip", "linphonec")
			s := serve(t, "alice", "bob", "carol")
			s.run(t, append([]string{"account", "set", "bob"}, c.set...)...)
			x := s.three(t, startBaresip, startBaresip, c.target)
			must(t, "dial", x.alice.Dial("sip:bob@"+domain))
			must(t, "callee rings", x.bob.WaitIncoming(soon(t)))
			if c.refuse {
				must(t, "callee is busy", x.bob.Hangup())
			}
			must(t, "callee stops ringing", x.bob.WaitEnded(soon(t)))
			must(t, "target rings", x.carol.WaitIncoming(soon(t)))
			must(t, "target answers", x.carol.Answer())
			must(t, "target established", x.carol.WaitEstablished(soon(t)))
			must(t, "caller established", x.alice.WaitEstablished(soon(t)))
			finish(t, x.alice, x.carol, x.words[0], x.words[2])
		})
	}
}

// TestRingGroup: all members ring, one answers, and the other falls silent.
func TestRingGroup(t *testing.T) {
	t.Parallel()
	need(t, "baresip", "linphonec")
	s := serve(t, "alice", "bob", "carol")
	s.run(t, "group", "add", "600", "--member", "bob,carol")
	x := s.three(t, startBaresip, startBaresip, startLinphonec)
	must(t, "dial", x.alice.Dial("sip:600@"+domain))
	must(t, "bob rings", x.bob.WaitIncoming(soon(t)))
	must(t, "carol rings", x.carol.WaitIncoming(soon(t)))
	must(t, "carol answers", x.carol.Answer())
	must(t, "carol established", x.carol.WaitEstablished(soon(t)))
	must(t, "caller established", x.alice.WaitEstablished(soon(t)))
	must(t, "bob stops ringing", x.bob.WaitEnded(soon(t)))
	finish(t, x.alice, x.carol, x.words[0], x.words[2])
}
