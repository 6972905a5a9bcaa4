package siptest

import "testing"

func TestInOrder(t *testing.T) {
	const golden = `# A call that is cancelled.
            alice                                 bob
   1.040 s  │────────────── CANCEL ─────────────►│
   1.050 s  │◄───────── 200 OK (CANCEL) ─────────│
   1.050 s  │◄─ 487 Request Terminated (INVITE) ─│
`
	for _, c := range []struct {
		name, flow string
		same       bool
	}{
		{"as drawn", golden, true},
		{"two transactions at one instant", `# A call that is cancelled.
            alice                                 bob
   1.040 s  │────────────── CANCEL ─────────────►│
   1.050 s  │◄─ 487 Request Terminated (INVITE) ─│
   1.050 s  │◄───────── 200 OK (CANCEL) ─────────│
`, true},
		{"later", `# A call that is cancelled.
            alice                                 bob
   1.040 s  │────────────── CANCEL ─────────────►│
   1.050 s  │◄─ 487 Request Terminated (INVITE) ─│
   1.060 s  │◄───────── 200 OK (CANCEL) ─────────│
`, false},
		{"one missing", `# A call that is cancelled.
            alice                                 bob
   1.040 s  │────────────── CANCEL ─────────────►│
   1.050 s  │◄───────── 200 OK (CANCEL) ─────────│
`, false},
	} {
		if same := inOrder(c.flow) == inOrder(golden); same != c.same {
			t.Errorf("%s: same is %t", c.name, same)
		}
	}
	one := "   0.010 s  │── 180 Ringing (INVITE) ──│\n   0.010 s  │── 200 OK (INVITE) ──│\n"
	two := "   0.010 s  │── 200 OK (INVITE) ──│\n   0.010 s  │── 180 Ringing (INVITE) ──│\n"
	if inOrder(one) == inOrder(two) {
		t.Error("the responses to one request may come in any order")
	}
}
